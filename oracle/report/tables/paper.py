"""A paper's tables of finished experiments: each as csv, markdown and LaTeX, and all of them as one document."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from oracle.analysis.policies import open_search_notes
from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.report.tables import escape
from oracle.report.tables.format import AT_LEAST, AT_MOST, Bold, known
from oracle.report.tables.latex import latex
from oracle.report.tables.markdown import markdown
from oracle.report.tables.paper_table import (
    REDUCED,
    REFERENCE_ROW,
    accuracy_cycles,
    accuracy_table,
    cost_table,
    layers_table,
    oracle_by_cycle,
    priced_costs,
    source_notes,
)
from oracle.report.tables.published import read_published
from oracle.report.tables.size import size_notes, size_table
from oracle.report.tables.write import write_texts
from oracle.study.beside import written_beside

MAX_ROWS = 36  # so many rows of a LaTeX table fit on a page
DOCUMENT = r"""\documentclass[a4paper,landscape]{article}
\usepackage[margin=15mm]{geometry}
\usepackage{booktabs}
\setlength{\belowcaptionskip}{4pt}
\begin{document}
%s\end{document}
"""


@dataclass(frozen=True)
class FinishedExperiment:
    """What the tables of a paper need to know of one experiment.

    Attributes:
        label: for captions, any text.
        slug: begins the names of its files.
        policies: accuracies by policy and cycle, as :func:`oracle.report.tables.paper_table.accuracy_table` takes them.
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
        costs: as :func:`oracle.report.tables.paper_table.cost_table` takes them.
        layers: as :func:`oracle.report.tables.paper_table.layers_table` takes them; empty where none are known.
        sizes: as :func:`oracle.report.tables.paper_table.size_table` takes them.
        published: figures of others, as :func:`oracle.report.tables.published.read_published` returns them, or None.
        chosen_on: the part of the data on which epoch and max_lr were chosen.
        noise: the largest of the cycles' standard deviations of one training, in points; NaN: unknown.
        remarks: on the policies' accuracies, a sentence each.
    """

    label: str
    slug: str
    policies: pd.DataFrame
    comparison: pd.DataFrame
    costs: pd.DataFrame
    layers: pd.DataFrame
    sizes: pd.DataFrame
    published: pd.DataFrame | None = None
    chosen_on: str = "validation"
    noise: float = math.nan
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of a paper.

    Attributes:
        name: ends the names of its files.
        caption: stands above it, any text.
        all_columns: what its csv holds.
        display: what its markdown and LaTeX show, as strings.
        notes: lines below it in markdown and LaTeX, any text.
        narrow: whether its cells are broken into lines in LaTeX.
    """

    name: str
    caption: str
    all_columns: pd.DataFrame
    display: pd.DataFrame
    notes: tuple[str, ...] = ()
    narrow: bool = False

    @property
    def markdown(self) -> str:
        """The caption, the table, and a line for each note."""
        notes = "".join(f"\n{escape.markdown(note)}\n" for note in self.notes)
        return f"{escape.markdown(self.caption)}\n\n{markdown(self.display)}{notes}"

    @property
    def latex(self) -> str:
        """One LaTeX table or, where a page can't hold all rows, several; a rule above the Oracle."""
        parts = [self.display.iloc[start : start + MAX_ROWS] for start in range(0, len(self.display), MAX_ROWS)]
        captions = [self.caption, *(f"{self.caption} (continued)" for _ in parts)]
        return "\n".join(
            latex(part, caption, self.notes, _oracle_row(part), self.narrow)
            for part, caption in zip(parts or [self.display], captions, strict=False)
        )


