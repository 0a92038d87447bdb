"""The weights that a cycle starts from: drawn anew, rewound, or kept.

A restart answers three questions: which cycle's initialization is drawn, at which iteration of a cycle the weights
are remembered, and which weights (a state_dict, or None: draw them) the next cycle carries over.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from silo.duration import Duration

Weights = dict[str, Tensor]


class Restart(Protocol):
    """How a pruning cycle's weights begin; the mask is applied to them afterwards."""

    def initialization_cycle(self, cycle: int) -> int: ...
    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None: ...
    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None: ...


@dataclass(frozen=True)
class Reinit:
    """New random weights at every cycle (the released code); batch-norm statistics start fresh."""

    def initialization_cycle(self, cycle: int) -> int:
        """Each cycle draws its own."""
        return cycle

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """Nothing is remembered."""
        return None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """Nothing is carried."""
        return None


@dataclass(frozen=True)
class Rewind:
    """Back to the dense network's weights after ``to`` of its training (Frankle et al. 2020); 0it: its initialization."""

    to: Duration = Duration("0it")

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", Duration(self.to))

    def initialization_cycle(self, cycle: int) -> int:
        """Always the dense network's."""
        return 0

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """Once, in the dense network's training."""
        return self.to.iterations(steps_per_epoch) or None if cycle == 0 else None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """The remembered weights, from cycle to cycle."""
        return remembered if remembered is not None else start


@dataclass(frozen=True)
class Keep:
    """Training goes on from the final weights; only the learning rate rewinds (Renda, Frankle and Carbin 2020)."""

    def initialization_cycle(self, cycle: int) -> int:
        """Drawn for the dense network alone."""
        return 0

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """The final weights are all that's needed."""
        return None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """The final weights."""
        return final


RESTARTS = {"reinit": Reinit, "rewind": Rewind, "keep": Keep}
