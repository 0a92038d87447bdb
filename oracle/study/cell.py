"""Cell: one training, and its id."""

from dataclasses import dataclass
from functools import cached_property

from oracle.hashing import digest

DENSE = "dense"  # the digest of the start state of cycle 0


@dataclass(frozen=True)
class Cell:
    """One training. Whose policy requested it is not part of it.

    Attributes:
        training: digest of all that a training depends on (Experiment.training: data, model, train, prune, restart, shape).
        seed: 0 or more.
        cycle: pruning cycle, from 0.
        max_lr: above 0.
        start: digest of the state it starts from; "dense" at cycle 0.
    """

    training: str
    seed: int
    cycle: int
    max_lr: float
    start: str = DENSE

    @cached_property
    def id(self) -> str:
        """A hash of these five fields and of nothing else: 20 hexadecimal digits."""
        return digest([self.training, self.seed, self.cycle, float(self.max_lr), self.start])