def finished_experiments(results: Sequence[Results], published: Sequence[Path] = ()) -> list[FinishedExperiment]:
    """What the tables of a paper need to know of each experiment.

    Args:
        results: one for each experiment.
        published: files of published figures (see :mod:`oracle.report.tables.published`), each of one of the experiments.

    Raises:
        InputError: a file of published figures can't be read, or something in it is wrong.
    """
    policies = {result.experiment.name: result.policies for result in results}
    figures: dict[str, list[pd.DataFrame]] = {}
    for path in published:
        name, rows = read_published(path, policies)
        figures.setdefault(name, []).append(rows)
    return [_finished_experiment(result, figures.get(result.experiment.name, [])) for result in results]


def _finished_experiment(result: Results, published: Sequence[pd.DataFrame]) -> FinishedExperiment:
    return FinishedExperiment(
        label=result.experiment.title,
        slug=result.experiment.name,
        policies=result.policies,
        comparison=result.comparison,
        costs=result.costs[result.costs.who != "all"],
        layers=result.layers,
        sizes=result.sizes,
        published=pd.concat(published, ignore_index=True) if published else None,
        chosen_on=result.experiment.chosen_on,
        noise=float(result.optima.noise.max()),
        remarks=tuple(open_search_notes(result.policies, result.experiment)),
    )


def write_tables(
    experiments: Sequence[FinishedExperiment], folder: Path, cycles: Sequence[int] | None = None
) -> list[Path]:
    """Write every table of every experiment, and all of them as one document; the same frames give the same bytes.

    The tables are SLUG-accuracy, -final-accuracy, -oracle, -cost, -size and -layers, each as .csv (every cycle, full
    precision), .md and .tex; the documents tables.md and tables.tex. tables.tex compiles on its own (it needs booktabs and
    geometry), the others within a document that uses booktabs.

    Args:
        experiments: with different slugs.
        folder: where to; it is made where it is missing.
        cycles: those that .md and .tex show, where an experiment has them; by default at most 8, spread evenly.

    Returns:
        The paths, those of the documents last.

    Raises:
        InputError: two slugs are one, no experiment has such a cycle, or the folder can't be made.
    """
    _check(experiments, cycles)
    with written_beside(folder) as new:
        new.mkdir()
        paths = _write_all(experiments, new, cycles)
    return [folder / path.name for path in paths]


def _write_all(experiments: Sequence[FinishedExperiment], folder: Path, cycles: Sequence[int] | None) -> list[Path]:
    paths, md, tex = [], ["# Tables\n"], []
    for experiment in experiments:
        md.append(f"## {escape.markdown(experiment.label)}\n")
        for table in paper_tables(experiment, cycles):
            name = f"{experiment.slug}-{table.name}"
            paths += write_texts(table.all_columns, table.markdown, table.latex, folder, name)
            md.append(table.markdown)
            tex.append(table.latex)
        tex.append("\\clearpage\n")  # LaTeX can't hold the tables of many experiments back
    documents = {"tables.md": "\n".join(md), "tables.tex": DOCUMENT % "\n".join(tex)}
    for name, text in documents.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8", newline="\n")
    return paths


def _check(experiments: Sequence[FinishedExperiment], cycles: Sequence[int] | None) -> None:
    slugs = [experiment.slug for experiment in experiments]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise InputError(
                f"experiments must have different names, got {slug} twice; `silo-oracle run` with --set name=... gives another"
            )
    recorded = {int(cycle) for experiment in experiments for cycle in experiment.policies.cycle}
    for cycle in cycles or ():
        if cycle not in recorded:
            raise InputError(f"cycles must be of {', '.join(map(str, sorted(recorded)))}, got {cycle}")


