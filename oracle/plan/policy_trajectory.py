"""One policy's trajectory in one seed: silo.trajectory's loop, each of its trainings requested and waited for."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from oracle.plan.record_view import RecordView, Unusable
from oracle.plan.steps import ReleaseState, Start, Step
from oracle.study.cell import Cell
from silo.trajectory import iterative_pruning


def nothing_before(cycle: int, start: Start) -> Generator[Step, None, str]:
    """Request nothing before a cycle: its max_lr is known."""
    yield from ()
    return ""


@dataclass(frozen=True)
class PolicyTrajectory:
    """A policy's trajectory in one seed.

    Attributes:
        view: the experiment and its records by now.
        label: what a message calls it.
        training: the digest of its trainings.
        seed: 0 or more.
        max_lr: by cycle; it is called once what comes before the cycle has ended.
        requests: what is requested at a cycle, of its own training and its start.
        later: how many trainings it will request at each cycle after the one given, at most.
        releases: whether nobody else starts from the states that it leaves, so that each goes once the next cycle is recorded.
        before: what comes before a cycle's own training, of the cycle and its start; returns why the cycle can't be trained,
            empty where it can.
    """

    view: RecordView
    label: str
    training: str
    seed: int
    max_lr: Callable[[int], float]
    requests: Callable[[Cell, Start], Iterator[Step]]
    later: Callable[[int], Mapping[int, int]]
    releases: bool
    before: Callable[[int, Start], Generator[Step, None, str]] = nothing_before

    def steps(self) -> Iterator[Step]:
        """Request cycle after cycle, as far as the records say."""
        cycles = self.view.experiment.prune.cycles
        pruning = iterative_pruning(self.max_lr, cycles, Start())
        left: Start | None = None  # sending None is what starts a generator
        for cycle in range(cycles):
            if reason := (yield from self.before(cycle, left or Start())):
                yield from self.view.blocked(f"{self.label}, seed {self.seed}", cycle, reason)
                return
            step = pruning.send(left)
            cell = Cell(self.training, self.seed, step.cycle, step.max_lr, step.start.digest)
            yield from self.requests(cell, step.start)
            result = yield from self.view.wait_for(cell, partial(self.later, step.cycle))
            if isinstance(result, Unusable):
                yield from self.view.blocked(f"{self.label}, seed {self.seed}", step.cycle + 1, result.reason)
                return
            if self.releases and step.start.parent is not None:
                yield ReleaseState((step.start.parent,))
            left = Start(result.leaves, cell)
