"""What a weight is worth: a criterion takes one layer's weights and gives a score each; the lowest scores are pruned."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LayerInputs:
    """What a criterion may look at, for one layer; all tensors have the layer's shape and lie on the CPU.

    final         the weights at the end of the cycle's training; a pruned one is 0
    epoch_before  the weights one epoch before that
    random        a generator derived from the cell (seed and cycle)
    gradient      gives the training loss's gradient at the final weights (:func:`silo.evaluation.gradients`); it costs an
                  epoch's passes over the network, once for all its layers, and only where a criterion calls it
    """

    final: Tensor
    epoch_before: Tensor
    random: torch.Generator
    gradient: Callable[[], Tensor]


Criterion = Callable[[LayerInputs], Tensor]


def magnitude(layer: LayerInputs) -> Tensor:
    """|w| (Han et al. 2015)."""
    return layer.final.abs()


def movement(layer: LayerInputs) -> Tensor:
    """|w_T - w_(T-1 epoch)|: what the released ResNet-20 code ranks by and calls global gradient."""
    return (layer.final - layer.epoch_before).abs()


def movement_magnitude(layer: LayerInputs) -> Tensor:
    """|w_T - w_(T-1 epoch)| * |w_T|: the released VGG-19 code."""
    return movement(layer) * magnitude(layer)


def lamp(layer: LayerInputs) -> Tensor:
    """w^2 / (sum of the layer's squares from w^2 up), for scope global: LAMP (Lee et al. 2021, arXiv 2010.07611).

    From 0 to 1, float64. Equal squares are sorted by position, earlier first, and the earlier's sum holds the later ones:
    so only a layer's largest weight scores 1, the others at most 1/2. A weight of 0 scores 0, in a layer of zeros too.
    """
    squares, order = layer.final.double().square().flatten().sort(stable=True)
    from_here_up = squares.flip(0).cumsum(0).flip(0).clamp_min(torch.finfo(torch.float64).tiny)
    return torch.empty_like(squares).index_copy_(0, order, squares / from_here_up).view(layer.final.shape)


def gradient_weight(layer: LayerInputs) -> Tensor:
    """|g * w|, float64, g the gradient at the final weights: what the loss would change by to first order without w.

    SNIP (Lee et al. 2019, arXiv 1810.02340) scores so before training and on one batch, Molchanov et al. (2017) whole
    channels; after training, over all training images and for each weight is our choice.
    """
    return (layer.gradient() * layer.final).abs()


def random(layer: LayerInputs) -> Tensor:
    """Uniform noise: the control."""
    return torch.rand(layer.final.shape, generator=layer.random)


CRITERIA: dict[str, Criterion] = {
    "magnitude": magnitude,
    "movement": movement,
    "movement-magnitude": movement_magnitude,
    "lamp": lamp,
    "gradient-weight": gradient_weight,
    "random": random,
}
