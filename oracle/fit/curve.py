"""SILO's four parameters whose curve lies inside the recorded intervals."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from scipy.optimize import least_squares

from oracle.fit.target import Fitness, Target, best_constant
from silo.schedule import SiloSchedule

TRIALS = 250
BETA = (0.3, 30.0)
# how strongly least squares pull towards the intervals' middles, so that what is inside already gains margin
PULLS = (0.02, 0.1, 0.5)

optuna.logging.set_verbosity(optuna.logging.WARNING)


def fit(known: SiloSchedule, targets: Sequence[Target], grid: Sequence[float], cycles: int) -> SiloSchedule:
    """Return the curve that runs through the most targets, by the greatest margin.

    It is the fittest of Optuna's trials, of what least squares make of the best of them, of the known schedule and of the
    best constant (delta 0), so that it is never less fit than these. Only the known schedule may leave the range of the
    grid and the targets, in which all lies that was tried. Parameters have 4 significant digits, and are judged with them.
    The same input gives the same curve.

    Args:
        known: a schedule to begin with.
        targets: the intervals; at least one.
        grid: the Oracle's values, which give the ranges of the parameters.
        cycles: how many the study has.

    Raises:
        ValueError: where there is no target.
    """
    if not targets:
        raise ValueError("targets must hold an interval, got none")
    tried = sorted(_searched(known, targets, grid, cycles), key=lambda one: Fitness.of(one, targets).rank)
    best_of_delay = {schedule.delay: schedule for schedule in tried}  # the last one stays
    starts = [*best_of_delay.values(), *_through_the_ends(known, targets, cycles)]
    polished = [schedule for start in starts for schedule in _polished(start, targets)]
    still = SiloSchedule(best_constant(targets)[0], 0.0, known.beta, known.delay, known.prune_rate)
    reach = [*grid, *(end for target in targets for end in (target.low, target.high) if 0 < end < math.inf)]
    found = [one for one in map(_rounded, [*tried, *polished]) if not beyond(one, reach, cycles)]
    return max([known, _rounded(still), *found], key=lambda one: Fitness.of(one, targets).order)


def beyond(schedule: SiloSchedule, tried: Sequence[float], cycles: int) -> list[int]:
    """Return the cycles, of so many, in which a schedule's max_lr lies outside the range of the values that were tried."""
    low, high = min(tried), max(tried)
    return [cycle for cycle in range(cycles) if not low <= schedule.max_lr(cycle) <= high]


def _searched(
    known: SiloSchedule, targets: Sequence[Target], grid: Sequence[float], cycles: int
) -> Iterator[SiloSchedule]:
    """Optuna's trials, the known schedule and the best constant first; on log axes, over the range of the grid and these."""
    still = best_constant(targets)[0]
    space = {
        "epsilon": FloatDistribution(min(*grid, known.epsilon, still), max(*grid, known.epsilon, still), log=True),
        "delta": FloatDistribution(min(grid) / 100, max(*grid, known.delta) * 2, log=True),
        "beta": FloatDistribution(min(BETA[0], known.beta), max(BETA[1], known.beta), log=True),
        "delay": IntDistribution(0, max(cycles - 1, known.delay)),
    }
    study = optuna.create_study(direction="maximize", sampler=TPESampler(seed=0, multivariate=True))
    first = {name: getattr(known, name) for name in space}
    study.enqueue_trial(first | {"delta": max(known.delta, space["delta"].low)})  # 0 has no logarithm
    study.enqueue_trial(first | {"epsilon": still, "delta": space["delta"].low})
    for _ in range(TRIALS):
        trial = study.ask(space)
        schedule = SiloSchedule(**trial.params, prune_rate=known.prune_rate)
        study.tell(trial, Fitness.of(schedule, targets).rank)
        yield schedule


def _through_the_ends(known: SiloSchedule, targets: Sequence[Target], cycles: int) -> Iterator[SiloSchedule]:
    """Curves from the middle of the first interval to that of the last, one for every delay, where that rises."""
    first, last = (10 ** np.mean(_logs(target)) for target in (targets[0], targets[-1]))
    if last > first:
        for delay in range(cycles):
            yield SiloSchedule(float(first), float(last - first), 2.0, delay, known.prune_rate)


def _logs(target: Target) -> tuple[float, float]:
    """The ends as log10; an open one is as far as the closed one."""
    low = target.low if target.low > 0 else target.high
    high = target.high if target.high < math.inf else target.low
    return math.log10(low), math.log10(high)


def _polished(start: SiloSchedule, targets: Sequence[Target]) -> Iterator[SiloSchedule]:
    """Least squares from a start, its delay kept: leaving an interval costs, and so, less, does leaving its middle."""
    if start.delta == 0:
        return
    low, high = np.array([_logs(target) for target in targets]).T

    def schedule(logs: np.ndarray) -> SiloSchedule:
        epsilon, delta, beta = 10**logs
        return SiloSchedule(float(epsilon), float(delta), float(beta), start.delay, start.prune_rate)

    def residuals(logs: np.ndarray, pull: float) -> np.ndarray:
        curve = schedule(logs)
        at = np.log10([curve.max_lr(target.cycle) for target in targets])
        outside = np.maximum(low - at, 0) + np.maximum(at - high, 0)
        return np.concatenate([outside, pull * (at - (low + high) / 2)])

    begin = np.log10([start.epsilon, start.delta, start.beta])
    for pull in PULLS:
        yield schedule(least_squares(residuals, begin, bounds=(begin - 1.5, begin + 1.5), args=(pull,)).x)


def _rounded(schedule: SiloSchedule) -> SiloSchedule:
    values = (float(f"{value:.4g}") for value in (schedule.epsilon, schedule.delta, schedule.beta))
    return SiloSchedule(*values, schedule.delay, schedule.prune_rate)
