"""How far a study is: trainings done, diverged, failed, running and missing, by pruning cycle."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from oracle.plan.steps import Blocked, Pending, Request
from oracle.plan.trajectories import Trajectories
from oracle.study.cell import Cell
from oracle.study.store import Record


@dataclass(frozen=True)
class StatusCounts:
    """by_cycle: cycle -> how many trainings are "done", "diverged", "failed", "running", "missing"; blocked: chains that can't
    go on; failed: the trainings that failed, by the reason why; records: of all that are done or diverged.

    Missing are those that will be trained, also those whose start state isn't known yet, but none of a blocked chain. at_most:
    their number is the most it can be, since chains that wait for a record may come to one cell, or diverge.
    """

    by_cycle: dict[int, Counter[str]]
    blocked: list[Blocked]
    failed: dict[str, list[Cell]]
    records: list[Record]
    at_most: bool

    def count(self, *kinds: str) -> int:
        """How many trainings are of these kinds, over all cycles."""
        return sum(counts[kind] for counts in self.by_cycle.values() for kind in kinds)

    @property
    def recorded(self) -> int:
        """Trainings with a record: done or diverged."""
        return len(self.records)

    @property
    def total(self) -> int:
        """All trainings of the study."""
        return self.count("done", "diverged", "failed", "running", "missing")

    @property
    def total_told(self) -> str:
        """The same in words."""
        return "at most " * self.at_most + str(self.total)

    @property
    def seconds_each(self) -> float | None:
        """The mean of what a recorded training took; None where none is recorded."""
        return sum(record["seconds"] for record in self.records) / self.recorded if self.records else None


def tally(chains: Trajectories, running: Collection[str] = ()) -> StatusCounts:
    """Walk the chains as far as the records tell; running: ids of cells that are trained right now, if they aren't recorded."""
    cells, blocked, at_most = {}, [], False
    by_cycle: dict[int, Counter[str]] = {cycle: Counter() for cycle in range(chains.experiment.prune.cycles)}
    for step in chains.steps():
        if isinstance(step, Request):
            cells[step.cell.id] = step.cell
        elif isinstance(step, Blocked):
            blocked.append(step)
        elif isinstance(step, Pending):
            for cycle, count in step.later.items():
                by_cycle[cycle]["missing"] += count
                at_most = True
    records, failed = [], defaultdict(list)
    for cell in cells.values():
        if (record := chains.store.record(cell.id)) is not None:
            records.append(record)
            kind = "diverged" if record["outcome"]["diverged"] else "done"
        elif (reason := chains.store.failure(cell.id)) is not None:
            failed[reason].append(cell)
            kind = "failed"
        else:
            kind = "running" if cell.id in running else "missing"
        by_cycle[cell.cycle][kind] += 1
    return StatusCounts(by_cycle, blocked, dict(failed), records, at_most)
