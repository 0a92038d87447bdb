"""A baseline's trajectories: one a seed, at a max_lr that is given or searched; each goes its own masks."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial

from oracle.plan.policy_trajectory import PolicyTrajectory, nothing_before
from oracle.plan.range_tests import RangeTests
from oracle.plan.record_view import RecordView, Unusable, best_value
from oracle.plan.steps import Blocked, Pending, ReleaseState, Request, Role, Start, Step
from oracle.study.cell import DENSE, Cell
from oracle.study.record import Record
from silo.number import plain

OWN, TRIED = frozenset({Role.POLICY}), frozenset({Role.SEARCH})


class BaselineTrajectories:
    """The trajectories of one baseline, and the search for its max_lr.

    Args:
        view: the experiment and its records by now.
        name: the baseline's.
        training: the digest of its trainings.
        tests: the digest of its range tests' trainings; None where it has none.
    """

    def __init__(self, view: RecordView, name: str, training: str, tests: str | None = None) -> None:
        self.view, self.name, self.training, self.tests = view, name, training, tests
        self.experiment = view.experiment
        self.seeds = view.experiment.oracle.seeds

    def all(self) -> list[Iterator[Step]]:
        """One a seed; where its max_lr is searched on trajectories, one for every value and seed, and the best's."""
        schedule, grid = self.experiment.baseline_schedule(self.name), self.experiment.search_grid
        if schedule is not None:
            # an imported one may return numpy's numbers, which no record holds
            return [self._at(lambda cycle: plain(schedule.max_lr(cycle)), seed) for seed in self.seeds]
        if self.tests is not None:
            return [self._tested(RangeTests(self.view, self.name, self.tests, seed)) for seed in self.seeds]
        if self.experiment.policies.search.over == "dense":
            cells = {value: [Cell(self.training, seed, 0, value) for seed in self.seeds] for value in grid}
            return [self._best_of_dense(seed, cells) for seed in self.seeds]
        tried = [self._tried(value, seed) for value in grid for seed in self.seeds]
        return [*tried, self._best_of_trajectories()]

    def _at(self, max_lr: Callable[[int], float], seed: int) -> Iterator[Step]:
        """Its own trajectory in one seed."""
        return self._trajectory(self.name, OWN, max_lr, seed)

    def _tested(self, tests: RangeTests) -> Iterator[Step]:
        """Its own trajectory in one seed, each cycle's max_lr chosen by a test of the cycle's own start."""
        return self._trajectory(self.name, OWN, tests.max_lr, tests.seed, tests)

    def _tried(self, value: float, seed: int) -> Iterator[Step]:
        """The trajectory of one value that the search tries, in one seed."""
        return self._trajectory(f"{self.name} at max_lr {value:g}", TRIED, lambda cycle: value, seed)

    def _trajectory(
        self,
        label: str,
        roles: frozenset[Role],
        max_lr: Callable[[int], float],
        seed: int,
        tests: RangeTests | None = None,
    ) -> Iterator[Step]:
        def requests(cell: Cell, start: Start) -> Iterator[Step]:
            yield Request(cell, roles, self.name, start.parent)

        def later(cycle: int) -> Mapping[int, int]:
            return self.view.later(cycle, 1 if tests is None else 2)

        before = nothing_before if tests is None else tests.before

        return PolicyTrajectory(
            self.view, label, self.training, seed, max_lr, requests, later, releases=True, before=before
        ).steps()

    def _best_of_dense(self, seed: int, cells: Mapping[float, Sequence[Cell]]) -> Iterator[Step]:
        """One seed: every value on the dense network, then the trajectory at the one that is best over all seeds.

        Args:
            seed: one of the study's.
            cells: by value, those of all seeds.
        """
        own = {value: of_seeds[self.seeds.index(seed)] for value, of_seeds in cells.items()}
        for cell in own.values():
            yield Request(cell, TRIED, self.name)
        best = yield from self.view.best(cells, partial(self.view.later, 0, 1))
        if best is None:
            reason = "every candidate failed or diverged at cycle 0"
            yield from self.view.blocked(f"{self.name}, seed {seed}", 1, reason)
            return
        yield ReleaseState(tuple(cell for value, cell in own.items() if value != best))
        yield from self._at(lambda cycle: best, seed)

    def _best_of_trajectories(self) -> Iterator[Step]:
        """Once every value's trajectories have ended: the cells of the one with the best mean over cycles and seeds."""
        cells: dict[float, list[Cell]] = {}
        means = []
        for value in self.experiment.search_grid:
            cells[value], results = [], []
            for seed in self.seeds:
                walked, of_seed = yield from self._ended(seed, value)
                cells[value] += walked
                results += of_seed
            means.append(self.view.mean(results))
        best = best_value(self.experiment.search_grid, means)
        if best is None:
            yield Blocked(self.name, 0, "every value's chain failed or diverged")
            return
        for cell in cells[best]:
            yield Request(cell, OWN, self.name)

    def _ended(self, seed: int, value: float) -> Generator[Pending, None, tuple[list[Cell], list[Record | Unusable]]]:
        """The cells of one value's trajectory, once it has ended, and what came of each; the last may be unusable."""
        cells, results, start = [], [], DENSE
        for cycle in range(self.experiment.prune.cycles):
            cells.append(Cell(self.training, seed, cycle, value, start))
            results.append((yield from self.view.wait_for(cells[-1], dict)))
            if isinstance(results[-1], Unusable):
                break
            start = results[-1].leaves
        return cells, results
