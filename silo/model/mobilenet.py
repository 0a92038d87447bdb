"""MobileNetV2 (Sandler et al. 2018) for 32x32 images: torchvision's, with fewer strides."""

from torch import nn

from silo.model.images import rgb_only

# (expansion, channels, blocks, stride of the first); the paper's table 2, but that the second has stride 2 there
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenetv2(channels: int, size: int, classes: int) -> nn.Module:
    """MobileNetV2 with stride 1 instead of 2 in the stem and in the stage of 24 channels, so that 32x32 ends as 4x4.

    These two are what kuangliu/pytorch-cifar changes (models/mobilenetv2.py). All else is torchvision's, its dropout of
    0.2 before the classifier included; 2,236,682 parameters for 10 classes, as many as with the strides of ImageNet.

    Source: Sandler et al. 2018, arXiv 1801.04381.

    Args:
        channels: Of the images: 3.
        size: Pixels a side of the images.
        classes: How many logits the network returns.

    Returns:
        The network, (n, 3, size, size) -> (n, classes).

    Raises:
        ValueError: For another number of channels.
    """
    from torchvision.models import MobileNetV2

    rgb_only(channels, size)
    model = MobileNetV2(classes, inverted_residual_setting=[list(stage) for stage in STAGES])
    model.features[0][0].stride = (1, 1)  # torchvision has no option for the stem's
    return model
