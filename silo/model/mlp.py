"""A multilayer perceptron."""

from itertools import pairwise

from torch import nn


def mlp(channels: int, size: int, classes: int, hidden: tuple[int, ...] = (100, 100)) -> nn.Module:
    """Flattened images (channels x size x size), ReLU layers of the ``hidden`` widths (each at least 1), a linear head."""
    if not all(width >= 1 for width in hidden):
        raise ValueError(f"hidden: {list(hidden)}: widths of at least 1 are allowed")
    widths = [channels * size * size, *hidden]
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], classes))
