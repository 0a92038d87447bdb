"""Iterative pruning: train, prune the lowest share of what is alive, restart under the mask, again.

This is the loop alone, free of torch: what trains a cycle, in this process or elsewhere, drives it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

StartT = TypeVar("StartT")


@dataclass(frozen=True)
class CycleStep(Generic[StartT]):
    """What is to be trained next.

    Attributes:
        cycle: The pruning cycle, from 0, which trains the dense network.
        max_lr: The upper bound of the learning rate in this cycle, above 0.
        start: The state that the cycle starts from, in whatever form the driver keeps states.
    """

    cycle: int
    max_lr: float
    start: StartT


def iterative_pruning(
    max_lr: Callable[[int], float], cycles: int, start: StartT
) -> Generator[CycleStep[StartT], StartT | None, None]:
    """Iterative pruning: yields each cycle's training in turn, and is sent the pruned state that it left.

    The driver trains what is yielded, prunes, and sends back the state that the next cycle starts from, or None where the
    training diverged or failed, which ends the trajectory. :func:`silo.run.train_trajectory` drives it in memory.

    Args:
        max_lr: The max_lr of a cycle (0, 1, 2, ...), such as a schedule's method of this name. It is asked for a cycle only
            once that cycle's start is known.
        cycles: How many cycles to train; 0 yields nothing.
        start: The state that cycle 0 starts from: nothing pruned.

    Yields:
        One CycleStep for each cycle that is reached.

    >>> steps = iterative_pruning(lambda cycle: 0.1 * (cycle + 1), cycles=2, start="dense")
    >>> next(steps)
    CycleStep(cycle=0, max_lr=0.1, start='dense')
    >>> steps.send("pruned once")
    CycleStep(cycle=1, max_lr=0.2, start='pruned once')
    """
    for cycle in range(cycles):
        left = yield CycleStep(cycle, max_lr(cycle), start)
        if left is None:
            return
        start = left
