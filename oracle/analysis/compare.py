"""Several runs side by side: in what they differ, where their optima lie, how these grow, their verdicts and accuracies."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oracle.analysis.claims.verdict import in_sample
from oracle.analysis.compared_growth import beside, growth_of
from oracle.analysis.differences import BASELINES, Difference, Differences, find_differences
from oracle.analysis.findings import verdicts_table
from oracle.analysis.results import Results, load_results
from oracle.error import InputError
from oracle.experiment.redaction import redact
from oracle.plain_text import Quoted, one_line

LONGEST_LABEL = 40
SAME = 1e-6  # points: accuracies that a csv was between differ by less
OPTIMA_COLUMNS = ["cycle", "weights_remaining", "optimum", "low", "high", "silo_max_lr"]
ORACLE_COLUMNS = ["best_max_lr", "interval_low", "interval_high", "open_low", "open_high", "informative"]


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """One of the runs.

    Attributes:
        label: of its rows and lines: what it differs in, else its name; no two runs have the same.
        source: the folder that it was read from, as others may see it.
        results: what its records say.
    """

    label: str
    source: str
    results: Results


@dataclass(frozen=True)
class Note:
    """A sentence on one run, or on all.

    Attributes:
        run: its label; empty: on all.
        text: the sentence; Quoted where it holds others' words.
    """

    run: str
    text: str

    def __str__(self) -> str:
        return f"{self.run}: {self.text}" if self.run else self.text


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several runs.

    Attributes:
        runs: in the order in which they were named, or of the one number in which they differ.
        differences: of their experiments.
        notes: on what can't be compared, what is missing and what differs beside the experiments, a sentence each.
        base: the run that was named first, beside which growth is compared.
    """

    runs: Sequence[ComparedRun]
    differences: Differences
    notes: Sequence[Note]
    base: ComparedRun

    @property
    def optima(self) -> pd.DataFrame:
        """One row for each run and cycle, with the columns of ``optima_table`` and of the Oracle's ``comparison_table``.

        run; cycle; weights_remaining: percent; optimum: max_lr at the optimum of the response curve; low, high: the band that
        holds all optima of the run at once (0 and infinity: unbounded; NaN: the cycle isn't judged); silo_max_lr; best_max_lr,
        interval_low, interval_high, open_low, open_high, informative: of the Oracle's grid.
        """
        return self._stacked(_optima)

    @property
    def growth(self) -> pd.DataFrame:
        """One row for each run: by which factor the optimum grows.

        run; judged: how many cycles; first_weights, last_weights: remaining in the first and last of them, percent; probability
        that each interval holds; growth: the factor along SILO's own curve, and its interval; silo_growth: the factor by which
        SILO itself grows over these cycles; exponent: a of max_lr ~ density^-a, and its interval; ratio: growth as a multiple
        of the base's, and its interval. NaN: can't be told.
        """
        base = self.base.results
        rows = [{"run": run.label, **growth_of(run.results), **beside(base, run.results)} for run in self.runs]
        return pd.DataFrame(rows)

    @property
    def verdicts(self) -> pd.DataFrame:
        """The verdicts of each run: run, and the columns of ``oracle.analysis.findings.verdicts_table``."""
        return self._stacked(lambda results: verdicts_table(results.verdicts))

    @property
    def accuracy(self) -> pd.DataFrame:
        """The accuracies of each run: run, and the columns of ``oracle.analysis.policies.policies_table``."""
        return self._stacked(lambda results: results.policies)

    def _stacked(self, table: Callable[[Results], pd.DataFrame]) -> pd.DataFrame:
        tables = [(run.label, table(run.results)) for run in self.runs]
        rows = [{"run": label, **row} for label, frame in tables for row in frame.to_dict("records")]
        return pd.DataFrame(rows, columns=["run", *tables[0][1].columns])


def load_comparison(folders: Sequence[Path]) -> Comparison:
    """Return the comparison of run folders, or of what ``publish`` made of some; writes nothing, and imports nothing.

    Raises:
        InputError: for fewer than two folders, one that is neither or has no record, and the same run twice.
    """
    if len(folders) < 2:
        raise InputError(f"DIR must be at least two folders, got {len(folders)}")
    seen: dict[Path, Path] = {}
    for folder in folders:
        place = Path(os.path.realpath(folder))  # Path.resolve raises where links go in circles
        if place in seen:
            raise InputError(f"DIR must be a different run each, got {folder}, which is {seen[place]}")
        seen[place] = folder
    results = []
    for folder in folders:
        results.append(load_results(folder))
        if results[-1].cells.empty:
            raise InputError(f"{folder} must hold a recorded training, got none; `silo-oracle run` first")
    return compare(results, [str(folder) for folder in folders])


def compare(results: Sequence[Results], sources: Sequence[str]) -> Comparison:
    """Return the comparison of results.

    Args:
        results: of two runs or more.
        sources: the folder of each.

    Raises:
        InputError: two of them are the same run.
    """
    for number, one in enumerate(results):
        for earlier in range(number):
            if _same(results[earlier], one):
                holds = "which holds the same trainings as"
                raise InputError(f"DIR must be a different run each, got {sources[number]}, {holds} {sources[earlier]}")
    differences = _differences(results)
    order = _by_number(differences, len(results))
    if order != sorted(order):
        results, sources = [results[place] for place in order], [sources[place] for place in order]
        differences = _differences(results)
    shown = [one_line(redact(source)) for source in sources]
    labels = _labels(results, shown, differences)
    runs = [ComparedRun(*run) for run in zip(labels, shown, results, strict=True)]
    return Comparison(runs, differences, _notes(runs), runs[order.index(0)])


