"""Cell: one training, and its id."""

from dataclasses import dataclass
from functools import cached_property

from oracle.experiment.spec import DENSE
from oracle.hashing import digest


@dataclass(frozen=True)
class Cell:
    """One training. The id is a hash of these five fields and of nothing else; whose policy asked for it is not in it.

    training  digest of all that a training depends on (Experiment.training: data, model, train, prune, restart, shape)
    seed      0 or more
    cycle     pruning cycle, from 0
    max_lr    above 0
    start     digest of the state it starts from; "dense" at cycle 0
    """

    training: str
    seed: int
    cycle: int
    max_lr: float
    start: str = DENSE

    @cached_property
    def id(self) -> str:
        """20 hexadecimal digits."""
        return digest([self.training, self.seed, self.cycle, float(self.max_lr), self.start])
