"""Racing: every grid value in few seeds, and further seeds only for the best and for those that aren't clear yet."""

import math

from oracle.experiment.search import FIRST_SEEDS
from oracle.plan.search.task import SearchState, Task, Trial
from oracle.stats.measurements import REACH
from oracle.stats.near_best import near_best
from oracle.stats.noise import noise_of
from oracle.stats.paired import Accuracies, means_of, table_of

CLEAR = 1.0  # standard errors that a value's distance to the interval's edge must have


def racing(task: Task, accuracies: Accuracies) -> tuple[Trial, ...]:
    """Return the next batch: all values in the first seeds; then a further seed for the best and for those in play.

    In play are those whose mean lies, within its standard error, at the tolerance: they may be inside or outside. The task's
    budget is no matter here: a race ends by itself, with an empty batch.
    """
    begin = [Trial(value, seed) for seed in task.seeds[:FIRST_SEEDS] for value in task.grid]
    if missing := tuple(trial for trial in begin if trial not in accuracies):
        return missing
    state = SearchState.of(task, accuracies)
    if state.interval is None:
        return ()
    racers = [state.interval.best, *(value for value in task.grid if unclear(task, accuracies, state, value))]
    untried = (
        (value, [seed for seed in task.seeds if Trial(value, seed) not in accuracies])
        for value in dict.fromkeys(racers)
    )
    return tuple(Trial(value, seeds[0]) for value, seeds in untried if seeds)


def unclear(task: Task, accuracies: Accuracies, state: SearchState, value: float) -> bool:
    """Whether noise may have put a value on the wrong side of the interval's edge."""
    mean, best = state.means[value], state.interval.best
    if mean is None:
        return False
    behind = state.interval.accuracy - mean
    scale = math.sqrt(1 / state.counts[value] + 1 / state.counts[best])
    return abs(behind - task.tolerance) < CLEAR * scale * noise(task, accuracies)


def noise(task: Task, accuracies: Accuracies) -> float:
    """The standard deviation of one training, in points, by the values near the best, since a collapsed one's is another;
    infinite where they are too few to estimate it.
    """
    _, table = table_of(accuracies)
    found = noise_of([table[near_best(means_of(table), REACH * task.tolerance)]], overlap=0.0)
    return float(found.sd[0]) if found.df_of_all else math.inf
