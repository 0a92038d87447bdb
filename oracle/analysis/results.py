"""Results: everything that a report, a table, a fit or an export needs to know of a study."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from oracle.analysis.cells import cells_table, layers_table, sizes_table, skipped_table
from oracle.analysis.claims.verdict import Verdict
from oracle.analysis.comparison import comparison_table
from oracle.analysis.cost import costs_table
from oracle.analysis.findings import Findings, judge, losses_table, optima_table
from oracle.analysis.policies import policies_table, policy_scores
from oracle.analysis.published_files import (
    read_cells,
    read_costs,
    read_environments,
    read_layers,
    read_sizes,
    read_skipped,
    read_study,
)
from oracle.error import InputError
from oracle.experiment.spec import Experiment
from oracle.plain_text import Quoted, one_line
from oracle.plan.counts import StatusCounts
from oracle.plan.snapshot import Snapshot
from oracle.plan.steps import Blocked
from oracle.study.data_info import DataInfo
from oracle.study.environment import mixture
from oracle.study.record import Record, Status
from oracle.study.store import Store
from oracle.study.study import open_study
from silo.outcome import Epoch


@dataclass(frozen=True)
class Results:
    """What the records of a study say.

    Attributes:
        experiment: the validated file.
        data: what is known of its data.
        origin: the experiment file and overrides, as they were given to the command line; empty: it ran in Python.
        cells: every finished training (oracle.analysis.cells.cells_table).
        skipped: what the Oracle's search didn't try (skipped_table).
        comparison: the Oracle against SILO by cycle (comparison_table).
        findings: what the verdicts go by: accuracies and response curves (oracle.analysis.findings.Findings).
        optima: where the curves have their optimum (optima_table there).
        losses: what SILO and the best constant lose in each cycle (losses_table there).
        policies: every policy by cycle (policies_table).
        layers: how many weights each layer kept (layers_table).
        sizes: alive weights and FLOPs of each policy's networks (sizes_table).
        costs: what each policy cost (costs_table).
        verdicts: on claims 1, 2, 3 and the rival.
        counts: how many trainings are how far.
        blocked: trajectories that can't go on.
        environments: those that records were made in, each with how many trainings ("trainings").
        notes: what is missing, failed, blocked or mixed, a sentence each.
    """

    experiment: Experiment
    data: DataInfo
    origin: str
    cells: pd.DataFrame
    skipped: pd.DataFrame
    comparison: pd.DataFrame
    findings: Findings
    optima: pd.DataFrame
    losses: pd.DataFrame
    policies: pd.DataFrame
    layers: pd.DataFrame
    sizes: pd.DataFrame
    costs: pd.DataFrame
    verdicts: Sequence[Verdict]
    counts: StatusCounts
    blocked: Sequence[Blocked]
    environments: Sequence[Mapping[str, Any]]
    notes: Sequence[str]
    _store: Store | None = field(default=None, repr=False, compare=False)

    @property
    def made_by(self) -> str:
        """What the trainings were made by: a command line, or the function of Python."""
        return f"silo-oracle run {self.origin}" if self.origin else "oracle.run"

    def curve(self, cell_id: str) -> Sequence[Epoch]:
        """Return what was measured after every epoch of a training; empty where the run folder, which alone holds it, isn't at
        hand, or the training failed.
        """
        record = None if self._store is None else self._store.whole_record(cell_id)
        return () if record is None else record.outcome.curve


def load_results(folder: Path) -> Results:
    """Return the results of a run folder, or of what `publish` made of one; writes nothing.

    Raises:
        InputError: for any other folder, or where a record can't be trusted.
    """
    if (folder / "study.json").exists():
        study = open_study(folder)
        return analyze(Snapshot.take(study), study.store)
    return _published(folder)


def analyze(snapshot: Snapshot, store: Store | None = None) -> Results:
    """Return everything that follows from a snapshot.

    Args:
        snapshot: of the study.
        store: its run folder, which holds the curves by epoch; None: they aren't wanted.
    """
    records = snapshot.records
    cells = cells_table(snapshot.trainings)
    counts = snapshot.counts()
    results = analyze_cells(
        snapshot.experiment,
        snapshot.data,
        cells,
        skipped_table(snapshot.skipped),
        layers_table(cells, {record.id: record.layers for record in records}, snapshot.experiment),
        sizes_table(cells, {record.id: record.flops for record in records}, snapshot.experiment),
        costs_table(cells, snapshot.experiment, {record.id: record.seconds for record in records}),
    )
    return replace(
        results,
        origin=snapshot.origin,
        counts=counts,
        blocked=snapshot.blocked,
        environments=_environments(records),
        notes=_notes(counts, snapshot.blocked, records),
        _store=store,
    )


def analyze_cells(
    experiment: Experiment,
    data: DataInfo,
    cells: pd.DataFrame,
    skipped: pd.DataFrame,
    layers: pd.DataFrame,
    sizes: pd.DataFrame,
    costs: pd.DataFrame,
) -> Results:
    """Return everything that follows from the table of cells; origin, environments and notes are empty.

    Args:
        experiment: the validated file.
        data: its chance level and image counts.
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        skipped: as ``skipped_table`` there makes it.
        layers: as ``layers_table`` there makes it.
        sizes: as ``sizes_table`` there makes it.
        costs: as ``oracle.analysis.cost.costs_table`` makes it.
    """
    comparison = comparison_table(cells, experiment, data, skipped)
    scores = policy_scores(cells, experiment, data.chance)
    findings = Findings.of(cells, comparison, skipped, experiment, data)
    return Results(
        experiment=experiment,
        data=data,
        origin="",
        cells=cells,
        skipped=skipped,
        comparison=comparison,
        findings=findings,
        optima=optima_table(findings, findings.level),
        losses=losses_table(findings, findings.level),
        policies=policies_table(scores, comparison, experiment),
        layers=layers,
        sizes=sizes,
        costs=costs,
        verdicts=judge(findings, comparison, scores, experiment, data),
        counts=_counts(cells, experiment),
        blocked=(),
        environments=(),
        notes=(),
    )


def _published(folder: Path) -> Results:
    expected = "a run folder, or one that `silo-oracle publish` made"
    if not (folder / "experiment.json").exists():
        found = "a folder without a study" if folder.is_dir() else "no folder" if not folder.exists() else "a file"
        raise InputError(f"{folder} must be {expected}, got {found}")
    experiment, data, origin = read_study(folder / "experiment.json")
    searched = not experiment.oracle.search.is_exhaustive
    try:
        cells = read_cells(folder / "cells.csv", experiment.prune.cycles)
        sizes = folder / "size.csv"  # which older versions did not publish
        results = analyze_cells(
            experiment,
            data,
            cells,
            read_skipped(folder / "skipped.csv") if searched else skipped_table([]),
            read_layers(folder / "layers.csv"),
            read_sizes(sizes) if sizes.exists() else sizes_table(cells, {}, experiment),
            read_costs(folder / "cost.csv"),
        )
        environments = [_plain(one) for one in read_environments(folder / "environment.json")]
        return replace(results, origin=origin, environments=environments)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:  # of tables that don't fit
        reason = " ".join(str(error).split())
        raise InputError(f"{folder} must be {expected}, got one of another version, or damaged: {reason}") from error


def _counts(cells: pd.DataFrame, experiment: Experiment) -> StatusCounts:
    """How many finished trainings are how far, where nothing else is known."""
    counts = StatusCounts.empty(experiment.prune.cycles, {})
    for (cycle, status), number in cells.groupby(["cycle", "status"]).size().items():
        counts.by_cycle[cycle][Status(status)] += number
    return counts


def _environments(records: Sequence[Record]) -> list[dict[str, Any]]:
    made = Counter(json.dumps(record.environment, sort_keys=True) for record in records)
    return [{**_plain(json.loads(environment)), "trainings": number} for environment, number in sorted(made.items())]


def _plain(environment: Mapping[str, Any]) -> dict[str, Any]:
    """An environment whose texts can be shown."""
    return {one_line(name): one_line(value) if isinstance(value, str) else value for name, value in environment.items()}


def _notes(counts: StatusCounts, blocked: Sequence[Blocked], records: Sequence[Record]) -> list[str]:
    notes = []
    if counts.missing:
        notes.append(
            f"{counts.missing} of {counts.total} trainings are not recorded yet; `silo-oracle run` trains them."
        )
    if counts.failed:
        several = "s" if counts.failed > 1 else ""
        notes.append(f"{counts.failed} training{several} failed; `silo-oracle run --retry-failed` tries again.")
    notes += [
        Quoted(f"{one.trajectory} is blocked from cycle {one.cycle} on: {one.reason.rstrip('.')}.") for one in blocked
    ]
    if mixed := mixture(records):
        notes.append(Quoted(mixed))
    return notes
