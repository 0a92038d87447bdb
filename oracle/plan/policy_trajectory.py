"""One policy's trajectory in one seed: silo.trajectory's loop, each of its trainings requested and waited for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from oracle.plan.record_view import RecordView, Unusable
from oracle.plan.steps import ReleaseState, Step
from oracle.study.cell import DENSE, Cell
from silo.trajectory import iterative_pruning


@dataclass(frozen=True)
class Start:
    """What a seed's trainings of a cycle start from: the digest of a state, and the cell that left it (None: dense)."""

    digest: str = DENSE
    parent: Cell | None = None


@dataclass(frozen=True)
class PolicyTrajectory:
    """A policy's trajectory in one seed.

    Attributes:
        view: the experiment and its records by now.
        label: what a message calls it.
        training: the digest of its trainings.
        seed: 0 or more.
        max_lr: by cycle.
        requests: what is requested at a cycle, of its own training and its start.
        later: how many trainings it will request at each cycle after the one given, at most.
        releases: whether nobody else starts from the states that it leaves, so that each goes once the next cycle is recorded.
    """

    view: RecordView
    label: str
    training: str
    seed: int
    max_lr: Callable[[int], float]
    requests: Callable[[Cell, Start], Iterator[Step]]
    later: Callable[[int], Mapping[int, int]]
    releases: bool

    def steps(self) -> Iterator[Step]:
        """Request cycle after cycle, as far as the records say."""
        pruning = iterative_pruning(self.max_lr, self.view.experiment.prune.cycles, Start())
        left: Start | None = None  # sending None is what starts a generator
        while True:
            try:
                step = pruning.send(left)
            except StopIteration:
                return
            cell = Cell(self.training, self.seed, step.cycle, step.max_lr, step.start.digest)
            yield from self.requests(cell, step.start)
            result = yield from self.view.wait_for(cell, partial(self.later, step.cycle))
            if isinstance(result, Unusable):
                yield from self.view.blocked(f"{self.label}, seed {self.seed}", step.cycle + 1, result.reason)
                return
            if self.releases and step.start.parent is not None:
                yield ReleaseState((step.start.parent,))
            left = Start(result.leaves, cell)
