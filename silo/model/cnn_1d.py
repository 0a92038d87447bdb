"""The small convolutional network for signals of the MNIST-1D paper."""

from itertools import pairwise

from torch import nn

from silo.sample_shape import Size

KERNELS = (5, 3, 3)


def cnn_1d(channels: int, size: Size, classes: int, width: int = 25) -> nn.Module:
    """A convolutional network for signals: three convolutions of stride 2 (kernels 5, 3, 3) with ReLU, and a linear head.

    It has 5,210 parameters for MNIST-1D (1 channel, 40 values, 10 classes).

    Source: Greydanus and Kobak, ICML 2024, arXiv 2011.14439: the package's ConvBase.

    Args:
        channels: Of the signals.
        size: (length,) of the signals, at least 3.
        classes: How many logits the network returns.
        width: Channels of the convolutions, at least 1.

    Returns:
        The network, (n, channels, length) -> (n, classes).

    Raises:
        ValueError: For a width below 1, or samples that are no signals of such a length.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    if isinstance(size, int) or len(size) != 1 or size[0] < 3:
        raise ValueError(f"size must be the length of a signal, at least (3,), for this network, got {size}")
    length, layers = size[0], []
    for (inputs, outputs), kernel in zip(pairwise([channels, *[width] * 3]), KERNELS, strict=True):
        layers += [nn.Conv1d(inputs, outputs, kernel, stride=2, padding=1), nn.ReLU()]
        length = (length + 2 - kernel) // 2 + 1
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * length, classes))
