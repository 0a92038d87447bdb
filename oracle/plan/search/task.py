"""What a search is about: the grid and seeds of one pruning cycle, and what is measured of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from oracle.stats.interval import Interval, find_interval
from oracle.stats.paired import Accuracies, paired_means


class Trial(NamedTuple):
    """One training that a search asks for."""

    max_lr: float
    seed: int


# The accuracies of a search hold SILO's own value for every seed, whether the grid has it or not.


@dataclass(frozen=True)
class Task:
    """The search at one pruning cycle.

    Attributes:
        grid: the candidates, rising.
        seeds: in the order in which they are tried.
        tolerance: points of accuracy.
        silo: SILO's max_lr, which is trained for every seed anyhow.
        first: grid values to begin with: the last cycle's best, and where its interval ends.
        budget: at most so many trainings beside SILO's own; at least 1.
    """

    grid: tuple[float, ...]
    seeds: tuple[int, ...]
    tolerance: float
    silo: float
    first: tuple[float, ...]
    budget: int

    def trained(self, accuracies: Accuracies) -> int:
        """How much of the budget is spent."""
        return sum(trial.max_lr != self.silo for trial in accuracies)


@dataclass(frozen=True)
class SearchState:
    """What is known after some trainings.

    Attributes:
        counts: in how many seeds each grid value was tried, of those that were.
        means: their mean accuracies, in percent, as if each had been tried in all seeds (paired_means); None: it diverged, or
            failed, in one.
        interval: the optimal interval over them; None where no value has a mean.
    """

    counts: Mapping[float, int]
    means: Mapping[float, float | None]
    interval: Interval | None

    @property
    def ends(self) -> tuple[float, ...]:
        """What the next cycle's search begins with: the best value, and the last ones inside and the first ones outside."""
        one = self.interval
        values = () if one is None else (one.best, one.low, one.high, one.edge_low, one.edge_high)
        return tuple(value for value in values if value is not None)

    @classmethod
    def of(cls, task: Task, accuracies: Accuracies) -> "SearchState":
        """The state after all that was measured."""
        means = paired_means(accuracies)
        tried = [value for value in task.grid if value in means]
        counts = {value: sum(trial.max_lr == value for trial in accuracies) for value in tried}
        return cls(
            counts,
            {value: means[value] for value in tried},
            find_interval(tried, [means[value] for value in tried], task.tolerance),
        )
