"""How many trainings of a study are done, diverged, failed, running and missing, by pruning cycle."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from oracle.study.record import Status


@dataclass(frozen=True)
class StatusCounts:
    """How many trainings are how far.

    Missing are those that will be trained, also those whose start state isn't known yet, but none of a blocked trajectory.

    Attributes:
        by_cycle: by cycle, how many trainings have which status.
        at_most: whether the number of missing ones is the most it can be, since trajectories that wait for a record may come
            to one cell, or diverge.
    """

    by_cycle: Mapping[int, Counter[Status]]
    at_most: bool

    @classmethod
    def empty(cls, cycles: int, later: Mapping[int, int]) -> Self:
        """Counts of no training, but for those that may be requested later, by cycle."""
        by_cycle: dict[int, Counter[Status]] = {cycle: Counter() for cycle in range(cycles)}
        for cycle, count in later.items():
            by_cycle[cycle][Status.MISSING] += count
        return cls(by_cycle, bool(later))

    def count(self, *statuses: Status) -> int:
        """How many trainings have one of these statuses, over all cycles."""
        return sum(counts[status] for counts in self.by_cycle.values() for status in statuses)

    @property
    def recorded(self) -> int:
        """Trainings with a record: done or diverged."""
        return self.count(Status.DONE, Status.DIVERGED)

    @property
    def missing(self) -> int:
        """Trainings that are yet to be begun."""
        return self.count(Status.MISSING)

    @property
    def failed(self) -> int:
        """Trainings that raised an error again and again."""
        return self.count(Status.FAILED)

    @property
    def total(self) -> int:
        """All trainings of the study."""
        return self.count(*Status)

    @property
    def total_text(self) -> str:
        """The total in words."""
        return f"at most {self.total}" if self.at_most else str(self.total)
