"""What a search that has ended didn't try, and why."""

from collections.abc import Iterator

from oracle.experiment.search import SearchKind
from oracle.plan.search.task import SearchState, Task, Trial
from oracle.stats.interval import Interval
from oracle.stats.paired import Accuracies

Untried = tuple[float, tuple[int, ...], str]  # the value, the seeds that it wasn't tried in, and why not


def skipped(kind: SearchKind, task: Task, accuracies: Accuracies) -> Iterator[Untried]:
    """Every grid value that wasn't tried in some seed, in grid order."""
    state = SearchState.of(task, accuracies)
    for value in task.grid:
        missing = tuple(seed for seed in task.seeds if Trial(value, seed) not in accuracies)
        if not missing:
            continue
        if value not in state.means:
            why = _untried(value, state.interval)
        elif state.means[value] is None:
            why = "it diverged or failed"
        else:
            why = _clear(kind, state, value, task.tolerance)
        yield value, missing, why


def _untried(value: float, interval: Interval | None) -> str:
    if interval is None:
        return "every value that was tried diverged or failed"
    if interval.low < value < interval.high:
        return "between values inside"
    edge = interval.edge_low if value < interval.low else interval.edge_high
    if edge is not None and (value < edge if value < interval.low else value > edge):
        return f"beyond {edge:g}, which is outside"
    return "the budget was spent"


def _clear(kind: SearchKind, state: SearchState, value: float, tolerance: float) -> str:
    behind = state.interval.accuracy - state.means[value]
    side = "outside" if behind > tolerance else "inside"
    if kind is SearchKind.RACING:
        return f"{side} by more than a standard error ({behind:.2f} points below the best)"
    return f"{side} ({behind:.2f} points below the best): others were less clear, and the budget was spent"
