"""The range tests of a baseline in one seed: a training before each cycle of its trajectory, which chooses its max_lr."""

from collections.abc import Generator

from oracle.plan.record_view import RecordView, Unusable
from oracle.plan.steps import Pending, ReleaseState, Request, Role, Start
from oracle.study.cell import Cell


class RangeTests:
    """Requests the test of each cycle, once the state is known that the cycle starts from, and remembers what it chose.

    Args:
        view: the experiment and its records by now.
        name: the baseline's.
        training: the digest of the tests' trainings.
        seed: 0 or more.
    """

    def __init__(self, view: RecordView, name: str, training: str, seed: int) -> None:
        self.view, self.name, self.training, self.seed = view, name, training, seed
        self.test = view.experiment.baselines[name].range_test.make()
        self._chosen: dict[int, float] = {}

    def max_lr(self, cycle: int) -> float:
        """The max_lr that the test of a cycle chose, once :meth:`before` has gone through it."""
        return self._chosen[cycle]

    def before(self, cycle: int, start: Start) -> Generator[Request | Pending | ReleaseState, None, str]:
        """Request the test of a cycle and wait for it.

        Returns:
            Why the cycle can't be trained; empty where it can. A test that diverged is one.
        """
        cell = Cell(self.training, self.seed, cycle, self.test.high, start.digest)
        yield Request(cell, frozenset({Role.SEARCH}), self.name, start.parent)
        result = yield from self.view.wait_for(cell, lambda: {cycle: 1} | self.view.later(cycle, 2))
        record = self.view.records.whole_record(cell.id)  # of one that diverged, too
        if isinstance(result, Unusable) and record is None:
            return f"its range test failed: {result.reason}"
        yield ReleaseState((cell,))
        losses = [epoch.loss for epoch in record.outcome.curve]
        self._chosen[cycle] = self.test.max_lr(losses, self.view.experiment.train.epochs)
        return ""