def paper_tables(experiment: FinishedExperiment, cycles: Sequence[int] | None = None) -> Iterator[Table]:
    """The tables of one experiment: accuracy, final-accuracy, oracle, cost, size and, where these are known, layers.

    Args:
        experiment: what they show.
        cycles: those that markdown and LaTeX show, where the experiment has them; by default at most 8, spread evenly.
    """
    if cycles is not None:
        recorded = set(experiment.policies.cycle)
        cycles = [cycle for cycle in cycles if cycle in recorded]
    weights = f"by weights remaining: {experiment.label}"
    yield from _accuracy_tables(experiment, cycles, weights)
    comparison = experiment.comparison
    yield Table(
        "oracle",
        f"The Oracle's optimal interval of max_lr, and SILO, {weights}",
        comparison,
        oracle_by_cycle(comparison, cycles),
        _oracle_notes(comparison, experiment.noise),
        narrow=True,
    )
    costs = experiment.costs
    yield Table("cost", f"Cost: {experiment.label}", priced_costs(costs), cost_table(costs))
    sizes = experiment.sizes
    caption = f"Weights alive, and FLOPs of one forward pass of one sample, {weights}"
    yield Table("size", caption, sizes, size_table(sizes, cycles), size_notes(sizes))
    if len(experiment.layers):
        caption = f"Weights alive (%) in each layer of SILO's network, mean over the seeds, {weights}"
        yield Table("layers", caption, experiment.layers, layers_table(experiment.layers, cycles=cycles))


def _accuracy_tables(experiment: FinishedExperiment, cycles: Sequence[int] | None, weights: str) -> Iterator[Table]:
    """The accuracies at the chosen epoch, beside published ones, and at the final epoch."""
    policies, published = experiment.policies, experiment.published
    shown = accuracy_cycles(policies, published) if cycles is None else cycles
    seeds = _seeds(policies)

    display = accuracy_table(policies, shown, published, "chosen")
    notes = (*_accuracy_notes(display, published), *experiment.remarks)
    caption = f"Test accuracy (%) at the epoch chosen on {experiment.chosen_on}, {weights} ({seeds})"
    yield Table("accuracy", caption, _with_published(policies, published), display, notes)

    display = accuracy_table(policies, shown, None, "final")
    notes = (*_accuracy_notes(display, None), *experiment.remarks)
    caption = f"Test accuracy (%) at the final epoch, {weights} ({seeds})"
    columns = ["policy", "cycle", "weights_remaining", "max_lr", "seeds", "final_test", "final_test_std", "diverged"]
    yield Table("final-accuracy", caption, policies[columns], display, notes)


def _with_published(policies: pd.DataFrame, published: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of the policies and, where there are published figures, theirs below, with a column source."""
    if published is None:
        return policies
    return pd.concat([policies.assign(source=""), published.assign(policy=published.policy + " (published)")])


def _oracle_row(display: pd.DataFrame) -> int | None:
    """The index of the Oracle's row, unless it is the first."""
    first_column = list(display.iloc[:, 0])
    return first_column.index(REFERENCE_ROW) if REFERENCE_ROW in first_column[1:] else None


def _seeds(policies: pd.DataFrame) -> str:
    most = policies.seeds.fillna(0).max()
    return f"mean ± standard deviation over {most} seeds" if most > 1 else "one seed"


def _accuracy_notes(display: pd.DataFrame, published: pd.DataFrame | None) -> tuple[str, ...]:
    cells = [cell for row in display.to_numpy() for cell in row[1:]]
    notes = []
    if any(isinstance(cell, Bold) for cell in cells):
        notes.append("Bold: the best policy of its column.")
    if any(cell.endswith(REDUCED) for cell in cells):
        notes.append(f"{REDUCED} not over all seeds, as some diverged, are missing or were not tried: not compared.")
    if published is not None:
        notes += source_notes(published)
    return tuple(notes)


def _oracle_notes(comparison: pd.DataFrame, noise: float) -> tuple[str, ...]:
    notes = []
    if not comparison.informative.all():
        notes.append("Brackets: the cycle is uninformative and counts for no verdict.")
    if (comparison.open_low | comparison.open_high).any():
        notes.append(f"{AT_MOST}, {AT_LEAST}: open, as nothing beyond was tried.")
    if known(noise):
        notes.append(f"Seeds differ: one training's accuracy has a standard deviation of up to {noise:.2g} points.")
    return tuple(notes)
