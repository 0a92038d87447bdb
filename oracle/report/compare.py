"""Several runs as one page: Markdown with its tables as csv and its figures, and a short text for the screen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from oracle.analysis.compare import Comparison, Note
from oracle.error import InputError
from oracle.plain_text import Quoted
from oracle.report.figures.compare import plot_accuracies, plot_growth, plot_optima
from oracle.report.figures.style import ENDINGS, save
from oracle.report.tables import compare as tables
from oracle.report.tables import escape
from oracle.report.tables.format import MISSING, Bold
from oracle.report.tables.markdown import markdown
from oracle.report.tables.paper_table import REDUCED
from oracle.report.tables.write import csv_text
from oracle.report.text import plain
from oracle.study.beside import strangers, written_beside

HEAD = "# Runs compared: "
MAX_NAMED = 6  # fields in a sentence; all stand in the table
FIGURES = ("optima", "growth", "accuracy")
FILES = {"compare.md", *(f"{name}.csv" for name in ("differences", "verdicts", *FIGURES))}
FILES |= {f"{name}.{ending}" for name in FIGURES for ending in ENDINGS}


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write compare.md, its tables as csv, and its figures into a folder; the same runs give the same bytes.

    Raises:
        InputError: where the folder holds anything but an older comparison, or can't be made.
        OSError: where it can't be written; an older comparison stands then.
    """
    if folder.exists():
        _check_comparison(folder)
    with written_beside(folder, FILES) as new:
        new.mkdir()
        for name, frame in _frames(comparison).items():
            (new / f"{name}.csv").write_text(csv_text(frame), encoding="utf-8", newline="\n")
        _save_figures(comparison, new)
        (new / "compare.md").write_text(comparison_text(comparison), encoding="utf-8")


def _check_comparison(folder: Path) -> None:
    """Only what an earlier comparison wrote may be replaced: nobody else's file goes."""
    page = folder / "compare.md"
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if (
        folder.is_dir()
        and not strangers(folder, FILES)
        and page.is_file()
        and page.read_bytes().startswith(HEAD.encode())
    ):
        return
    raise InputError(f"{folder} must be a new or empty folder, or that of an older comparison, got something else")


def _frames(comparison: Comparison) -> dict[str, pd.DataFrame]:
    differences = comparison.differences
    rows = [
        (one.field, one in differences.stretched, run.label, value)
        for one in (*differences.fields, *differences.stretched)
        for run, value in zip(comparison.runs, one.values, strict=True)
    ]
    return {
        "differences": pd.DataFrame(rows, columns=["field", "stretched", "run", "value"]),
        "verdicts": comparison.verdicts,
        "optima": comparison.optima,
        "growth": comparison.growth,
        "accuracy": comparison.accuracy,
    }


def _save_figures(comparison: Comparison, folder: Path) -> None:
    paths = {run.label: run.results.findings.path for run in comparison.runs}
    grid = [value for run in comparison.runs for value in run.results.experiment.oracle.grid.values()]
    save(plot_optima(comparison.optima, paths, grid), folder, "optima")
    save(plot_growth(comparison.growth), folder, "growth")
    save(plot_accuracies(comparison.accuracy, tables.policies_of(comparison)), folder, "accuracy")


def difference_text(comparison: Comparison, code: Callable[[str], str] = str) -> str:
    """Return in what the experiments differ, in a sentence; the values of several fields stand in a table.

    Args:
        comparison: of the runs.
        code: how a field and its values are marked up.
    """
    fields = comparison.differences.fields
    if not fields:
        return "The experiments don't differ in anything that changes numbers."
    if len(fields) == 1:
        return f"The experiments differ in one thing: {code(str(fields[0]))}."
    names = ", ".join(code(one.field) for one in fields[:MAX_NAMED])
    if len(fields) > MAX_NAMED:
        names += f" and {len(fields) - MAX_NAMED} more"
    one = comparison.differences.main
    main = f" Their trainings differ in one: {code(str(one))}." if one is not None else ""
    return (
        f"The experiments differ in {len(fields)} things, so that what differs between the runs can't be put down to "
        f"one of them: {names}.{main}"
    )


def stretched_text(comparison: Comparison, code: Callable[[str], str] = str) -> str:
    """Return what differs as the epochs do, in a sentence; empty where nothing does; arguments as :func:`difference_text`."""
    stretched = comparison.differences.stretched
    texts = "; ".join(code(str(one)) for one in stretched)
    return f"As shares of a cycle's epochs these are the same, and no difference: {texts}." if stretched else ""


