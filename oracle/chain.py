"""Which cells a study consists of, cycle after cycle, as far as the records tell.

A chain is a generator. It yields what the study asks for, Waiting while it has to wait for a record, and ends after its
last cycle or where it is blocked. It reads only the store, so a sweep and a report walk the very same chains.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from oracle.cell import Cell
from oracle.experiment import DENSE, Experiment
from oracle.interval import find_interval
from oracle.store import Record, Store


@dataclass(frozen=True)
class Wanted:
    """A cell that the study asks for, and as what.

    candidate  a grid value on the judged masks;  silo  SILO's max_lr on the judged masks
    chain      SILO's own chain (with ``follow: silo`` its masks are the judged ones)
    parent     the cell that left its start state; None at cycle 0
    """

    cell: Cell
    candidate: bool = False
    silo: bool = False
    chain: bool = False
    parent: Cell | None = None

    def keeps_state(self, follow: str) -> bool:
        """Whether a next cycle may start from the state this cell leaves.

        With ``follow: oracle`` that is any: a candidate may win, and SILO's own chain may come to the very cell.
        """
        return self.chain or follow == "oracle"


@dataclass(frozen=True)
class Losers:
    """Cells whose states no cycle starts from, now that their cycle's winner is known."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Blocked:
    """A chain that can't go on: nothing of it is trained from this cycle on."""

    chain: str
    cycle: int
    reason: str


@dataclass(frozen=True)
class Waiting:
    """A chain that waits for a record; ``later``: how many cells it will want at each later cycle."""

    later: dict[int, int]


Step = Wanted | Losers | Blocked | Waiting


class Chains:
    """All chains of an experiment over one data set."""

    def __init__(self, experiment: Experiment, training: str, store: Store) -> None:
        self.experiment = experiment
        self.training = training
        self.store = store
        self.grid = experiment.oracle.grid.values()

    def all(self) -> list[Iterator[Step]]:
        """One generator a chain; SILO's own come first, since a state they need must be kept."""
        own = [self._silo(seed) for seed in self.experiment.oracle.seeds]
        return own if self.experiment.oracle.follow == "silo" else [*own, self._oracle()]

    def steps(self) -> Iterator[Step]:
        """Everything that the records tell by now: each chain as far as it goes."""
        for chain in self.all():
            for step in chain:
                yield step
                if isinstance(step, Waiting):
                    break

    def _cell(self, seed: int, cycle: int, max_lr: float, start: str) -> Cell:
        return Cell(self.training, seed, cycle, max_lr, start)

    def _silo(self, seed: int) -> Iterator[Step]:
        """SILO's own chain: each cycle starts from the mask that its last one left."""
        judged = self.experiment.oracle.follow == "silo"
        start, parent = DENSE, None
        for cycle in range(self.experiment.prune.cycles):
            own = self._cell(seed, cycle, self.experiment.schedule.max_lr(cycle), start)
            yield Wanted(own, candidate=judged and own.max_lr in self.grid, silo=judged, chain=True, parent=parent)
            for value in self.grid if judged else ():
                if value != own.max_lr:
                    yield Wanted(self._cell(seed, cycle, value, start), candidate=True, parent=parent)
            while (record := self._finished(own)) is None:
                yield self._waiting(cycle, of_grid=judged, chains=1)
            if isinstance(record, str):
                yield from self._blocked(f"SILO's chain, seed {seed}", cycle + 1, record)
                return
            start, parent = record["leaves"], own

    def _oracle(self) -> Iterator[Step]:
        """The Oracle's chain: all seeds go on from the one grid value with the best mean, each from its own mask."""
        seeds = self.experiment.oracle.seeds
        starts, parents = dict.fromkeys(seeds, DENSE), dict.fromkeys(seeds)
        for cycle in range(self.experiment.prune.cycles):
            silo = self.experiment.schedule.max_lr(cycle)
            for seed in seeds:
                for value in sorted({*self.grid, silo}):
                    yield Wanted(
                        self._cell(seed, cycle, value, starts[seed]),
                        candidate=value in self.grid,
                        silo=value == silo,
                        parent=parents[seed],
                    )
            cells = {value: [self._cell(s, cycle, value, starts[s]) for s in seeds] for value in self.grid}
            records = {value: self._all_finished(cells[value]) for value in self.grid}
            while any(of_value is None for of_value in records.values()):
                yield self._waiting(cycle, of_grid=True, chains=len(seeds))
                records = {value: records[value] or self._all_finished(cells[value]) for value in self.grid}
            means = [_mean_validation(records[value]) for value in self.grid]
            interval = find_interval(self.grid, means, self.experiment.oracle.tolerance)
            if interval is None:
                reason = f"every candidate failed or diverged at cycle {cycle}"
                yield from self._blocked("the Oracle's chain", cycle + 1, reason)
                return
            # SILO's value stays: SILO's own chain may come to the very cell
            yield Losers(tuple(c for value in self.grid if value not in (interval.best, silo) for c in cells[value]))
            starts = {seed: r["leaves"] for seed, r in zip(seeds, records[interval.best], strict=True)}
            parents = dict(zip(seeds, cells[interval.best], strict=True))

    def _blocked(self, chain: str, cycle: int, reason: str) -> Iterator[Blocked]:
        if cycle < self.experiment.prune.cycles:
            yield Blocked(chain, cycle, reason)

    def _waiting(self, cycle: int, of_grid: bool, chains: int) -> Waiting:
        grid = self.grid if of_grid else ()
        later = range(cycle + 1, self.experiment.prune.cycles)
        return Waiting({m: chains * len({*grid, self.experiment.schedule.max_lr(m)}) for m in later})

    def _finished(self, cell: Cell) -> Record | str | None:
        """The record that a next cycle can start from, or why there is none (a string), or None: not finished."""
        if (record := self.store.record(cell.id)) is not None:
            diverged = record["outcome"]["diverged"]
            return f"cycle {cell.cycle} diverged at max_lr {cell.max_lr:g}" if diverged else record
        if (reason := self.store.failure(cell.id)) is not None:
            return f"cycle {cell.cycle} failed at max_lr {cell.max_lr:g}: {reason}"
        return None

    def _all_finished(self, cells: list[Cell]) -> list[Record | str] | None:
        finished = [self._finished(cell) for cell in cells]
        return None if any(one is None for one in finished) else finished


def _mean_validation(records: list[Record | str]) -> float | None:
    """Mean over the seeds; None where a seed diverged or failed, which can't win."""
    if any(isinstance(record, str) for record in records):
        return None
    return sum(record["outcome"]["validation"] for record in records) / len(records)
