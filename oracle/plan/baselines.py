"""A baseline's chains: one a seed, at a max_lr that is given or searched; each goes its own masks."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from oracle.experiment.spec import DENSE
from oracle.plan.record_view import RecordView, best_of
from oracle.plan.steps import Blocked, Pending, ReleaseState, Request, Step
from oracle.study.cell import Cell


class BaselineTrajectories:
    """One baseline; training: the digest of its trainings."""

    def __init__(self, walk: RecordView, name: str, training: str) -> None:
        self.walk, self.name, self.training = walk, name, training
        self.experiment = walk.experiment
        self.seeds = walk.experiment.oracle.seeds

    def all(self) -> list[Iterator[Step]]:
        """One a seed; where its max_lr is searched on trajectories, one for every value and seed, and the best's."""
        schedule, grid = self.experiment.baselines[self.name].max_lr, self.experiment.search_grid
        if schedule is not None:
            return [self._follow(seed, schedule.make().max_lr) for seed in self.seeds]
        if self.experiment.policies.search.over == "dense":
            cells = {value: [Cell(self.training, s, 0, value) for s in self.seeds] for value in grid}
            return [self._best_of_dense(seed, cells) for seed in self.seeds]
        tried = [
            self._follow(seed, lambda cycle, value=value: value, tried=value) for value in grid for seed in self.seeds
        ]
        return [*tried, self._best_of_trajectories()]

    def _follow(self, seed: int, max_lr: Callable[[int], float], tried: float | None = None) -> Iterator[Step]:
        """The chain of one seed at given values of max_lr; tried: it is one value of the search."""
        start, parent = DENSE, None
        role = {"policy": self.name} if tried is None else {"search": self.name}
        label = self.name if tried is None else f"{self.name} at max_lr {tried:g}"
        for cycle in range(self.experiment.prune.cycles):
            own = Cell(self.training, seed, cycle, max_lr(cycle), start)
            yield Request(own, parent=parent, **role)
            while (record := self.walk.finished(own)) is None:
                yield Pending(own, self.walk.later(cycle, 1))
            if isinstance(record, str):
                yield from self.walk.blocked(f"{label}, seed {seed}", cycle + 1, record)
                return
            if parent is not None:
                yield ReleaseState((parent,))
            start, parent = record["leaves"], own

    def _best_of_dense(self, seed: int, cells: Mapping[float, Sequence[Cell]]) -> Iterator[Step]:
        """One seed: every value on the dense network, then the chain at the one that is best over all seeds.

        cells: by value, those of all seeds.
        """
        own = {value: tried[self.seeds.index(seed)] for value, tried in cells.items()}
        for cell in own.values():
            yield Request(cell, search=self.name)
        best = yield from self.walk.best(cells, self.walk.later(0, 1))
        if isinstance(best, str):
            yield from self.walk.blocked(f"{self.name}, seed {seed}", 1, f"{best} at cycle 0")
            return
        yield ReleaseState(tuple(cell for value, cell in own.items() if value != best))
        yield from self._follow(seed, lambda cycle: best)

    def _best_of_trajectories(self) -> Iterator[Step]:
        """Once every value's chain has ended: the cells of the one with the best mean over cycles and seeds."""
        walked = {}
        for value in self.experiment.search_grid:
            for seed in self.seeds:
                cells = yield from self._walked(seed, value)
                walked.setdefault(value, []).append(cells)
        means = [
            None
            if any(isinstance(cells, str) for cells in of_seeds)
            else self.walk.mean_of([cell for cells in of_seeds for cell in cells])
            for of_seeds in walked.values()
        ]
        best = best_of(self.experiment.search_grid, means)
        if best is None:
            yield Blocked(self.name, 0, "every value's chain failed or diverged")
            return
        for cells in walked[best]:
            yield from (Request(cell, policy=self.name) for cell in cells)

    def _walked(self, seed: int, value: float) -> Generator[Pending, None, list[Cell] | str]:
        """The recorded chain of one value, once it has ended; why it has none (a string)."""
        chain, start = [], DENSE
        for cycle in range(self.experiment.prune.cycles):
            chain.append(Cell(self.training, seed, cycle, value, start))
            while (record := self.walk.finished(chain[-1])) is None:
                yield Pending(chain[-1], {})
            if isinstance(record, str):
                return record
            start = record["leaves"]
        return chain
