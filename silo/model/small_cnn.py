"""A small convolutional network for small images."""

from torch import nn

from silo.model.images import square_only


def small_cnn(channels: int, size: int, classes: int, width: int = 16) -> nn.Module:
    """A small convolutional network: three blocks of 3x3 convolution, batch norm and ReLU, mean pool, linear.

    The blocks have width, 2 width and 4 width channels; the last two halve the image.

    Args:
        channels: Of the images.
        size: Pixels a side of the images.
        classes: How many logits the network returns.
        width: Channels of the first block, at least 1.

    Returns:
        The network, (n, channels, size, size) -> (n, classes).

    Raises:
        ValueError: For a width below 1, or samples that are no square images.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    square_only(size)

    def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    blocks = [*block(channels, width, 1), *block(width, 2 * width, 2), *block(2 * width, 4 * width, 2)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, classes))