def screen_text(comparison: Comparison) -> str:
    """Return the differences and the verdicts side by side, for a screen: a block a claim, a line a run."""
    width = max(len(run.label) for run in comparison.runs)
    lines = [difference_text(comparison)]
    if stretched := stretched_text(comparison):
        lines.append(stretched)
    for verdicts in zip(*(run.results.verdicts for run in comparison.runs), strict=True):
        name = tables.estimated(comparison, verdicts[0].claim)
        lines += ["", verdicts[0].claim + (f" ({name})" if name else "")]
        for run, verdict in zip(comparison.runs, verdicts, strict=True):
            estimate = tables.estimate_text(verdict.quantities, name)
            shown = "" if estimate == MISSING else f"  {estimate}"
            lines.append(f"  {run.label:{width}}  {verdict.judgement!s:9}{shown}".rstrip())
    if len(beside := tables.beside_table(comparison)):
        lines += ["", f"Growth along SILO's curve, as a multiple of that of {comparison.base.label}"]
        lines += [f"  {row[0]:{width}}  {row[1]}" for row in beside.itertuples(index=False)]
    if comparison.notes:
        lines += ["", *(f"Note: {replace(note, text=plain(note.text))}" for note in comparison.notes)]
    return "\n".join(lines)


def comparison_text(comparison: Comparison) -> str:
    """Return the page of a comparison, as Markdown."""
    labels = ", ".join(run.label for run in comparison.runs)
    lines = [
        f"{HEAD}{escape.markdown(labels)}",
        "",
        difference_text(comparison, escape.markdown_code),
        *_paragraph(stretched_text(comparison, escape.markdown_code)),
        "",
        *_notes(comparison.notes),
        markdown(tables.runs_table(comparison)),
        *_differences(comparison),
        "## Verdicts",
        "",
        "Each on its own experiment, with its estimate and interval; what is behind them is in each run's report.",
        "",
        markdown(tables.verdicts_table(comparison)),
        *_optima(comparison),
        *_accuracies(comparison),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _paragraph(text: str) -> list[str]:
    return ["", text] if text else []


def _notes(notes: Sequence[Note]) -> list[str]:
    lines = []
    for note in notes:
        text = escape.markdown(note.text) if isinstance(note.text, Quoted) else note.text
        lines.append(f"- {escape.markdown(note.run)}: {text}" if note.run else f"- {text}")
    return [*lines, ""] if lines else []


def _differences(comparison: Comparison) -> list[str]:
    table = tables.differences_table(comparison)
    if table.empty:
        return []
    about = (
        "As recorded; names, labels, where equal data lies, what computes, and how parameters were chosen are left out."
    )
    return ["## In what the experiments differ", "", about, "", markdown(table)]


def _optima(comparison: Comparison) -> list[str]:
    return [
        "## The best max_lr",
        "",
        "Growth: the factor by which the optimum grows along the run's own SILO curve, over its judged cycles. "
        "Exponent: a of max_lr ~ density^-a, which goes by the weights remaining alone. "
        "Each with its interval; any: nothing bounds it.",
        "",
        markdown(tables.growth_table(comparison)),
        *_beside(comparison),
        "![growth of the optimum by run](growth.png)",
        "",
        f"Optimum of the response curve, and a band that holds all optima of the run at once, {_at_sparsities(comparison)}:",
        "",
        markdown(tables.optima_table(comparison)),
        "![optimum by weights remaining](optima.png)",
        "",
    ]


def _beside(comparison: Comparison) -> list[str]:
    table = tables.beside_table(comparison)
    if table.empty:
        return []
    return [
        f"Growth as a multiple of that of {escape.markdown(comparison.base.label)}, where it can be told. An interval that "
        "leaves out x1 shows a difference. The runs are taken as independent; where they share trainings, it is too wide.",
        "",
        markdown(table),
    ]


def _accuracies(comparison: Comparison) -> list[str]:
    table = tables.accuracies_table(comparison)
    cells = table.to_numpy().ravel()
    sentences = [
        "Test accuracy (%) at the chosen epoch, mean ± standard deviation over the run's seeds, "
        f"{_at_sparsities(comparison)}."
    ]
    if any(isinstance(cell, Bold) for cell in cells):
        sentences.append("Bold: the best policy of its run and column.")
    if any(cell.endswith(REDUCED) for cell in cells):
        sentences.append(f"{REDUCED}: not over all seeds.")
    return [
        "## Accuracy",
        "",
        " ".join(sentences),
        "",
        markdown(table),
        "![accuracy of every policy by run](accuracy.png)",
        "",
        "Each figure lies beside this page as PDF and SVG, too.",
    ]


def _at_sparsities(comparison: Comparison) -> str:
    _, within = tables.sparsities(comparison)
    return f"by weights remaining (in the run's nearest cycle, which has them to within {within:.0%})"
