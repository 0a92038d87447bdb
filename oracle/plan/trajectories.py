"""Which cells a study consists of, cycle after cycle, as far as the records tell.

A chain is a generator. It yields what the study asks for, Pending while it has to wait for a record, and ends after its
last cycle or where it is blocked. It reads only the store, so a sweep and a report walk the very same chains.
"""

from collections.abc import Iterator

from oracle.experiment.spec import DENSE, Experiment
from oracle.plan.baselines import BaselineTrajectories
from oracle.plan.record_view import RecordView
from oracle.plan.searched import SearchTrajectory
from oracle.plan.steps import Pending, ReleaseState, Request, Step
from oracle.study.cell import Cell
from oracle.study.store import Store


class Trajectories:
    """All chains of an experiment over one data set (its digest)."""

    def __init__(self, experiment: Experiment, data_digest: str, store: Store) -> None:
        self.experiment = experiment
        self.store = store
        self.training = experiment.training_digest(data_digest)
        self.baselines = {name: experiment.under(name).training_digest(data_digest) for name in experiment.baselines}
        self.grid = experiment.oracle.grid.values()
        self._walk = RecordView(experiment, store)
        self._exhaustive = experiment.oracle.search.kind == "exhaustive"

    def all(self) -> list[Iterator[Step]]:
        """One generator a chain; SILO's own come first, since a state they need must be kept."""
        own = [self._silo(seed) for seed in self.experiment.oracle.seeds]
        baselines = [BaselineTrajectories(self._walk, name, training) for name, training in self.baselines.items()]
        return [*own, *self._oracles(), *(chain for baseline in baselines for chain in baseline.all())]

    def steps(self) -> Iterator[Step]:
        """Everything that the records tell by now: each chain as far as it goes."""
        for chain in self.all():
            for step in chain:
                yield step
                if isinstance(step, Pending):
                    break

    def _oracles(self) -> list[Iterator[Step]]:
        """The Oracle's, where its cells aren't asked for along SILO's own chain."""
        along_silo = self.experiment.oracle.follow == "silo"
        if self._exhaustive:
            return [] if along_silo else [self._oracle()]
        search = SearchTrajectory(self._walk, self.training, whole_dense=self.experiment.dense_searched_by != "")
        return [search.along_silo() if along_silo else search.along_oracle()]

    def _silo(self, seed: int) -> Iterator[Step]:
        """SILO's own chain: each cycle starts from the mask that its last one left."""
        judged = self.experiment.oracle.follow == "silo"
        grid = self.grid if judged and self._exhaustive else ()
        start, parent = DENSE, None
        for cycle in range(self.experiment.prune.cycles):
            own = Cell(self.training, seed, cycle, self.experiment.schedule.max_lr(cycle), start)
            yield Request(own, candidate=judged and own.max_lr in self.grid, silo=judged, chain=True, parent=parent)
            for value in grid:
                if value != own.max_lr:
                    yield Request(Cell(self.training, seed, cycle, value, start), candidate=True, parent=parent)
            while (record := self._walk.finished(own)) is None:
                yield Pending(own, self._later(cycle, grid, chains=1))
            if isinstance(record, str):
                yield from self._walk.blocked(f"SILO's chain, seed {seed}", cycle + 1, record)
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
                    yield Request(
                        Cell(self.training, seed, cycle, value, starts[seed]),
                        candidate=value in self.grid,
                        silo=value == silo,
                        parent=parents[seed],
                    )
            cells = {value: [Cell(self.training, s, cycle, value, starts[s]) for s in seeds] for value in self.grid}
            best = yield from self._walk.best(cells, self._later(cycle, self.grid, chains=len(seeds)))
            if isinstance(best, str):
                yield from self._walk.blocked("the Oracle's chain", cycle + 1, f"{best} at cycle {cycle}")
                return
            # SILO's value stays: SILO's own chain may come to the very cell
            yield ReleaseState(tuple(c for value in self.grid if value not in (best, silo) for c in cells[value]))
            records = [self.store.record(cell.id) for cell in cells[best]]
            starts = {seed: record["leaves"] for seed, record in zip(seeds, records, strict=True)}
            parents = dict(zip(seeds, cells[best], strict=True))

    def _later(self, cycle: int, grid: tuple[float, ...], chains: int) -> dict[int, int]:
        """What chains that ask for the grid and SILO's value will want at each later cycle."""
        later = range(cycle + 1, self.experiment.prune.cycles)
        return {m: chains * len({*grid, self.experiment.schedule.max_lr(m)}) for m in later}
