"""VGG-19 with batch norm (Simonyan and Zisserman 2015, configuration E), of torchvision's parts."""

from typing import Literal, get_args

import torch
from torch import nn

from silo.model.images import at_least, rgb_only

Classifier = Literal["imagenet", "linear"]


def vgg19(channels: int, size: int, classes: int, classifier: Classifier = "imagenet") -> nn.Module:
    """VGG-19: 16 3x3 convolutions with batch norm, max pooling that halves the image five times, and a classifier.

    Source: Simonyan and Zisserman 2015, arXiv 1409.1556, configuration E.

    Args:
        channels: Of the images: 3.
        size: Pixels a side of the images, at least 32.
        classes: How many logits the network returns.
        classifier: ``imagenet`` is torchvision's vgg19_bn, as SILO's released code has it: adaptive mean pool to 7x7, then
            25088-4096-4096-classes with ReLU and dropout 0.5; 139,622,218 parameters for 10 classes. ``linear`` is the usual
            one for CIFAR: mean pool to 1x1, one linear layer; 20,040,522 parameters.

    Returns:
        The network, (n, 3, size, size) -> (n, classes).

    Raises:
        ValueError: For another classifier, number of channels, a smaller size, or samples that are no square images.
    """
    from torchvision.models.vgg import VGG, cfgs, make_layers

    rgb_only(channels, size)
    at_least(size, 32)
    if classifier not in get_args(Classifier):
        raise ValueError(f"classifier must be {' or '.join(get_args(Classifier))}, got {classifier!r}")
    features = make_layers(cfgs["E"], batch_norm=True)
    if classifier == "imagenet":
        return VGG(features, classes)
    with torch.device("meta"):  # where the 120 million weights that are replaced at once cost nothing
        model = VGG(features)
    model.avgpool, model.classifier = nn.AdaptiveAvgPool2d(1), nn.Linear(512, classes)
    return model
