"""What a weight is worth: a criterion takes one layer's weights and gives a score each; the lowest scores are pruned."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Evidence:
    """What a criterion may look at, for one layer; all tensors have the layer's shape and lie on the CPU.

    final         the weights at the end of the cycle's training
    epoch_before  the weights one epoch before that
    random        a generator derived from the cell (seed and cycle)
    """

    final: Tensor
    epoch_before: Tensor
    random: torch.Generator


Criterion = Callable[[Evidence], Tensor]


def magnitude(layer: Evidence) -> Tensor:
    """|w| (Han et al. 2015)."""
    return layer.final.abs()


def movement(layer: Evidence) -> Tensor:
    """|w_T - w_(T-1 epoch)|: what the released ResNet-20 code ranks by and calls global gradient."""
    return (layer.final - layer.epoch_before).abs()


def movement_magnitude(layer: Evidence) -> Tensor:
    """|w_T - w_(T-1 epoch)| * |w_T|: the released VGG-19 code."""
    return movement(layer) * magnitude(layer)


def random(layer: Evidence) -> Tensor:
    """Uniform noise: the control."""
    return torch.rand(layer.final.shape, generator=layer.random)


CRITERIA: dict[str, Criterion] = {
    "magnitude": magnitude,
    "movement": movement,
    "movement-magnitude": movement_magnitude,
    "random": random,
}
