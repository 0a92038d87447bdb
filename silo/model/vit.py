"""Vision transformers (Dosovitskiy et al. 2021), torchvision's."""

from torch import nn

from silo.model.images import in_patches, rgb_only


def vit_b_16(channels: int, size: int, classes: int) -> nn.Module:
    """torchvision's ViT-B/16; 86,567,656 parameters for a size of 224 and 1000 classes.

    Source: Dosovitskiy et al. 2021, arXiv 2010.11929.

    Args:
        channels: Of the images: 3.
        size: Pixels a side of the images, a multiple of 16.
        classes: How many logits the network returns.

    Returns:
        The network, (n, 3, size, size) -> (n, classes).

    Raises:
        ValueError: For another number of channels or size.
    """
    from torchvision.models import vit_b_16

    rgb_only(channels, size)
    in_patches(size, 16)
    return vit_b_16(image_size=size, num_classes=classes)


def vit_small(
    channels: int,
    size: int,
    classes: int,
    patch: int = 4,
    width: int = 256,
    depth: int = 7,
    heads: int = 4,
    dropout: float = 0.0,
) -> nn.Module:
    """A vision transformer for small images; the defaults are ViT-Lite-7/4's, but for its dropouts.

    It has 3,722,250 parameters by default, for 32x32 and 10 classes.

    Source: Hassani et al. 2021, arXiv 2104.05704.

    Args:
        channels: Of the images: 3.
        size: Pixels a side of the images, a multiple of the patch.
        classes: How many logits the network returns.
        patch: Side of the squares that the image is cut into, in pixels, at least 1.
        width: Width of a token, at least 1; the two layers of each block's perceptron are 2 width and width wide.
        depth: Transformer blocks, from 1 to 100.
        heads: Heads of attention, a divisor of the width.
        dropout: After the position embeddings, the attention and each layer of the perceptrons, in [0, 1).

    Returns:
        The network, (n, 3, size, size) -> (n, classes).

    Raises:
        ValueError: For any other value.
    """
    from torchvision.models import VisionTransformer

    for name, value in (("patch", patch), ("width", width)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not 1 <= depth <= 100:
        raise ValueError(f"depth must be in [1, 100], got {depth}")
    if heads < 1 or width % heads:
        raise ValueError(f"heads must be a divisor of the width {width}, got {heads}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be in [0, 1), got {dropout}")
    rgb_only(channels, size)
    in_patches(size, patch)
    return VisionTransformer(size, patch, depth, heads, width, 2 * width, dropout, num_classes=classes)
