"""What every chain reads of the records as it walks."""

from collections.abc import Generator, Iterator, Mapping, Sequence

from oracle.experiment.spec import Experiment
from oracle.plan.steps import Blocked, Pending
from oracle.stats.interval import find_interval
from oracle.study.cell import Cell
from oracle.study.store import Record, Store


class RecordView:
    """The experiment, and what its store holds by now."""

    def __init__(self, experiment: Experiment, store: Store) -> None:
        self.experiment = experiment
        self.store = store

    def finished(self, cell: Cell) -> Record | str | None:
        """The record that a next cycle can start from, or why there is none (a string), or None: not finished."""
        if (record := self.store.record(cell.id)) is not None:
            diverged = record["outcome"]["diverged"]
            return f"cycle {cell.cycle} diverged at max_lr {cell.max_lr:g}" if diverged else record
        if (reason := self.store.failure(cell.id)) is not None:
            return f"cycle {cell.cycle} failed at max_lr {cell.max_lr:g}: {reason}"
        return None

    def accuracy(self, record: Record) -> float:
        """Of a training that didn't diverge, on what the study chooses by, in percent."""
        return record["outcome"][self.experiment.chosen_on]

    def best(
        self, cells: Mapping[float, Sequence[Cell]], later: Mapping[int, int]
    ) -> Generator[Pending, None, float | str]:
        """The best value by the mean over its cells (one a seed), once all are finished; why there is none (a string).

        later: what the chain will want at each later cycle.
        """
        means = []
        for of_value in cells.values():
            bad = False
            for cell in of_value:
                while (record := self.finished(cell)) is None:
                    yield Pending(cell, dict(later))
                bad = bad or isinstance(record, str)
            means.append(None if bad else self.mean_of(of_value))
        best = best_of(tuple(cells), means)
        return "every candidate failed or diverged" if best is None else best

    def mean_of(self, cells: Sequence[Cell]) -> float:
        """Mean accuracy of recorded cells."""
        return sum(self.accuracy(self.store.record(cell.id)) for cell in cells) / len(cells)

    def blocked(self, chain: str, cycle: int, reason: str) -> Iterator[Blocked]:
        """That a chain can't go on, where a cycle is left."""
        if cycle < self.experiment.prune.cycles:
            yield Blocked(chain, cycle, reason)

    def later(self, cycle: int, wanted: int) -> dict[int, int]:
        """So many cells at each cycle after this one."""
        return dict.fromkeys(range(cycle + 1, self.experiment.prune.cycles), wanted)


def best_of(values: Sequence[float], means: Sequence[float | None]) -> float | None:
    """The value of the best mean (of a tied plateau: its middle); None where no value has one: a bad seed can't win."""
    interval = find_interval(values, means, tolerance=0.0)
    return None if interval is None else interval.best
