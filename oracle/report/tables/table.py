"""Tables of a study: all columns as csv; what a reader needs as markdown and LaTeX."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oracle.report.tables import escape

MISSING = "\N{EN DASH}"
MINUS, PLUS_MINUS = "\N{MINUS SIGN}", "\N{PLUS-MINUS SIGN}"
AT_MOST, AT_LEAST = "\N{LESS-THAN OR EQUAL TO}", "\N{GREATER-THAN OR EQUAL TO}"

WORDS = {"Optimal interval", "Informative", "Position", "Within tolerance", "Note", "Policy", "Layer", "Decided", ""}
# all other columns are numbers


class Bold(str):
    """A cell to be set in bold."""

    __slots__ = ()


def known(value: Any) -> bool:
    """False for NaN, NA, None and the empty text."""
    return not pd.isna(value) and value != ""


def significant(value: Any) -> str:
    """3 significant digits, or MISSING."""
    return f"{value:.3g}" if known(value) else MISSING


def decimals(value: Any) -> str:
    """2 decimals, or MISSING."""
    if not known(value):
        return MISSING
    return f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)  # + 0.0: no negative zero


def mean_std(mean: Any, std: Any) -> str:
    """ "91.23 ± 0.10"; the mean alone where one seed has no standard deviation."""
    return f"{decimals(mean)} {PLUS_MINUS} {decimals(std)}" if known(mean) and known(std) else decimals(mean)


def _answer(value: Any) -> str:
    return ("yes" if value else "no") if known(value) else MISSING


def _interval(row: Any) -> str:
    """ "0.01 to 0.3"; an open end reads as one: "≤0.01 to 0.3", and "≥0.3" where the grid's last value stands alone."""
    if not known(row.low):
        return MISSING
    low, high = AT_MOST * bool(row.open_low), AT_LEAST * bool(row.open_high)
    if row.low == row.high and not (low and high):
        return low + high + significant(row.low)
    return f"{low}{significant(row.low)} to {high}{significant(row.high)}"


def _decades(row: Any) -> str:
    """Where an end is open the width that was seen is the least that it can be."""
    width = known(row.decades)
    return AT_LEAST * bool(width and (row.open_low or row.open_high)) + decimals(row.decades)


def _informative(row: Any) -> str:
    if row.seeds == 0:
        return MISSING
    return "yes" if row.informative else f"no: {row.why}"


def _note(row: Any) -> str:
    if row.seeds == 0:
        return "incomplete"
    if not row.informative:
        return f"not counted: {row.why}"
    sides = ["below"] * bool(row.open_low) + ["above"] * bool(row.open_high)
    return f"open {' and '.join(sides)}" if sides else ""


def _judged(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """What an uninformative cycle says about max_lr stands in brackets: nobody should count it."""

    def bracketed(row: Any) -> str:
        text = show(row)
        return text if row.informative or text == MISSING else f"({text})"

    return bracketed


OWN_CHAIN = "Test, SILO's own chain (%)"
ORACLE: Mapping[str, Callable[[Any], str]] = {
    "Cycle": lambda row: str(row.cycle),
    "Weights remaining (%)": lambda row: significant(row.weights_remaining),
    "Seeds": lambda row: str(row.seeds),
    "Best max_lr": _judged(lambda row: significant(row.best_max_lr)),
    "Optimal interval": _judged(_interval),
    "Width (decades)": _judged(_decades),
    "Validation at best (%)": lambda row: decimals(row.best_validation),
    "Test at best (%)": lambda row: mean_std(row.best_test, row.best_test_std),
    "Informative": _informative,
}
COMPARISON: Mapping[str, Callable[[Any], str]] = {
    "Cycle": ORACLE["Cycle"],
    "Weights remaining (%)": ORACLE["Weights remaining (%)"],
    "SILO max_lr": lambda row: significant(row.silo_max_lr),
    "Optimal interval": ORACLE["Optimal interval"],
    "Position": _judged(lambda row: row.position if known(row.position) else MISSING),
    "Gap to best (points)": _judged(lambda row: decimals(row.gap)),
    "Within tolerance": _judged(lambda row: _answer(row.within_tolerance)),
    "Test, SILO (%)": lambda row: mean_std(row.silo_test, row.silo_test_std),
    OWN_CHAIN: lambda row: mean_std(row.chain_test, row.chain_test_std),
    "Test, Oracle's best (%)": lambda row: mean_std(row.best_test, row.best_test_std),
    "Note": _note,
}


STATISTICS: Mapping[str, Callable[[Any], str]] = {
    "Cycle": ORACLE["Cycle"],
    "Weights remaining (%)": ORACLE["Weights remaining (%)"],
    "Seeds": lambda row: str(row.seeds),
    "Not shown worse than the best": lambda row: _values(row.not_worse),
    "SILO - best, where chosen (points)": lambda row: decimals(row.chosen_on_difference),
    "SILO - best, test (points)": lambda row: decimals(row.test_difference),
    "Its interval": lambda row: _between(row.low, row.high),
    "Decided": lambda row: row.decided,
    "Seeds needed": lambda row: _seeds_needed(row.seeds_needed),
}


def _values(not_worse: str) -> str:
    """ "0.02 to 0.3 (7)": the lowest, the highest, how many."""
    values = [float(value) for value in not_worse.split()]
    if len(values) < 2:
        return "".join(map(significant, values)) or MISSING
    return f"{significant(values[0])} to {significant(values[-1])} ({len(values)})"


def _between(low: float, high: float) -> str:
    return f"{decimals(low)} to {decimals(high)}" if known(low) else MISSING


def _seeds_needed(seeds: float) -> str:
    if not known(seeds):
        return ""
    return "no number" if np.isinf(seeds) else str(int(seeds))


def _display(comparison: pd.DataFrame, columns: Mapping[str, Callable[[Any], str]]) -> pd.DataFrame:
    rows = list(comparison.itertuples(index=False))
    return pd.DataFrame({name: [show(row) for row in rows] for name, show in columns.items()}, dtype=str)


def oracle_table(comparison: pd.DataFrame) -> pd.DataFrame:
    """What the Oracle found, a row a cycle, as strings to read.

    max_lr and weights with 3 significant digits, accuracies in percent with 2 decimals and, where there are several
    seeds, their standard deviation; "–" where nothing is known. Brackets: the cycle is uninformative.
    """
    return _display(comparison, ORACLE)


def comparison_table(comparison: pd.DataFrame) -> pd.DataFrame:
    """SILO beside the Oracle, a row a cycle, as strings to read; written as in ``oracle_table``.

    The tests of SILO and of the Oracle's best are of trainings that start from the same masks; SILO's own chain has a
    column where its numbers are others. Position is where SILO's max_lr lies by the interval; within tolerance is judged
    by SILO's own validation accuracy. The gap is in points of validation accuracy, above 0 where SILO is worse.
    """
    same = np.array_equal(comparison.chain_test.astype(float), comparison.silo_test.astype(float), equal_nan=True)
    return _display(comparison, COMPARISON).drop(columns=[OWN_CHAIN] * same)


def statistics_table(statistics: pd.DataFrame) -> pd.DataFrame:
    """How sure each cycle is (oracle.analysis.significance), as strings to read; written as in ``oracle_table``."""
    return _display(statistics, STATISTICS)


def markdown(display: pd.DataFrame) -> str:
    """A table of strings as GitHub's markdown, padded so that the raw text can be read too."""
    rows = [[_markdown(cell) for cell in row] for row in [list(display.columns), *display.to_numpy().tolist()]]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.ljust if name in WORDS else str.rjust for name in display.columns]
    rule = [
        "-" * width if pad is str.ljust else "-" * (width - 1) + ":" for width, pad in zip(widths, pads, strict=True)
    ]
    lines = [[pad(cell, width) for cell, width, pad in zip(row, widths, pads, strict=True)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], rule, *lines[1:]])


