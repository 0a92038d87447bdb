"""Which images a network takes; each check raises ValueError for the others."""


def rgb_only(channels: int) -> None:
    """Check that images have 3 channels, with which torchvision's networks begin."""
    if channels != 3:
        raise ValueError(f"channels must be 3 for this network, got {channels}")


def at_least(size: int, smallest: int) -> None:
    """Check that images are large enough for a network that halves them again and again."""
    if size < smallest:
        raise ValueError(f"size must be at least {smallest} for this network, got {size}")


def in_patches(size: int, patch: int) -> None:
    """Check that a vision transformer can cut images into whole patches."""
    if size < patch or size % patch:
        raise ValueError(f"size must be a multiple of {patch}, this network's patch, got {size}")
