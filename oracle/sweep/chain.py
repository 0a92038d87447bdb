"""Which cells a study consists of, cycle after cycle, as far as the records tell.

A chain is a generator. It yields what the study asks for, Waiting while it has to wait for a record, and ends after its
last cycle or where it is blocked. It reads only the store, so a sweep and a report walk the very same chains.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from oracle.interval import find_interval
from oracle.spec.experiment import DENSE, Experiment
from oracle.store.store import Record, Store
from oracle.sweep.cell import Cell


@dataclass(frozen=True)
class Wanted:
    """A cell that the study asks for, and as what.

    candidate  a grid value on the judged masks;  silo  SILO's max_lr on the judged masks
    chain      SILO's own chain (with ``follow: silo`` its masks are the judged ones)
    policy     the baseline of whose chain it is;  search  the baseline for whose max_lr it is tried
    parent     the cell that left its start state; None at cycle 0
    """

    cell: Cell
    candidate: bool = False
    silo: bool = False
    chain: bool = False
    policy: str = ""
    search: str = ""
    parent: Cell | None = None

    def keeps_state(self, follow: str) -> bool:
        """Whether a next cycle may start from the state this cell leaves.

        With ``follow: oracle`` that is any: a candidate may win, and SILO's own chain may come to the very cell.
        """
        return self.chain or self.policy != "" or self.search != "" or follow == "oracle"


@dataclass(frozen=True)
class Released:
    """Cells whose states this chain needs no more: their cycle's winner is known, or the next cycle is recorded."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Blocked:
    """A chain that can't go on: nothing of it is trained from this cycle on."""

    chain: str
    cycle: int
    reason: str


@dataclass(frozen=True)
class Waiting:
    """A chain that can't go on before a cell is recorded or has failed; later: how many it will want at each later cycle."""

    cell: Cell
    later: dict[int, int]


Step = Wanted | Released | Blocked | Waiting


