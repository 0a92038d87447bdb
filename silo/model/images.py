"""Which images a network takes; each check raises ValueError in one line for the others."""


def rgb_only(channels: int) -> None:
    """torchvision's networks begin with 3 channels."""
    if channels != 3:
        raise ValueError(f"channels: {channels}: this network allows 3")


def at_least(size: int, smallest: int) -> None:
    """What halves an image again and again needs one that lasts."""
    if size < smallest:
        raise ValueError(f"size: {size}: this network allows {smallest} and more")


def in_patches(size: int, patch: int) -> None:
    """A vision transformer cuts the image into whole patches."""
    if size < patch or size % patch:
        raise ValueError(f"size: {size}: this network allows multiples of {patch}, its patch")
