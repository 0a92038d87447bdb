"""The rounds of a search until-decided: each has the same values in the same seeds in every cycle, none of them by luck.

After each round the very rules of the report judge all that is measured, at a level that is spent on all rounds.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from oracle.stats.judged import outlook
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements


@dataclass(frozen=True)
class Round:
    """What is measured in every cycle by the end of a round.

    Attributes:
        values: of the grid, rising; those of the round before are among them.
        seeds: how many, the first ones.
    """

    values: tuple[float, ...]
    seeds: int


def rounds(
    grid: Sequence[float], seeds: Sequence[int], levels: Sequence[float]
) -> Generator[Round, Measurements | None, str]:
    """Yield round after round, each to be answered with what was measured by then (None: it can't be judged).

    The first has every second value, the next all near the best in some cycle, the last the whole grid. It ends where each
    verdict is decided, or is unlikely to be by all trainings (see ``oracle.stats.judged.outlook``).

    Args:
        grid: all values, rising.
        seeds: how many each round has, as ``oracle.experiment.search.Search.rounds`` says.
        levels: probability of a false verdict, each, by round.

    Returns:
        Why nothing more is measured; empty where there is nothing more.
    """
    values = first_values(grid)
    for number, count in enumerate(seeds, start=1):
        if number == len(seeds):
            values = tuple(grid)
        study = yield Round(values, count)
        if number == len(seeds):
            break
        if study is not None:
            share = len(values) / len(grid) * _of_variance(study, seeds[-1])
            verdicts = outlook(study, levels[number - 1], levels[-1], share)
            if None not in verdicts:
                return _why(f"round {number} of {len(seeds)}", Judgement.UNDECIDED not in verdicts)
        if number == 1:
            values = values_near(grid, None if study is None else study.near, values)
    return ""


def first_values(grid: Sequence[float]) -> tuple[float, ...]:
    """Return every second value, both ends included: a curve's optimum and sides need several values near the best."""
    last = len(grid) - 1
    return tuple(value for i, value in enumerate(grid) if i % 2 == 0 or i == last)


def values_near(grid: Sequence[float], near: np.ndarray | None, before: Sequence[float]) -> tuple[float, ...]:
    """Return the values of an earlier round, and all from a step below the lowest to a step above the highest that is near
    the best in some cycle.

    Args:
        grid: all values, rising.
        near: (C, K) which values are near the best of a cycle; None where nothing is known: all.
        before: the earlier round's.
    """
    some = np.ones(len(grid), dtype=bool) if near is None else near.any(axis=0)
    places = np.flatnonzero(some)
    between = range(max(0, places[0] - 1), min(len(grid), places[-1] + 2)) if len(places) else ()
    return tuple(value for i, value in enumerate(grid) if value in before or i in between)


def _of_variance(study: Measurements, seeds: int) -> float:
    """The variance that a mean will have over so many seeds, as a share of what it has by now: shared images stay shared."""
    overlap = min(study.overlap_chosen, study.overlap_tested)
    return (1 / seeds + overlap) / (1 / study.seeds + overlap)


def _why(at: str, decided: bool) -> str:
    return f"decided after {at}" if decided else f"what {at} left undecided, more trainings are unlikely to decide"
