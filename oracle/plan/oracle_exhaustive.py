"""The Oracle's own trajectory (``follow: oracle``) where it tries every grid value in every seed."""

from collections.abc import Iterator
from functools import partial

from oracle.plan.record_view import RecordView
from oracle.plan.steps import ReleaseState, Request, Role, Start, Step
from oracle.study.cell import Cell


class OracleTrajectory:
    """The Oracle's trajectory: all seeds go on from the one grid value with the best mean, each from its own mask.

    Args:
        view: the experiment and its records by now.
        training: the digest of its trainings.
    """

    def __init__(self, view: RecordView, training: str) -> None:
        self.view, self.training = view, training
        self.experiment = view.experiment
        self.grid = view.experiment.oracle.grid.values()
        self.seeds = view.experiment.oracle.seeds

    def steps(self) -> Iterator[Step]:
        """Request cycle after cycle, as far as the records say."""
        starts = dict.fromkeys(self.seeds, Start())
        for cycle in range(self.experiment.prune.cycles):
            silo = self.experiment.schedule.max_lr(cycle)
            yield from self._requests(cycle, silo, starts)
            cells = {value: [self._cell(cycle, value, seed, starts) for seed in self.seeds] for value in self.grid}
            best = yield from self.view.best(cells, partial(self._later, cycle))
            if best is None:
                reason = f"every candidate failed or diverged at cycle {cycle}"
                yield from self.view.blocked("the Oracle's chain", cycle + 1, reason)
                return
            # SILO's value stays: SILO's own trajectory may come to the very cell
            losers = [value for value in self.grid if value not in (best, silo)]
            yield ReleaseState(tuple(cell for value in losers for cell in cells[value]))
            starts = {cell.seed: Start(self.view.finished(cell).leaves, cell) for cell in cells[best]}

    def _requests(self, cycle: int, silo: float, starts: dict[int, Start]) -> Iterator[Step]:
        for seed in self.seeds:
            for value in sorted({*self.grid, silo}):
                roles = {Role.CANDIDATE} if value in self.grid else set()
                if value == silo:
                    roles.add(Role.SILO)
                yield Request(self._cell(cycle, value, seed, starts), frozenset(roles), parent=starts[seed].parent)

    def _cell(self, cycle: int, max_lr: float, seed: int, starts: dict[int, Start]) -> Cell:
        return Cell(self.training, seed, cycle, max_lr, starts[seed].digest)

    def _later(self, cycle: int) -> dict[int, int]:
        cycles = range(cycle + 1, self.experiment.prune.cycles)
        grid, schedule = frozenset(self.grid), self.experiment.schedule
        return {later: len(self.seeds) * (len(grid) + (schedule.max_lr(later) not in grid)) for later in cycles}
