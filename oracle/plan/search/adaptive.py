"""The adaptive Oracle: it looks for the best value and for both ends of the optimal interval, within a budget of trainings."""

import math
from collections.abc import Iterator
from itertools import islice

from oracle.plan.search.task import SearchState, Task, Trial
from oracle.stats.interval import Interval
from oracle.stats.paired import Accuracies

ROUNDS = 5  # batches a cycle: each is a fifth of the budget
SPREAD = 5  # values to begin with where no cycle came before


def adaptive(task: Task, accuracies: Accuracies) -> tuple[Trial, ...]:
    """Return the next batch, at most a fifth of the budget; empty once that is spent, or nothing is left to try.

    In this order: the values to begin with (the grid's nearest to SILO's first), in the first seed; the middle between the
    last value inside and the first one outside, on either side, until they are neighbours; a value inside that wasn't tried,
    which Optuna suggests; another seed for the best, and for those of which it is least clear whether they are inside.
    """
    left = task.budget - task.trained(accuracies)
    size = min(left, math.ceil(task.budget / ROUNDS))
    return tuple(islice(_requests(task, accuracies), size))


def _requests(task: Task, accuracies: Accuracies) -> Iterator[Trial]:
    state, first_seed = SearchState.of(task, accuracies), task.seeds[0]
    first_values = [value for value in _first_values(task) if value not in state.means]
    yield from (Trial(value, first_seed) for value in first_values)
    if state.interval is None:
        if not first_values:
            yield from (Trial(value, first_seed) for value in task.grid if value not in state.means)
        return
    requested = set(first_values)
    for value in [*_ends(task, state.interval), *_inside(task, state)]:
        if value not in state.means and value not in requested:
            requested.add(value)
            yield Trial(value, first_seed)
    yield from _more_seeds(task, accuracies, state)


def _first_values(task: Task) -> list[float]:
    """The values to begin with, without doubles."""
    near_silo = min(task.grid, key=lambda value: abs(math.log(value / task.silo)))
    last = len(task.grid) - 1
    spread = [task.grid[round(i * last / (SPREAD - 1))] for i in range(SPREAD)]
    return list(dict.fromkeys([near_silo, *(task.first or spread)]))


def _ends(task: Task, interval: Interval) -> Iterator[float]:
    """On either side a value between the last that is inside and the first that isn't; none where they are neighbours."""
    at = task.grid.index
    low, high = at(interval.low), at(interval.high)
    below = -1 if interval.open_low else at(interval.edge_low)
    above = len(task.grid) if interval.open_high else at(interval.edge_high)
    if low - below > 1:
        yield task.grid[(low + below) // 2]
    if above - high > 1:
        yield task.grid[(high + above + 1) // 2]


def _inside(task: Task, state: SearchState) -> list[float]:
    """A value inside the interval that wasn't tried, the nearest to what Optuna suggests for the best; or none."""
    interval = state.interval
    untried = [v for v in task.grid if interval.low < v < interval.high and v not in state.means]
    if not untried:
        return []
    suggested = _suggested(task, state)
    return [min(untried, key=lambda value: abs(math.log(value / suggested)))]


def _suggested(task: Task, state: SearchState) -> float:
    """The max_lr that Optuna's TPE suggests after the means so far."""
    # here, so that studies that don't search adaptively need no Optuna
    import optuna
    from optuna.distributions import FloatDistribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {"max_lr": FloatDistribution(task.grid[0], task.grid[-1], log=True)}
    sampler = optuna.samplers.TPESampler(n_startup_trials=0, seed=len(state.means))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(
        [
            optuna.trial.create_trial(params={"max_lr": value}, distributions=space, value=mean)
            for value, mean in state.means.items()
            if mean is not None
        ]
    )
    return study.ask(space).params["max_lr"]


def _more_seeds(task: Task, accuracies: Accuracies, state: SearchState) -> Iterator[Trial]:
    """The next seed of every value that lacks one: the best first, then those by whose side of the tolerance it is least clear;
    the interval's ends and their neighbours outside go before the others.
    """
    interval, counts = state.interval, state.counts
    unclear = []
    for value, mean in state.means.items():
        missing = [seed for seed in task.seeds if Trial(value, seed) not in accuracies]
        if mean is None or not missing:
            continue
        # in units of the standard error of their difference, but for the noise, which all have in common
        scale = math.sqrt(1 / counts[value] + 1 / counts[interval.best])
        clear = abs(interval.accuracy - mean - task.tolerance) / scale
        if value not in (interval.low, interval.high, interval.edge_low, interval.edge_high):
            clear += task.tolerance
        unclear.append((value != interval.best, clear, Trial(value, missing[0])))
    yield from (trial for *_, trial in sorted(unclear))
