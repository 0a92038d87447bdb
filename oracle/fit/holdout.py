"""What a fit is worth: fitted on some cycles, or on some seeds, and judged on the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from oracle.analysis.comparison import comparison_table
from oracle.experiment.spec import Experiment
from oracle.fit.curve import fit
from oracle.fit.target import Fitness, Target, best_constant, targets
from oracle.study.data_info import DataInfo
from silo.schedule import ConstantSchedule

FOLDS = 5


@dataclass(frozen=True)
class HoldoutResult:
    """How a fit did on what was held out.

    Attributes:
        what: was held out, in words.
        cycles: how many were judged, over all turns.
        fitted: in how many of them the fitted curve was inside.
        known: in how many the experiment's own parameters were.
        constant: in how many the constant was that was best on what was fitted to.
    """

    what: str
    cycles: int
    fitted: int
    known: int
    constant: int


def hold_out(
    cells: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment, data: DataInfo
) -> list[HoldoutResult]:
    """Return what fits on parts are worth: by cycles, and by seeds where every value was tried in at least two.

    Args:
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: whose SILO is fitted.
        data: its chance level and image counts.
    """
    held = [_judged("a fifth of the cycles, in five turns", _by_cycles(targets(comparison)), experiment)]
    seeds = experiment.oracle.seeds
    if len(seeds) > 1 and experiment.oracle.search.is_exhaustive:
        held.append(_judged("half of the seeds, in two turns", _by_seeds(cells, experiment, data), experiment))
    return [one for one in held if one.cycles]


Turn = tuple[list[Target], list[Target]]  # to fit to, to judge on


def _by_cycles(known: Sequence[Target]) -> Iterator[Turn]:
    """Five turns, each without every fifth cycle."""
    for fold in range(FOLDS):
        yield (
            [target for at, target in enumerate(known) if at % FOLDS != fold],
            [target for at, target in enumerate(known) if at % FOLDS == fold],
        )


def _by_seeds(cells: pd.DataFrame, experiment: Experiment, data: DataInfo) -> Iterator[Turn]:
    """Two turns: fitted to the intervals over one half of the seeds, judged on those over the other."""
    seeds = experiment.oracle.seeds
    halves = seeds[: len(seeds) // 2], seeds[len(seeds) // 2 :]
    by_half = []
    for half in halves:
        part = experiment.model_copy(update={"oracle": experiment.oracle.model_copy(update={"seeds": half})})
        by_half.append(targets(comparison_table(cells[cells.seed.isin(half)], part, data)))
    yield by_half[0], by_half[1]
    yield by_half[1], by_half[0]


def _judged(what: str, turns: Iterator[Turn], experiment: Experiment) -> HoldoutResult:
    cycles = fitted = known = constant = 0
    grid, number = experiment.oracle.grid.values(), experiment.prune.cycles
    for given, judged in turns:
        if not given:
            continue
        curve = fit(experiment.schedule, given, grid, number)
        cycles += len(judged)
        fitted += Fitness.of(curve, judged).inside
        known += Fitness.of(experiment.schedule, judged).inside
        constant += Fitness.of(ConstantSchedule(best_constant(given)[0]), judged).inside
    return HoldoutResult(what, cycles, fitted, known, constant)
