"""What every trajectory reads of the records as it is planned."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from oracle.experiment.spec import Experiment
from oracle.plan.steps import Blocked, Later, Pending
from oracle.stats.interval import find_interval
from oracle.study.cell import Cell
from oracle.study.record import Record, Records


@dataclass(frozen=True)
class Unusable:
    """A training from which no next cycle can start, and why."""

    reason: str


@dataclass(frozen=True)
class RecordView:
    """The records by now, as an experiment reads them."""

    experiment: Experiment
    records: Records

    def finished(self, cell: Cell) -> Record | Unusable | None:
        """The record that a next cycle can start from; why there is none; None where the training isn't finished."""
        if (record := self.records.record(cell.id)) is not None:
            if record.outcome.diverged:
                return Unusable(f"cycle {cell.cycle} diverged at max_lr {cell.max_lr:g}")
            return record
        if (reason := self.records.failure(cell.id)) is not None:
            return Unusable(f"cycle {cell.cycle} failed at max_lr {cell.max_lr:g}: {reason}")
        return None

    def wait_for(self, cell: Cell, later: Later) -> Generator[Pending, None, Record | Unusable]:
        """Yield Pending until the training is finished; return what :meth:`finished` says then.

        Args:
            cell: the training.
            later: returns how many trainings will be requested at each later cycle, at most.
        """
        while (result := self.finished(cell)) is None:
            yield Pending(cell, later)
        return result

    def accuracy(self, record: Record) -> float:
        """The accuracy, in percent, that the study chooses by, of a training that didn't diverge."""
        return getattr(record.outcome, self.experiment.chosen_on)

    def best(self, cells: Mapping[float, Sequence[Cell]], later: Later) -> Generator[Pending, None, float | None]:
        """Wait for cells, and return the value that is best by the mean over its cells; None where every value has one that
        failed or diverged.

        Args:
            cells: by value, one for each seed.
            later: returns how many trainings will be requested at each later cycle, at most.
        """
        means = []
        for of_value in cells.values():
            results = []
            for cell in of_value:
                results.append((yield from self.wait_for(cell, later)))
            means.append(self.mean(results))
        return best_value(tuple(cells), means)

    def mean(self, results: Sequence[Record | Unusable]) -> float | None:
        """The mean accuracy, in percent; None where one of the trainings failed or diverged."""
        accuracies = [self.accuracy(result) for result in results if isinstance(result, Record)]
        return sum(accuracies) / len(accuracies) if len(accuracies) == len(results) else None

    def blocked(self, trajectory: str, cycle: int, reason: str) -> Iterator[Blocked]:
        """Yield that a trajectory can't go on from this cycle; nothing where no cycle is left."""
        if cycle < self.experiment.prune.cycles:
            yield Blocked(trajectory, cycle, reason)

    def later(self, cycle: int, requests: int) -> dict[int, int]:
        """Return so many requests for each cycle after this one."""
        return dict.fromkeys(range(cycle + 1, self.experiment.prune.cycles), requests)


def best_value(values: Sequence[float], means: Sequence[float | None]) -> float | None:
    """Return the value with the best mean (of a tied plateau: its middle); None where no value has a mean."""
    interval = find_interval(values, means, tolerance=0.0)
    return None if interval is None else interval.best
