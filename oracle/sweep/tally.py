"""How far a study is: trainings done, diverged, failed and missing, by pruning cycle."""

from collections import Counter
from dataclasses import dataclass

from oracle.sweep.chain import Blocked, Chains, Waiting, Wanted


@dataclass(frozen=True)
class Tally:
    """by_cycle: cycle -> how many trainings are "done", "diverged", "failed", "missing"; blocked: chains that can't go on.

    Missing are those that will be trained, also those whose start state isn't known yet, but none of a blocked chain.
    """

    by_cycle: dict[int, Counter[str]]
    blocked: list[Blocked]

    def count(self, *kinds: str) -> int:
        """How many trainings are of these kinds, over all cycles."""
        return sum(counts[kind] for counts in self.by_cycle.values() for kind in kinds)

    @property
    def recorded(self) -> int:
        """Trainings with a record: done or diverged."""
        return self.count("done", "diverged")

    @property
    def total(self) -> int:
        """All trainings of the study."""
        return self.count("done", "diverged", "failed", "missing")


def tally(chains: Chains) -> Tally:
    """Walk the chains as far as the records tell."""
    cells, blocked = {}, []
    by_cycle: dict[int, Counter[str]] = {cycle: Counter() for cycle in range(chains.experiment.prune.cycles)}
    for step in chains.steps():
        if isinstance(step, Wanted):
            cells[step.cell.id] = step.cell
        elif isinstance(step, Blocked):
            blocked.append(step)
        elif isinstance(step, Waiting):
            for cycle, count in step.later.items():
                by_cycle[cycle]["missing"] += count
    for cell in cells.values():
        if (record := chains.store.record(cell.id)) is not None:
            kind = "diverged" if record["outcome"]["diverged"] else "done"
        else:
            kind = "missing" if chains.store.failure(cell.id) is None else "failed"
        by_cycle[cell.cycle][kind] += 1
    return Tally(by_cycle, blocked)
