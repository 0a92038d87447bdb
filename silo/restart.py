"""The weights that a cycle starts from: drawn anew, rewound, or kept.

A restart answers three questions: which cycle's initialization is drawn, at which iteration of a cycle the weights
are remembered, and what the next cycle carries over: a state_dict, batch norm's statistics alone, or None (all is drawn).
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from silo.duration import Duration

Weights = dict[str, Tensor]


STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def statistics(weights: Weights) -> Weights:
    """Batch norm's running statistics among them, by name."""
    return {name: tensor for name, tensor in weights.items() if name.rpartition(".")[2] in STATISTICS}


class Restart(Protocol):
    """How a pruning cycle's weights begin; the mask is applied to them afterwards."""

    def initialization_cycle(self, cycle: int) -> int: ...
    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None: ...
    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None: ...


@dataclass(frozen=True)
class Reinit:
    """New random weights at every cycle (the released code).

    keep_statistics  batch norm's running statistics go on from the cycle before, as in the released code, where only weights
                     and biases are drawn anew; by default they start fresh
    """

    keep_statistics: bool = False

    def initialization_cycle(self, cycle: int) -> int:
        """Each cycle draws its own."""
        return cycle

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """Nothing is remembered."""
        return None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """Nothing, or the statistics where they are kept and the network has any."""
        return (statistics(final) or None) if self.keep_statistics else None


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
