"""A paper's tables of finished experiments: each as csv, markdown and LaTeX, and all of them as one document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.report.tables import escape
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
from oracle.report.tables.table import AT_LEAST, AT_MOST, Bold, known, latex, markdown, write_texts
from oracle.study.durable import make_requested_folder

ROWS = 36  # of a LaTeX table: what a page holds
DOCUMENT = r"""\documentclass[a4paper,landscape]{article}
\usepackage[margin=15mm]{geometry}
\usepackage{booktabs}
\setlength{\belowcaptionskip}{4pt}
\begin{document}
%s\end{document}
"""


@dataclass(frozen=True)
class Finished:
    """What the finished runs of one experiment gave.

    label      for captions, any text
    slug       begins the names of its files
    policies, costs, layers  frames as :mod:`oracle.report.tables.paper_table` describes them; no layers: an empty frame
    comparison  as ``oracle.analysis.comparison.comparison_table`` gives it
    published  figures of others (see oracle.report.tables.published), or None
    chosen_on  the part of the data on which epoch and max_lr were chosen
    """

    label: str
    slug: str
    policies: pd.DataFrame
    comparison: pd.DataFrame
    costs: pd.DataFrame
    layers: pd.DataFrame
    published: pd.DataFrame | None = None
    chosen_on: str = "validation"


@dataclass(frozen=True)
class Table:
    """One table: all columns for csv, strings for markdown and LaTeX, and lines to stand below these."""

    name: str
    caption: str
    all_columns: pd.DataFrame
    display: pd.DataFrame
    notes: tuple[str, ...] = ()
    narrow: bool = False

    @property
    def markdown(self) -> str:
        """Caption, table, a line a note."""
        notes = "".join(f"\n{escape.markdown(note)}\n" for note in self.notes)
        return f"{escape.markdown(self.caption)}\n\n{markdown(self.display)}{notes}"

    @property
    def latex(self) -> str:
        """One LaTeX table or, where a page can't hold all rows, several; a rule above the Oracle."""
        parts = [self.display.iloc[start : start + ROWS] for start in range(0, len(self.display), ROWS)]
        captions = [self.caption, *[f"{self.caption} (continued)"] * len(parts)]
        return "\n".join(
            latex(part, caption, self.notes, _above_oracle(part), self.narrow)
            for part, caption in zip(parts or [self.display], captions, strict=False)
        )


def paper_of(findings: Sequence[Results], published: Sequence[Path] = ()) -> list[Finished]:
    """The finished experiments, each with the published figures that name it; raises InputError for an odd file of these."""
    policies = {one.experiment.name: one.policies for one in findings}
    figures: dict[str, list[pd.DataFrame]] = {}
    for path in published:
        name, rows = read_published(path, policies)
        figures.setdefault(name, []).append(rows)
    return [
        Finished(
            label=one.experiment.title,
            slug=(name := one.experiment.name),
            policies=one.policies,
            comparison=one.comparison,
            costs=one.costs[one.costs.who != "all"],
            layers=one.layers,
            published=pd.concat(figures[name], ignore_index=True) if name in figures else None,
            chosen_on=one.experiment.chosen_on,
        )
        for one in findings
    ]


def _above_oracle(display: pd.DataFrame) -> int | None:
    first = list(display.iloc[:, 0])
    return first.index(REFERENCE_ROW) if REFERENCE_ROW in first[1:] else None


def write_tables(experiments: Sequence[Finished], folder: Path, cycles: Sequence[int] | None = None) -> list[Path]:
    """Write SLUG-accuracy, -final-accuracy, -oracle, -cost and -layers, each as .csv (every cycle, full precision), .md and
    .tex, and tables.md and tables.tex with all of them; the paths.

    tables.tex compiles on its own (it needs booktabs and geometry), the others within a document that uses booktabs.
    cycles: those that .md and .tex show, where an experiment has them; by default at most 8, spread evenly. Raises
    InputError where two slugs are one or no experiment has such a cycle. The same frames give the same bytes.
    """
    slugs = [experiment.slug for experiment in experiments]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise InputError(f"{slug}: names two experiments; different names are allowed")
    _check(cycles, experiments)
    make_requested_folder(folder)
    paths, md, tex = [], ["# Tables\n"], []
    for experiment in experiments:
        md.append(f"## {escape.markdown(experiment.label)}\n")
        for table in tables(experiment, cycles):
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


def tables(experiment: Finished, cycles: Sequence[int] | None = None) -> Iterator[Table]:
    """The tables of one experiment; that of the layers only where these are known."""
    policies, published, label = experiment.policies, experiment.published, experiment.label
    has = set(policies.cycle)
    shown = accuracy_cycles(policies, published) if cycles is None else [cycle for cycle in cycles if cycle in has]
    weights = f"by weights remaining: {label}"
    final = ["policy", "cycle", "weights_remaining", "max_lr", "seeds", "final_test", "final_test_std", "diverged"]
    every = policies if published is None else pd.concat([policies.assign(source=""), _as_policies(published)])
    for name, epoch, at, frame, others in (
        ("accuracy", "chosen", f"at the epoch chosen on {experiment.chosen_on}", every, published),
        ("final-accuracy", "final", "at the final epoch", policies[final], None),
    ):
        display = accuracy_table(policies, shown, others, epoch)
        caption = f"Test accuracy (%) {at}, {weights} ({_seeds(policies)})"
        yield Table(name, caption, frame, display, _accuracy_notes(display, others))

    by_cycle = None if cycles is None else shown
    comparison = experiment.comparison
    yield Table(
        "oracle",
        f"The Oracle's optimal interval of max_lr, and SILO, {weights}",
        comparison,
        oracle_by_cycle(comparison, by_cycle),
        _oracle_notes(comparison),
        narrow=True,
    )
    yield Table("cost", f"Cost: {label}", priced_costs(experiment.costs), cost_table(experiment.costs))
    if len(experiment.layers):
        caption = f"Weights alive (%) in each layer of SILO's network, mean over the seeds, {weights}"
        yield Table("layers", caption, experiment.layers, layers_table(experiment.layers, cycles=by_cycle))


def _check(cycles: Sequence[int] | None, experiments: Sequence[Finished]) -> None:
    recorded = {int(cycle) for experiment in experiments for cycle in experiment.policies.cycle}
    for cycle in cycles or ():
        if cycle not in recorded:
            raise InputError(f"cycles: {cycle}: allowed: {', '.join(map(str, sorted(recorded)))}")


def _as_policies(published: pd.DataFrame) -> pd.DataFrame:
    return published.assign(policy=published.policy + " (published)")


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
    return (*notes, *([] if published is None else source_notes(published)))


def _oracle_notes(comparison: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    if not comparison.informative.all():
        notes.append("Brackets: the cycle is uninformative and counts for no verdict.")
    if (comparison.open_low | comparison.open_high).any():
        notes.append(f"{AT_MOST}, {AT_LEAST}: open, as nothing beyond was tried.")
    if known(noise := comparison.noise.max()):
        notes.append(f"Seeds differ: a difference of two grid values has a standard error of {noise:.2g} points.")
    return tuple(notes)
