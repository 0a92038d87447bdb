"""DenseNet for small images (Huang et al. 2017); torchvision's has bottlenecks, compression and an ImageNet stem."""

import torch
from torch import Tensor, nn

from silo.model.images import at_least

GROWTH = 12


class DenseLayer(nn.Sequential):
    """Batch norm, ReLU and a 3x3 convolution, whose output joins the input.

    (n, inputs, h, w) becomes (n, inputs + GROWTH, h, w).
    """

    def __init__(self, inputs: int) -> None:
        super().__init__(
            nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, GROWTH, kernel_size=3, padding=1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, super().forward(x)], 1)


def _transition(width: int) -> list[nn.Module]:
    """The layers between two blocks: they halve the image and keep its channels."""
    return [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, kernel_size=1, bias=False), nn.AvgPool2d(2)]


def densenet40(channels: int, size: int, classes: int) -> nn.Module:
    """DenseNet (L = 40, k = 12): 3x3 stem of 16 channels, 3 dense blocks of 12 layers, 1x1 transitions, mean pool, linear.

    It has no bottleneck, no compression and no dropout; 1,019,722 parameters for 3 channels and 10 classes.

    Source: Huang et al. 2017, arXiv 1608.06993.

    Args:
        channels: Of the images.
        size: Pixels a side of the images, at least 4: they are halved twice.
        classes: How many logits the network returns.

    Returns:
        The network, (n, channels, size, size) -> (n, classes).

    Raises:
        ValueError: For a smaller size, or samples that are no square images.
    """
    at_least(size, 4)
    width = 16
    layers: list[nn.Module] = [nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False)]
    for block in range(3):
        if block > 0:
            layers += _transition(width)
        for _ in range(12):
            layers.append(DenseLayer(width))
            width += GROWTH
    layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]
    return nn.Sequential(*layers)
