"""What a weight is worth: a criterion takes one layer's weights and gives a score each; the lowest scores are pruned."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LayerInputs:
    """What a criterion may look at, for one layer; all tensors have the layer's shape and lie on the CPU.

    Attributes:
        final: The weights at the end of the cycle's training; a pruned one is 0.
        epoch_before: The weights one epoch before that.
        random: A generator derived from the cell (seed and cycle), which the cycle's layers share in model order.
        gradient: Returns the training loss's gradient at the final weights, float64 (:func:`silo.evaluation.gradients`). It
            costs an epoch's passes over the network, once for all its layers, and only where a criterion calls it.
    """

    final: Tensor
    epoch_before: Tensor
    random: torch.Generator
    gradient: Callable[[], Tensor]


Criterion = Callable[[LayerInputs], Tensor]
"""Takes one layer's inputs and returns a score for each weight: a tensor of the layer's shape, finite for alive weights.

Scores are compared within a layer or, for scope global, over all layers; pruned weights' scores are not looked at. Your own
is a function of one argument::

    def relative(layer):
        return layer.final.abs() / layer.final.abs().mean()
"""


def magnitude(layer: LayerInputs) -> Tensor:
    """Score each weight by its magnitude, |w|.

    Source: Han et al. 2015, arXiv 1506.02626.

    Args:
        layer: The layer's inputs; ``final`` is used.

    Returns:
        Scores of the layer's shape, at least 0.
    """
    return layer.final.abs()


def movement(layer: LayerInputs) -> Tensor:
    """Score each weight by how far it moved in the last epoch, |w_T - w_(T-1 epoch)|.

    Source: the released ResNet-20 code, which calls it global gradient.

    Args:
        layer: The layer's inputs; ``final`` and ``epoch_before`` are used.

    Returns:
        Scores of the layer's shape, at least 0.
    """
    return (layer.final - layer.epoch_before).abs()


def movement_magnitude(layer: LayerInputs) -> Tensor:
    """Score each weight by movement times magnitude, |w_T - w_(T-1 epoch)| * |w_T|.

    Source: the released VGG-19 code.

    Args:
        layer: The layer's inputs; ``final`` and ``epoch_before`` are used.

    Returns:
        Scores of the layer's shape, at least 0.
    """
    return movement(layer) * magnitude(layer)


def lamp(layer: LayerInputs) -> Tensor:
    """Score each weight by w^2 / (sum of the layer's squares from w^2 up): LAMP, made for scope global.

    Equal squares are sorted by position, earlier first, and the earlier's sum holds the later ones: so only a layer's largest
    weight scores 1, the others at most 1/2. A weight of 0 scores 0, in a layer of zeros too.

    Source: Lee et al. 2021, arXiv 2010.07611.

    Args:
        layer: The layer's inputs; ``final`` is used.

    Returns:
        Scores of the layer's shape, float64, in [0, 1].
    """
    squares, order = layer.final.double().square().flatten().sort(stable=True)
    from_here_up = squares.flip(0).cumsum(0).flip(0).clamp_min(torch.finfo(torch.float64).tiny)
    return torch.empty_like(squares).index_copy_(0, order, squares / from_here_up).view(layer.final.shape)


def gradient_weight(layer: LayerInputs) -> Tensor:
    """Score each weight by |g * w|, g the gradient at the final weights: the loss's change without w, to first order.

    SNIP (Lee et al. 2019, arXiv 1810.02340) scores so before training and on one batch, Molchanov et al. (2017) whole
    channels; after training, over all training images and for each weight is our choice.

    Args:
        layer: The layer's inputs; ``final`` and ``gradient`` are used.

    Returns:
        Scores of the layer's shape, float64, at least 0.
    """
    return (layer.gradient() * layer.final).abs()


def random(layer: LayerInputs) -> Tensor:
    """Score each weight by uniform noise: the control.

    Args:
        layer: The layer's inputs; the shape of ``final`` and the generator ``random`` are used.

    Returns:
        Scores of the layer's shape, in [0, 1).
    """
    return torch.rand(layer.final.shape, generator=layer.random)
