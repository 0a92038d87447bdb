"""A table of strings as LaTeX."""

import textwrap
from collections.abc import Sequence

import pandas as pd

from oracle.report.tables import escape
from oracle.report.tables.format import WORD_COLUMNS, Bold


def latex(
    display: pd.DataFrame, caption: str, notes: Sequence[str] = (), rule_above: int | None = None, narrow: bool = False
) -> str:
    """The table as a LaTeX table as wide as the page; it needs booktabs and nothing else.

    Args:
        display: strings; columns of words (``WORD_COLUMNS``) are aligned on the left, all others on the right.
        caption: any text.
        notes: lines below the table, any text.
        rule_above: index of the row that a rule separates from the rows before; None: there is no such rule.
        narrow: whether the cells are broken into lines, as the heads always are.
    """
    columns = "".join("l" if name in WORD_COLUMNS else "r" for name in display.columns)
    heads = [_stacked(name, column, "b", 8) for name, column in zip(display.columns, columns, strict=True)]
    rows = [" & ".join(_row(cells, columns, narrow)) + r" \\" for cells in display.to_numpy().tolist()]
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


def _row(cells: Sequence[str], columns: str, narrow: bool) -> list[str]:
    """The cells of a row as LaTeX; where they are narrow, all but the first, the row's head, are broken into lines."""
    if narrow:
        stacked = [_stacked(cell, column, "t", 9) for cell, column in zip(cells[1:], columns[1:], strict=True)]
        return [_escaped(cells[0]), *stacked]
    return [_escaped(cell) for cell in cells]


def _escaped(cell: str) -> str:
    text = escape.latex(cell)
    return rf"\textbf{{{text}}}" if isinstance(cell, Bold) else text


def _stacked(text: str, column: str, align: str, least: int) -> str:
    """A cell in several lines, as narrow as its longest word: unbroken cells make the table wider than a page.

    Args:
        text: of the cell.
        column: how its lines are aligned, ``l`` or ``r``.
        align: which of its lines stands in the row's line, ``t`` (first) or ``b`` (last).
        least: how many characters a line may have in any case.
    """
    lines = textwrap.wrap(text, max([least, *map(len, text.split())]), break_on_hyphens=False)
    inner = r" \\ ".join(escape.latex(line) for line in lines)
    return rf"\begin{{tabular}}[{align}]{{@{{}}{column}@{{}}}}{inner}\end{{tabular}}"