def _markdown(cell: str) -> str:
    text = escape.markdown(cell)
    return f"**{text}**" if isinstance(cell, Bold) else text


def latex(
    display: pd.DataFrame, caption: str, notes: Sequence[str] = (), rule_above: int | None = None, narrow: bool = False
) -> str:
    """A table of strings as a LaTeX table, as wide as the page; it needs booktabs and nothing else.

    notes: lines below it; rule_above: the row that a rule sets apart from those before; narrow: the cells are broken
    into lines as the heads are.
    """
    columns = "".join("l" if name in WORDS else "r" for name in display.columns)
    heads = [_stacked(name, column, "b", 8) for name, column in zip(display.columns, columns, strict=True)]
    rows = [" & ".join(_cells(row, columns, narrow)) + r" \\" for row in display.to_numpy().tolist()]
    if rule_above is not None:
        rows.insert(rule_above, r"\midrule")
    lines = [
        r"\begin{table*}[tbp]",
        r"\centering",
        rf"\caption{{{escape.latex(caption)}}}",
        r"\footnotesize",
        r"\setlength{\tabcolsep}{4pt}",
        rf"\makebox[\linewidth]{{\begin{{tabular}}{{{columns}}}",  # a wide table sticks out alike on both sides
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        *(rf"\par\smallskip {escape.latex(note)}" for note in notes),
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _cells(row: list[str], columns: str, narrow: bool) -> list[str]:
    written = [rf"\textbf{{{escape.latex(cell)}}}" if isinstance(cell, Bold) else escape.latex(cell) for cell in row]
    if narrow:  # but for the row's own head
        written[1:] = [_stacked(cell, column, "t", 9) for cell, column in zip(row[1:], columns[1:], strict=True)]
    return written


def _stacked(text: str, column: str, align: str, least: int) -> str:
    """A cell as narrow as its longest word, in several lines: unbroken ones make the table wider than a page."""
    lines = textwrap.wrap(text, max([least, *map(len, text.split())]), break_on_hyphens=False)
    inner = r" \\ ".join(escape.latex(line) for line in lines)
    return rf"\begin{{tabular}}[{align}]{{@{{}}{column}@{{}}}}{inner}\end{{tabular}}"


def write(all_columns: pd.DataFrame, display: pd.DataFrame, folder: Path, name: str, caption: str) -> list[Path]:
    """Write ``name``.csv (all columns, full precision), .md and .tex (the columns to read); the paths, in this order.

    The folder is made where it is missing. The same tables give the same bytes.
    """
    return write_texts(all_columns, f"{caption}\n\n{markdown(display)}", latex(display, caption), folder, name)


def write_texts(all_columns: pd.DataFrame, md: str, tex: str, folder: Path, name: str) -> list[Path]:
    """Write ``name``.csv, .md and .tex; the paths, in this order. The folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"csv": all_columns.to_csv(index=False, lineterminator="\n"), "md": md, "tex": tex}
    paths = {folder / f"{name}.{ending}": text for ending, text in texts.items()}
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(paths)
