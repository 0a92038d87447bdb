"""Vision transformers (Dosovitskiy et al. 2021), torchvision's."""

from torch import nn

from silo.model.images import in_patches, rgb_only


def vit_b_16(channels: int, size: int, classes: int) -> nn.Module:
    """ViT-B/16, for images of 3 channels whose size is a multiple of 16; 86,567,656 parameters for 224 and 1000 classes.

    Raises ValueError for others.
    """
    from torchvision.models import vit_b_16

    rgb_only(channels)
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
    """A ViT for small images of 3 channels; the defaults are ViT-Lite-7/4's (Hassani et al. 2021), but for its dropouts.

    patch    side of the squares that the image is cut into, at least 1; the size must be a multiple of it
    width    of a token, at least 1; the two layers of each block's perceptron are 2 width and width wide
    depth    transformer blocks, 1 to 100
    heads    of attention, a divisor of the width
    dropout  after the position embeddings, the attention and each layer of the perceptrons, from 0, under 1
    3,722,250 parameters by default, for 32x32 and 10 classes. Raises ValueError for what is not allowed.
    """
    from torchvision.models import VisionTransformer

    for name, value in (("patch", patch), ("width", width)):
        if value < 1:
            raise ValueError(f"{name}: {value}: at least 1 is allowed")
    if not 1 <= depth <= 100:
        raise ValueError(f"depth: {depth}: 1 to 100 is allowed")
    if heads < 1 or width % heads:
        raise ValueError(f"heads: {heads}: a divisor of the width {width} is allowed")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout: {dropout}: a share from 0, under 1, is allowed")
    rgb_only(channels)
    in_patches(size, patch)
    return VisionTransformer(size, patch, depth, heads, width, 2 * width, dropout, num_classes=classes)
