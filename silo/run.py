"""A whole trajectory of iterative pruning, trained in this process."""

from collections.abc import Iterator

from silo.cycle import CycleResult, Problem, run_cycle
from silo.schedule import Schedule
from silo.state import State
from silo.trajectory import iterative_pruning


def train_trajectory(problem: Problem, schedule: Schedule, cycles: int, seed: int) -> Iterator[CycleResult]:
    """Train and prune, cycle after cycle, at the schedule's max_lr; yields each cycle's result once it is trained.

    Args:
        problem: The network, data, recipe, pruning and restart.
        schedule: The max_lr of each cycle.
        cycles: How many cycles to train, the dense network's included.
        seed: The seed of the split, initialization, order and augmentation: equal seeds give equal numbers.

    Yields:
        The result of cycle 0, 1, ...; after one that diverged nothing more.

    >>> from silo import SiloSchedule, WarmupStep, train_trajectory
    >>> from silo.criterion import magnitude
    >>> from silo.cycle import Problem
    >>> from silo.pruning_rule import Pruning
    >>> from silo.data.digits import digits
    >>> from silo.data.normalize import Normalize
    >>> from silo.data.split import Pooled, split
    >>> from silo.model.mlp import mlp
    >>> from silo.recipe import Recipe
    >>> from silo.restart import Reinit
    >>> problem = Problem(
    ...     build=lambda: mlp(channels=1, size=8, classes=10),
    ...     data=lambda seed: split(digits(), Pooled(), Normalize(), seed),
    ...     recipe=Recipe(epochs=2, batch_size=64, momentum=0.9, weight_decay=5e-4, shape=WarmupStep("1ep")),
    ...     pruning=Pruning(magnitude, "global", rate=0.2, norm=True, first=True, head=True),
    ...     restart=Reinit(),
    ... )
    >>> silo = SiloSchedule(epsilon=0.03, delta=0.04, beta=5, delay=1, prune_rate=0.2)
    >>> [result.alive for result in train_trajectory(problem, silo, cycles=3, seed=0)]
    [17400, 13920, 11136]
    """
    steps = iterative_pruning(schedule.max_lr, cycles, State())
    left: State | None = None  # sending None is what starts a generator
    while True:
        try:
            step = steps.send(left)
        except StopIteration:
            return
        result = run_cycle(problem, seed, step.cycle, step.max_lr, step.start)
        yield result
        left = result.leaves
