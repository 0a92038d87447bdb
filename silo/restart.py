"""The weights that a cycle starts from: drawn anew, rewound, or kept.

A restart answers three questions: which cycle's initialization is drawn, at which iteration of a cycle the weights
are remembered, and what the next cycle carries over: a state_dict, batch norm's statistics alone, or None (all is drawn).
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from silo.duration import Duration, duration

if TYPE_CHECKING:
    from torch import Tensor

Weights = dict[str, "Tensor"]
"""Tensors by the names that they have in a network's state_dict."""

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def statistics(weights: Weights) -> Weights:
    """Batch norm's running statistics among the weights, by name."""
    return {name: tensor for name, tensor in weights.items() if name.rpartition(".")[2] in STATISTICS}


class Restart(Protocol):
    """How a pruning cycle's weights begin; the mask is applied to them afterwards."""

    def initialization_cycle(self, cycle: int) -> int:
        """The cycle whose initialization is drawn.

        Args:
            cycle: The cycle that starts, from 0.

        Returns:
            A cycle from 0; the same number gives the same initial weights.
        """
        ...

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """The iteration of a cycle after which its weights are remembered.

        Args:
            cycle: The cycle in training, from 0.
            steps_per_epoch: Iterations of one epoch, at least 1.

        Returns:
            An iteration, from 1 to the cycle's last, or None where nothing is remembered.
        """
        ...

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """What the next cycle starts from.

        Args:
            start: What this cycle started from: what the cycle before carried, None at cycle 0.
            remembered: The state_dict at the remembered iteration of this cycle; None where it has none.
            final: The state_dict after this cycle's last iteration.

        Returns:
            A whole state_dict; batch norm's statistics alone, the rest being drawn; or None, where all is drawn.
        """
        ...


@dataclass(frozen=True)
class Reinit:
    """New random weights at every cycle.

    Source: the released code. With ``widen`` it is SuPar's initialization (Dey et al. 2024, arXiv 2405.15743), whose max_lr is
    a :class:`~silo.schedule.DensityPower` of exponent 1.

    Args:
        keep_statistics: Whether batch norm's running statistics go on from the cycle before, as in the released code, where
            only weights and biases are drawn anew; by default they start fresh.
        widen: Whether the weights of pruned layers, normalization's left out, are drawn at 1/d times the variance, d the share
            of the layer's weights that is alive: what a unit sums up is then as wide as in the dense network.
    """

    keep_statistics: bool = False
    widen: bool = False

    def scale(self, alive: int, prunable: int) -> float:
        """What a layer's drawn weights are multiplied by: 1, or 1 / sqrt(alive / prunable) where they are widened.

        Args:
            alive: How many of its weights are alive; where none is, the factor is 1.
            prunable: How many it has, at least 1.

        >>> Reinit(widen=True).scale(alive=16, prunable=64)
        2.0
        """
        return math.sqrt(prunable / alive) if self.widen and alive else 1.0

    def initialization_cycle(self, cycle: int) -> int:
        """The cycle itself: each draws its own."""
        return cycle

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """None: nothing is remembered."""
        return None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """None, or the final statistics where they are kept and the network has any."""
        return (statistics(final) or None) if self.keep_statistics else None


@dataclass(frozen=True)
class Rewind:
    """Back to the weights that the dense network had early in its training.

    Source: Frankle et al. 2020, arXiv 1912.05671; with 0it the lottery ticket's rewind (Frankle and Carbin 2019).

    Args:
        to: How long the dense network was trained until then, in epochs or iterations, at most a cycle; ``0it`` is its
            initialization.

    Raises:
        ValueError: Where it is no duration, or a share of the cycle.
    """

    to: Duration = Duration("0it")

    def __post_init__(self) -> None:
        to = duration("to", self.to)
        if to.unit == "%":
            raise ValueError(f"to must be in epochs or iterations, such as 2ep, got {to}")
        object.__setattr__(self, "to", to)

    def initialization_cycle(self, cycle: int) -> int:
        """0: always the dense network's."""
        return 0

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """The iteration to rewind to, in the dense network's training alone; None for its initialization."""
        return (self.to.iterations(steps_per_epoch) or None) if cycle == 0 else None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """The remembered weights, from cycle to cycle."""
        return remembered if remembered is not None else start


@dataclass(frozen=True)
class Keep:
    """Training goes on from the final weights; only the learning rate rewinds.

    Source: Renda, Frankle and Carbin 2020, arXiv 2003.02389.
    """

    def initialization_cycle(self, cycle: int) -> int:
        """0: drawn for the dense network alone."""
        return 0

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """None: the final weights are all that's needed."""
        return None

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """The final weights."""
        return final


RESTARTS = {"reinit": Reinit, "rewind": Rewind, "keep": Keep}
