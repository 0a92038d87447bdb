"""What a search that has ended didn't try, and why."""

from collections.abc import Iterator

from oracle.plan.search.task import Found, SearchState, Task, Trial
from oracle.stats.interval import Interval

Untried = tuple[float, tuple[int, ...], str]  # the value, the seeds that it wasn't tried in, and why not


def skipped(search: str, task: Task, found: Found) -> Iterator[Untried]:
    """Every grid value that lacks a seed, in grid order."""
    standing = SearchState.of(task, found)
    for value in task.grid:
        missing = tuple(seed for seed in task.seeds if Trial(value, seed) not in found)
        if not missing:
            continue
        if value not in standing.means:
            why = _untried(value, standing.interval)
        elif standing.means[value] is None:
            why = "it diverged or failed"
        else:
            why = _clear(search, standing, value, task.tolerance)
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


def _clear(search: str, standing: SearchState, value: float, tolerance: float) -> str:
    behind = standing.interval.accuracy - standing.means[value]
    side = "outside" if behind > tolerance else "inside"
    if search == "racing":
        return f"{side} by more than a standard error ({behind:.2f} points below the best)"
    return f"{side} ({behind:.2f} points below the best): others were less clear, and the budget was spent"
