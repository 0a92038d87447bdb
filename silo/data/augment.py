"""Random crops and flips: which are wanted."""

from dataclasses import dataclass

MOST_PIXELS = 10**6


@dataclass(frozen=True)
class Augment:
    """How images are augmented in every epoch. The released code uses crop 4 and flip.

    Args:
        crop: Pixels of black padding around an image before it is cropped back to its size at random, at least 0 and at most
            that size; for images in memory.
        flip: Whether an image is mirrored left to right with probability 1/2.
        area: For images that stream: the share of an image's area, (low, high), in (0, 1] and rising, that a window at random
            has, of aspect 3/4 to 4/3, before it is scaled to size (Szegedy et al. 2015, there 0.08 to 1). None for the centre,
            as in evaluation.
        evaluation: Whether validation and test images are augmented, too, as the released code does.

    Raises:
        ValueError: For another crop or area.
    """

    crop: int = 0
    flip: bool = False
    area: tuple[float, ...] | None = None
    evaluation: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.crop <= MOST_PIXELS:
            raise ValueError(f"crop must be at least 0 and at most {MOST_PIXELS} pixels, got {self.crop}")
        if self.area is not None and not (len(self.area) == 2 and 0 < self.area[0] <= self.area[1] <= 1):
            raise ValueError(f"area must be two rising shares of an image in (0, 1], got {list(self.area)}")
