"""A multilayer perceptron."""

import math
from itertools import pairwise

from torch import nn

from silo.sample_shape import Size, sample_shape


def mlp(channels: int, size: Size, classes: int, hidden: tuple[int, ...] = (100, 100)) -> nn.Module:
    """A multilayer perceptron: samples flattened, ReLU layers, a linear head.

    Args:
        channels: Of the samples, of whatever shape.
        size: Pixels a side of square images, else a sample's other dimensions (:mod:`silo.sample_shape`).
        classes: How many logits the network returns.
        hidden: Widths of the ReLU layers, each at least 1; none for a linear network.

    Returns:
        The network, (n, channels, ...) -> (n, classes).

    Raises:
        ValueError: For a width below 1.
    """
    if not all(width >= 1 for width in hidden):
        raise ValueError(f"hidden must hold widths of at least 1, got {list(hidden)}")
    widths = [math.prod(sample_shape(channels, size)), *hidden]
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], classes))
