"""SILO's own trajectory, and the Oracle's candidates on its masks."""

from collections.abc import Iterator, Mapping

from oracle.plan.policy_trajectory import PolicyTrajectory
from oracle.plan.record_view import RecordView
from oracle.plan.steps import Request, Role, Start, Step
from oracle.study.cell import Cell


class SiloTrajectories:
    """SILO's trajectories, one a seed: each cycle starts from the mask that its last one left.

    Args:
        view: the experiment and its records by now.
        training: the digest of its trainings.
    """

    def __init__(self, view: RecordView, training: str) -> None:
        oracle = view.experiment.oracle
        self.view, self.training = view, training
        self.experiment = view.experiment
        self.grid = oracle.grid.values()
        self.judged = oracle.follow == "silo"  # SILO's masks are those on which the Oracle's candidates are tried
        self.beside = self.grid if self.judged and oracle.search.is_exhaustive else ()  # requested at every cycle

    def all(self) -> list[Iterator[Step]]:
        """One a seed."""
        return [
            PolicyTrajectory(
                self.view,
                "SILO's chain",
                self.training,
                seed,
                self.experiment.schedule.max_lr,
                self._requests,
                self._later,
                releases=False,
            ).steps()
            for seed in self.experiment.oracle.seeds
        ]

    def _requests(self, own: Cell, start: Start) -> Iterator[Step]:
        roles = {Role.CHAIN}
        if self.judged:
            roles.add(Role.SILO)
            if own.max_lr in self.grid:
                roles.add(Role.CANDIDATE)
        yield Request(own, frozenset(roles), parent=start.parent)
        for value in self.beside:
            if value != own.max_lr:
                cell = Cell(self.training, own.seed, own.cycle, value, start.digest)
                yield Request(cell, frozenset({Role.CANDIDATE}), parent=start.parent)

    def _later(self, cycle: int) -> Mapping[int, int]:
        cycles = range(cycle + 1, self.experiment.prune.cycles)
        beside, schedule = frozenset(self.beside), self.experiment.schedule
        return {later: len(beside) + (schedule.max_lr(later) not in beside) for later in cycles}
