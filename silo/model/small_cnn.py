"""A small convolutional network for small images."""

from torch import nn


def small_cnn(channels: int, size: int, classes: int, width: int = 16) -> nn.Module:
    """Three 3x3 conv-BN-ReLU blocks of width, 2 width and 4 width (the last two halve the image), mean pool, linear."""
    if width < 1:
        raise ValueError(f"width: {width}: at least 1 is allowed")

    def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    blocks = [*block(channels, width, 1), *block(width, 2 * width, 2), *block(2 * width, 4 * width, 2)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, classes))
