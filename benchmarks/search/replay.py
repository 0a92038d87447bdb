"""A search replayed on recorded accuracies, and how far its intervals lie from a reference's."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.search.exhaustive import Cycle, Run, index
from oracle.experiment.search import Search
from oracle.plan.search import SEARCHES
from oracle.plan.search.task import SearchState, Trial
from oracle.stats.interval import Interval

SUBSETS = 12  # pairs of halves, or orders of seeds, at most


@dataclass(frozen=True)
class Found:
    """What a search found at every cycle, and how many trainings it took, SILO's own counted."""

    intervals: list[Interval | None]
    trainings: int


@dataclass(frozen=True)
class Score:
    """cost: share of the exhaustive run's trainings; steps: mean distance of an interval's end, in grid steps; wider: by how
    many steps the interval is (negative: narrower), the mean; behind: the largest and mean loss of the value that was found
    best, in points; within: share of cycles where that is in tolerance.
    """

    cost: float
    steps: float
    wider: float
    behind_most: float
    behind: float
    within: float


def replay(run: Run, search: Search, order: Sequence[int]) -> Found:
    """All cycles one after another, each begun with what the last one found; seeds are asked for in this order."""
    intervals, trainings, first = [], 0, ()
    for cycle in run.cycles:
        task = run.task(cycle, list(order), first, search)
        found = {Trial(cycle.silo_max_lr, seed): _told(cycle.silo[seed]) for seed in order}
        while batch := SEARCHES[search.kind](task, found):
            found |= {trial: _told(cycle.accuracy[run.grid.index(trial.max_lr), trial.seed]) for trial in batch}
        standing = SearchState.of(task, found)
        first = standing.ends
        intervals.append(standing.interval)
        trainings += task.trained(found) + run.seeds
    return Found(intervals, trainings)


def fewer_seeds(run: Run, seeds: Sequence[int]) -> Found:
    """An exhaustive search in some seeds alone."""
    trainings = (len(run.grid) + 1) * len(seeds) * len(run.cycles)
    return Found([run.interval(cycle, list(seeds)) for cycle in run.cycles], trainings)


def score(found: Found, reference: Run) -> Score:
    """Beside the reference's intervals over all of its seeds."""
    steps, wider, behind = [], [], []
    for cycle, interval in zip(reference.cycles, found.intervals, strict=True):
        expected = reference.interval(cycle)
        if expected is None:
            continue
        if interval is None:
            steps.append(len(reference.grid))
            behind.append(expected.accuracy)
            continue
        (low, high), (expected_low, expected_high) = index(reference, interval), index(reference, expected)
        steps += [abs(low - expected_low), abs(high - expected_high)]
        wider.append((high - low) - (expected_high - expected_low))
        behind.append(expected.accuracy - _mean(reference, cycle, interval.best))
    within = float(np.mean(np.array(behind) <= reference.tolerance + 1e-9))
    cost = found.trainings / reference.trainings
    return Score(cost, float(np.mean(steps)), float(np.mean(wider)), max(behind), float(np.mean(behind)), within)


def halves(run: Run) -> float:
    """How far, in grid steps, the ends of two halves' intervals lie apart, the mean over cycles and ways to halve."""
    steps = []
    for half in itertools.islice(itertools.combinations(range(run.seeds), run.seeds // 2), 10 * SUBSETS):
        rest = [seed for seed in range(run.seeds) if seed not in half][: len(half)]
        for cycle in run.cycles:
            one, other = run.interval(cycle, list(half)), run.interval(cycle, rest)
            if one is not None and other is not None:
                steps += [abs(a - b) for a, b in zip(index(run, one), index(run, other), strict=True)]
    return float(np.mean(steps))


def orders(run: Run) -> Iterator[list[int]]:
    """Ways to order the seeds: the recorded one first, then others."""
    random = np.random.default_rng(0)
    yield list(range(run.seeds))
    for _ in range(SUBSETS):
        yield list(map(int, random.permutation(run.seeds)))


def _mean(run: Run, cycle: Cycle, value: float) -> float:
    row = cycle.accuracy[run.grid.index(value)]
    return 0.0 if np.isnan(row).any() else float(row.mean())


def _told(accuracy: float) -> float | None:
    return None if np.isnan(accuracy) else float(accuracy)
