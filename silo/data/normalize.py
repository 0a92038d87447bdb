"""What images are normalized by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from silo.data.error import DataError

if TYPE_CHECKING:
    import torch

    from silo.data.part import Part


@dataclass(frozen=True)
class Normalize:
    """What images are normalized by: (pixel / 255 - mean) / std, channel by channel.

    Args:
        mean: Per-channel mean on a scale of 0 to 1; None for that of the training part.
        std: Per-channel standard deviation on that scale, above 0; given exactly where the mean is.

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
        """(mean, std) on the scale of pixel values, each float32 (channels, 1, 1).

        Raises:
            DataError: Where the images have other channels, or don't give the mean and std that weren't given.
        """
        import torch  # here: an experiment that is read needs none

        if self.mean is None:
            counts = train.histogram().double()
            shares, values = counts / counts.sum(1, keepdim=True), torch.arange(256, dtype=torch.float64)
            mean = (shares * values).sum(1)
            std = (shares * (values - mean.view(-1, 1)) ** 2).sum(1).sqrt().clamp_min(1e-3)
        else:
            mean, std = (torch.tensor(values, dtype=torch.float64) * 255 for values in (self.mean, self.std))
        if len(mean) != train.channels:
            raise DataError(
                f"normalize must have a mean and std for each channel ({train.channels} here), got {len(mean)}"
            )
        return mean.float().view(-1, 1, 1), std.float().view(-1, 1, 1)