def _differences(results: Sequence[Results]) -> Differences:
    return find_differences([one.experiment for one in results], [one.data for one in results])


def _by_number(differences: Differences, runs: int) -> list[int]:
    """The places of runs in the order of what they are labelled by, where that is a number; else as they are."""
    if differences.main is not None:
        with contextlib.suppress(ValueError):  # words
            numbers = [float(value) for value in differences.main.values]
            return sorted(range(runs), key=numbers.__getitem__)
    return list(range(runs))


def _same(one: Results, other: Results) -> bool:
    """Whether two runs are one: of one experiment, with the same trainings and accuracies."""
    differ = _differences([one, other])
    if differ.fields or differ.stretched or list(one.cells.id) != list(other.cells.id):
        return False
    accuracies = [results.cells[["validation", "test"]].to_numpy(float) for results in (one, other)]
    return bool(np.allclose(*accuracies, rtol=0, atol=SAME, equal_nan=True))


def _labels(results: Sequence[Results], sources: Sequence[str], differences: Differences) -> list[str]:
    """A label for each run: by the one thing in which they differ, else by name, else by folder; no two are the same."""
    names = [one.experiment.name for one in results]
    candidates = [names, sources, [f"{source} ({number})" for number, source in enumerate(sources, 1)]]
    if (main := differences.main) is not None:
        candidates.insert(0, [f"{_short_name(main)}: {value}" for value in main.short])
    shortened = [[_shortened(label) for label in labels] for labels in candidates]
    return next(labels for labels in shortened if len(set(labels)) == len(labels))


def _short_name(difference: Difference) -> str:
    """The end of a field's path, which says enough beside its value; a baseline's with the baseline."""
    field = difference.field
    return field.removeprefix(f"{BASELINES}.") if field.startswith(f"{BASELINES}.") else field.rpartition(".")[2]


def _shortened(label: str) -> str:
    """A label that leaves a figure room: the end of a longer one, where numbers and folders differ, is kept."""
    half = LONGEST_LABEL // 2
    return label if len(label) <= LONGEST_LABEL else f"{label[: half - 1]}…{label[-half:]}"


def _optima(results: Results) -> pd.DataFrame:
    ends = {"low": "interval_low", "high": "interval_high"}
    oracle = results.comparison.rename(columns=ends)[["cycle", "weights_remaining", "silo_max_lr", *ORACLE_COLUMNS]]
    optima = results.optima[["cycle", "optimum", "low", "high"]]
    return oracle.merge(optima, on="cycle", how="left")[[*OPTIMA_COLUMNS, *ORACLE_COLUMNS]]


def _notes(runs: Sequence[ComparedRun]) -> list[Note]:
    """What limits the comparison, and isn't in the experiments."""
    shared = []
    data = [run.results.data for run in runs]
    sizes = [(one.training_images, one.validation_images, one.test_images) for one in data]
    if len({one.digest for one in data}) > 1:
        shared.append(
            "The data isn't the same: accuracies, and losses in points, can't be compared between these runs."
        )
    elif len(set(sizes)) > 1:
        shared.append("The images are the same, but not how many of them are trained, validated and tested on.")
    if len({run.results.findings.level for run in runs}) > 1:
        shared.append("The intervals of these runs hold with different probabilities, as growth.csv says.")
    shared += [Quoted(sentence) for sentence in _environments(runs)]
    return [Note("", sentence) for sentence in shared] + [Note(run.label, text) for run in runs for text in _own(run)]


def _own(run: ComparedRun) -> list[str]:
    """What limits one run."""
    notes: list[str] = [Quoted(reason) for reason in _without_estimate(run.results)]
    if in_sample(run.results.experiment):
        notes.append("SILO's parameters were chosen on seeds that judge them (in-sample).")
    return [*notes, *run.results.notes]


def _without_estimate(results: Results) -> list[str]:
    """Why verdicts have no number, a sentence for each reason."""
    claims: dict[str, list[str]] = {}
    for verdict in results.verdicts:
        if not verdict.quantities:
            claims.setdefault(verdict.evidence, []).append(verdict.claim.split()[0].rstrip(".:").lower())
    return [f"nothing is estimated of {_claims(names)}: {reason}" for reason, names in claims.items()]


def _claims(names: Sequence[str]) -> str:
    """ "claim 2", "claims 1 and 3, and the rival"."""
    numbered = [name for name in names if name.isdecimal()]
    text = f"claim{'s' if len(numbered) > 1 else ''} {' and '.join(numbered)}" if numbered else ""
    rival = "the rival" if len(numbered) < len(names) else ""
    return ", and ".join(part for part in (text, rival) if part)


def _environments(runs: Sequence[ComparedRun]) -> list[str]:
    """What differs in the environments of the runs, a sentence each."""
    environments = [run.results.environments for run in runs]
    names = sorted({name for several in environments for one in several for name in one} - {"trainings"})
    found = {name: [_values(several, name) for several in environments] for name in names}
    return [
        f"They were trained in different environments: {name} is {' | '.join(values)}."
        for name, values in found.items()
        if len(set(values)) > 1
    ]


def _values(environments: Sequence[Any], name: str) -> str:
    return " and ".join(sorted({one_line(str(one[name])) for one in environments if name in one})) or "not recorded"
