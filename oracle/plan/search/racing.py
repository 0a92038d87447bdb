"""Racing: every grid value in few seeds, and further seeds only for the best and for those that aren't clear yet."""

import math

from oracle.plan.search.task import Found, SearchState, Task, Trial
from oracle.stats.paired import residual_variation

FIRST_SEEDS = 2  # seeds that every value is tried in: one tells no noise
CLEAR = 1.0  # standard errors that a value's distance to the interval's edge must have


def racing(task: Task, found: Found) -> tuple[Trial, ...]:
    """The next batch: all values in the first seeds; then a further seed for the best and for those in play; empty at the end.

    In play are those whose mean lies, within its standard error, at the tolerance: they may be inside or outside. The task's
    budget is no matter here: a race ends by itself.
    """
    begin = [Trial(value, seed) for seed in task.seeds[:FIRST_SEEDS] for value in task.grid]
    if missing := tuple(trial for trial in begin if trial not in found):
        return missing
    standing = SearchState.of(task, found)
    if standing.interval is None:
        return ()
    racers = [standing.interval.best, *(value for value in task.grid if unclear(task, found, standing, value))]
    lacking = (
        (value, [seed for seed in task.seeds if Trial(value, seed) not in found]) for value in dict.fromkeys(racers)
    )
    return tuple(Trial(value, missing[0]) for value, missing in lacking if missing)


def unclear(task: Task, found: Found, standing: SearchState, value: float) -> bool:
    """Whether noise may have put a value on the wrong side of the interval's edge."""
    mean, best = standing.means[value], standing.interval.best
    if mean is None:
        return False
    behind = standing.interval.accuracy - mean
    scale = math.sqrt(1 / standing.counts[value] + 1 / standing.counts[best])
    return abs(behind - task.tolerance) < CLEAR * scale * noise(task, found, standing)


def noise(task: Task, found: Found, standing: SearchState) -> float:
    """That of one training: its standard deviation, in points, told by the values near the best, since that of a collapsed
    one is another; infinite where they are too few to tell.
    """
    near = standing.interval.accuracy - 2 * task.tolerance
    values = {value for value, mean in standing.means.items() if mean is not None and mean >= near}
    squares, freedom = residual_variation(
        {trial: accuracy for trial, accuracy in found.items() if trial.max_lr in values}
    )
    return math.sqrt(squares / freedom) if freedom else math.inf
