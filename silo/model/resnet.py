"""ResNets (He et al. 2016): the CIFAR one, with the 1x1-convolution shortcuts of SILO's released code, and ImageNet's."""

from torch import Tensor, nn
from torch.nn import functional

from silo.model.images import rgb_only, square_only


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, and a shortcut: identity, or 1x1 convolution and batch norm where shapes change.

    (n, inputs, h, w) becomes (n, outputs, h / stride, w / stride).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = _convolution(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(_convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet20(channels: int, size: int, classes: int) -> nn.Module:
    """ResNet-20: 3x3 stem of 16 channels, 3 stages of 3 basic blocks (16, 32, 64 channels), mean pool, linear.

    It has 272,474 parameters for 3 channels and 10 classes.

    Source: He et al. 2016, arXiv 1512.03385, section 4.2, with the shortcuts of SILO's released code.

    Args:
        channels: Of the images.
        size: Pixels a side of the images.
        classes: How many logits the network returns.

    Returns:
        The network, (n, channels, size, size) -> (n, classes).

    Raises:
        ValueError: For samples that are no square images.
    """
    square_only(size)
    widths = [16] * 3 + [32] * 3 + [64] * 3
    blocks = [
        BasicBlock(inputs, outputs, stride=1 if inputs == outputs else 2)
        for inputs, outputs in zip([16, *widths], widths, strict=False)
    ]
    stem = [_convolution(channels, 16, 3, 1), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def resnet50(channels: int, size: int, classes: int) -> nn.Module:
    """torchvision's ResNet-50, with the stem for ImageNet; 25,557,032 parameters for 1000 classes.

    Source: He et al. 2016, arXiv 1512.03385, table 1.

    Args:
        channels: Of the images: 3.
        size: Pixels a side of the images.
        classes: How many logits the network returns.

    Returns:
        The network, (n, 3, size, size) -> (n, classes).

    Raises:
        ValueError: For another number of channels.
    """
    from torchvision.models import resnet50

    rgb_only(channels, size)
    return resnet50(num_classes=classes)
