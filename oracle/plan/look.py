"""A look at what a search has measured of all cycles at once: the very accuracies, and rules, that a report judges by."""

from collections.abc import Mapping, Sequence

import numpy as np

from oracle.experiment.spec import Experiment
from oracle.plan.search.task import SearchState, Task, Trial
from oracle.stats.informative import why_uninformative
from oracle.stats.judged import is_judgeable
from oracle.stats.measurements import Measurements
from oracle.study.data_info import DataInfo
from oracle.study.measurements import PARTS, measurements_of
from oracle.study.record import Record

Results = Mapping[int, Mapping[Trial, Record | None]]  # by cycle; None: the training failed


def measured(results: Results, experiment: Experiment, data: DataInfo) -> Measurements | None:
    """Return what the rules go by, of the informative cycles; None where it can't be judged.

    Args:
        results: all that was requested, SILO's values included, and has ended.
        experiment: whose grid, seeds and tolerance they are.
        data: its chance level and image counts.
    """
    cycles = [cycle for cycle in results if _is_informative(cycle, results[cycle], experiment, data)]
    oracle, schedule = experiment.oracle, experiment.schedule
    silo = {
        part: np.array([_row(results[cycle], schedule.max_lr(cycle), oracle.seeds, part) for cycle in cycles])
        for part in PARTS
    }
    grid = oracle.grid.values()
    candidates = {
        part: np.array([[_row(results[cycle], value, oracle.seeds, part) for value in grid] for cycle in cycles])
        for part in PARTS
    }
    density = np.array([100 * _density(results[cycle]) for cycle in cycles]) / 100  # as the table of cells has it
    found = measurements_of(candidates, silo, cycles, density, experiment, data)
    return found if found is not None and is_judgeable(found) else None


def _is_informative(cycle: int, results: Mapping[Trial, Record | None], experiment: Experiment, data: DataInfo) -> bool:
    oracle, part = experiment.oracle, experiment.chosen_on
    accuracies = {
        trial: None if record is None or record.outcome.diverged else getattr(record.outcome, part)
        for trial, record in results.items()
    }
    grid = oracle.grid.values()
    task = Task(grid, oracle.seeds, oracle.tolerance, experiment.schedule.max_lr(cycle), (), len(grid))
    state = SearchState.of(task, accuracies)
    if state.interval is None:
        return False
    images = state.counts[state.interval.best] * data.evaluated_on(part)
    failed = None in results.values()
    return not why_uninformative(state.interval, grid, data.chance, images, failed)


def _row(results: Mapping[Trial, Record | None], value: float, seeds: Sequence[int], part: str) -> list[float]:
    """Accuracies of a value by seed; NaN: no training; -inf: it diverged or failed."""
    return [_accuracy(results[trial], part) if (trial := Trial(value, seed)) in results else np.nan for seed in seeds]


def _accuracy(record: Record | None, part: str) -> float:
    return -np.inf if record is None or record.outcome.diverged else getattr(record.outcome, part)


def _density(results: Mapping[Trial, Record | None]) -> float:
    return max(record.alive / record.prunable for record in results.values() if record is not None)
