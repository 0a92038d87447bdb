"""What samples are normalized by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from silo.data.error import DataError
from silo.sample_shape import sample_shape

if TYPE_CHECKING:
    import torch

    from silo.data.part import Part


@dataclass(frozen=True)
class Normalize:
    """What samples are normalized by, channel by channel: (pixel / 255 - mean) / std of images, (value - mean) / std of floats.

    Args:
        mean: Mean of each channel (of features: of each feature), of images on a scale of 0 to 1; of floats one number may
            stand for all. None for those of the training part, over its samples and positions.
        std: Standard deviation of each channel likewise, above 0; given exactly where the mean is. A mean of 0 and a std of 1
            leave floats as they are.

    Raises:
        ValueError: Where one is given alone, they differ in length, or a deviation isn't above 0.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.std is None) or (self.mean and len(self.mean) != len(self.std)):
            given = " and ".join("none" if values is None else str(list(values)) for values in (self.mean, self.std))
            raise ValueError(f"mean and std must both be given, in one length, or neither, got {given}")
        if self.std and not all(value > 0 for value in self.std):
            raise ValueError(f"std must hold numbers above 0, got {list(self.std)}")

    def constants(self, train: "Part") -> "tuple[torch.Tensor, torch.Tensor]":
        """(mean, std) on the scale of the samples' values, pixels' 0 to 255, each float32 (channels, 1, 1) for images.

        Of other samples they have as many dimensions as these.

        Raises:
            DataError: Where the samples have other channels, or don't give the mean and std that weren't given.
        """
        import torch  # here: an experiment that is read needs none

        floats = train.dtype.is_floating_point
        if self.mean is None:
            mean, std = train.moments()
        else:
            scale = 1 if floats else 255
            mean, std = (torch.tensor(values, dtype=torch.float64) * scale for values in (self.mean, self.std))
            if floats and len(mean) == 1:
                mean, std = mean.expand(train.channels), std.expand(train.channels)
        if len(mean) != train.channels:
            each = f"for each channel ({train.channels} here){', or one for all' if floats else ''}"
            raise DataError(f"normalize must have a mean and std {each}, got {len(mean)}")
        spread = -1, *[1] * (len(sample_shape(train.channels, train.size)) - 1)
        return mean.float().view(spread), std.float().view(spread)
