"""Which samples a network takes; each check raises ValueError for the others."""

from silo.sample_shape import Size


def square_only(size: Size) -> None:
    """Check that samples are square images, which convolutions in two dimensions take."""
    if not isinstance(size, int):
        raise ValueError(f"size must be the pixels a side of square images for this network, got {size}")


def rgb_only(channels: int, size: Size) -> None:
    """Check that samples are square images of 3 channels, with which torchvision's networks begin."""
    square_only(size)
    if channels != 3:
        raise ValueError(f"channels must be 3 for this network, got {channels}")


def at_least(size: Size, smallest: int) -> None:
    """Check that images are large enough for a network that halves them again and again."""
    square_only(size)
    if size < smallest:
        raise ValueError(f"size must be at least {smallest} for this network, got {size}")


def in_patches(size: int, patch: int) -> None:
    """Check that a vision transformer can cut images into whole patches."""
    if size < patch or size % patch:
        raise ValueError(f"size must be a multiple of {patch}, this network's patch, got {size}")