class Chains:
    """All chains of an experiment over one data set (its digest)."""

    def __init__(self, experiment: Experiment, data_digest: str, store: Store) -> None:
        self.experiment = experiment
        self.store = store
        self.training = experiment.training_digest(data_digest)
        self.baselines = {name: experiment.under(name).training_digest(data_digest) for name in experiment.baselines}
        self.grid = experiment.oracle.grid.values()

    def all(self) -> list[Iterator[Step]]:
        """One generator a chain; SILO's own come first, since a state they need must be kept."""
        seeds = self.experiment.oracle.seeds
        own = [self._silo(seed) for seed in seeds]
        oracle = [] if self.experiment.oracle.follow == "silo" else [self._oracle()]
        return [*own, *oracle, *(chain for name in self.baselines for chain in self._baseline(name))]

    def steps(self) -> Iterator[Step]:
        """Everything that the records tell by now: each chain as far as it goes."""
        for chain in self.all():
            for step in chain:
                yield step
                if isinstance(step, Waiting):
                    break

    def _silo(self, seed: int) -> Iterator[Step]:
        """SILO's own chain: each cycle starts from the mask that its last one left."""
        judged = self.experiment.oracle.follow == "silo"
        start, parent = DENSE, None
        for cycle in range(self.experiment.prune.cycles):
            own = Cell(self.training, seed, cycle, self.experiment.schedule.max_lr(cycle), start)
            yield Wanted(own, candidate=judged and own.max_lr in self.grid, silo=judged, chain=True, parent=parent)
            for value in self.grid if judged else ():
                if value != own.max_lr:
                    yield Wanted(Cell(self.training, seed, cycle, value, start), candidate=True, parent=parent)
            while (record := self._finished(own)) is None:
                yield self._waiting(own, of_grid=judged, chains=1)
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
                        Cell(self.training, seed, cycle, value, starts[seed]),
                        candidate=value in self.grid,
                        silo=value == silo,
                        parent=parents[seed],
                    )
            cells = {value: [Cell(self.training, s, cycle, value, starts[s]) for s in seeds] for value in self.grid}
            best = yield from self._best(cells, of_grid=True, chains=len(seeds))
            if isinstance(best, str):
                yield from self._blocked("the Oracle's chain", cycle + 1, f"{best} at cycle {cycle}")
                return
            # SILO's value stays: SILO's own chain may come to the very cell
            yield Released(tuple(c for value in self.grid if value not in (best, silo) for c in cells[value]))
            records = [self.store.record(cell.id) for cell in cells[best]]
            starts = {seed: record["leaves"] for seed, record in zip(seeds, records, strict=True)}
            parents = dict(zip(seeds, cells[best], strict=True))

    def _baseline(self, name: str) -> list[Iterator[Step]]:
        """A baseline's chains: one a seed; where its max_lr is searched on trajectories, one for every value and seed."""
        seeds, schedule = self.experiment.oracle.seeds, self.experiment.baselines[name].max_lr
        if schedule is not None:
            return [self._follow(name, seed, schedule.make().max_lr, policy=name) for seed in seeds]
        if self.experiment.policies.search.over == "dense":
            cells = {
                value: [Cell(self.baselines[name], s, 0, value) for s in seeds] for value in self.experiment.search_grid
            }
            return [self._best_of_dense(name, seed, cells) for seed in seeds]
        tried = [
            self._follow(f"{name} at max_lr {value:g}", seed, lambda cycle, value=value: value, search=name)
            for value in self.experiment.search_grid
            for seed in seeds
        ]
        return [*tried, self._best_of_trajectories(name)]

    def _follow(
        self, label: str, seed: int, max_lr: Callable[[int], float], policy: str = "", search: str = ""
    ) -> Iterator[Step]:
        """A baseline's chain of one seed at given values of max_lr."""
        start, parent = DENSE, None
        for cycle in range(self.experiment.prune.cycles):
            own = Cell(self.baselines[policy or search], seed, cycle, max_lr(cycle), start)
            yield Wanted(own, policy=policy, search=search, parent=parent)
            while (record := self._finished(own)) is None:
                yield self._waiting(own, of_grid=False, chains=1)
            if isinstance(record, str):
                yield from self._blocked(f"{label}, seed {seed}", cycle + 1, record)
                return
            if parent is not None:
                yield Released((parent,))
            start, parent = record["leaves"], own

    def _best_of_dense(self, name: str, seed: int, cells: Mapping[float, Sequence[Cell]]) -> Iterator[Step]:
        """One seed of a baseline: every value on the dense network, then its chain at the one that is best over all seeds.

        cells: by value, those of all seeds.
        """
        own = {value: tried[self.experiment.oracle.seeds.index(seed)] for value, tried in cells.items()}
        for cell in own.values():
            yield Wanted(cell, search=name)
        best = yield from self._best(cells, of_grid=False, chains=1)
        if isinstance(best, str):
            yield from self._blocked(f"{name}, seed {seed}", 1, f"{best} at cycle 0")
            return
        yield Released(tuple(cell for value, cell in own.items() if value != best))
        yield from self._follow(name, seed, lambda cycle: best, policy=name)

    def _best_of_trajectories(self, name: str) -> Iterator[Step]:
        """Once every value's chain has ended: the cells of the one with the best mean over cycles and seeds."""
        seeds, grid = self.experiment.oracle.seeds, self.experiment.search_grid
        walked = {}
        for value in grid:
            for seed in seeds:
                cells = yield from self._walked(name, seed, value)
                walked.setdefault(value, []).append(cells)
        means = [
            None
            if any(isinstance(cells, str) for cells in of_seeds)
            else self._mean_of([cell for cells in of_seeds for cell in cells])
            for of_seeds in walked.values()
        ]
        best = _best_of(grid, means)
        if best is None:
            yield Blocked(name, 0, "every value's chain failed or diverged")
            return
        for cells in walked[best]:
            yield from (Wanted(cell, policy=name) for cell in cells)

    def _walked(self, name: str, seed: int, value: float) -> Generator[Waiting, None, list[Cell] | str]:
        """The recorded chain of one value, once it has ended; why it has none (a string)."""
        chain, start = [], DENSE
        for cycle in range(self.experiment.prune.cycles):
            chain.append(Cell(self.baselines[name], seed, cycle, value, start))
            while (record := self._finished(chain[-1])) is None:
                yield Waiting(chain[-1], {})
            if isinstance(record, str):
                return record
            start = record["leaves"]
        return chain

    def _best(
        self, cells: Mapping[float, Sequence[Cell]], of_grid: bool, chains: int
    ) -> Generator[Waiting, None, float | str]:
        """The best value by the mean over its cells (one a seed), once all are finished; why there is none (a string)."""
        means = []
        for of_value in cells.values():
            bad = False
            for cell in of_value:
                while (record := self._finished(cell)) is None:
                    yield self._waiting(cell, of_grid, chains)
                bad = bad or isinstance(record, str)
            means.append(None if bad else self._mean_of(of_value))
        best = _best_of(tuple(cells), means)
        return "every candidate failed or diverged" if best is None else best

    def _mean_of(self, cells: Sequence[Cell]) -> float:
        """Mean accuracy, on what the study chooses by, of recorded cells."""
        accuracies = [self.store.record(cell.id)["outcome"][self.experiment.chosen_on] for cell in cells]
        return sum(accuracies) / len(accuracies)

    def _blocked(self, chain: str, cycle: int, reason: str) -> Iterator[Blocked]:
        if cycle < self.experiment.prune.cycles:
            yield Blocked(chain, cycle, reason)

    def _waiting(self, cell: Cell, of_grid: bool, chains: int) -> Waiting:
        grid = self.grid if of_grid else ()
        later = range(cell.cycle + 1, self.experiment.prune.cycles)
        return Waiting(cell, {m: chains * len({*grid, self.experiment.schedule.max_lr(m)}) for m in later})

    def _finished(self, cell: Cell) -> Record | str | None:
        """The record that a next cycle can start from, or why there is none (a string), or None: not finished."""
        if (record := self.store.record(cell.id)) is not None:
            diverged = record["outcome"]["diverged"]
            return f"cycle {cell.cycle} diverged at max_lr {cell.max_lr:g}" if diverged else record
        if (reason := self.store.failure(cell.id)) is not None:
            return f"cycle {cell.cycle} failed at max_lr {cell.max_lr:g}: {reason}"
        return None


def _best_of(values: Sequence[float], means: Sequence[float | None]) -> float | None:
    """The value of the best mean (of a tied plateau: its middle); None where no value has one: a bad seed can't win."""
    interval = find_interval(values, means, tolerance=0.0)
    return None if interval is None else interval.best
