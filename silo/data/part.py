"""What a part of a data set is to those who use it, whether its images lie in memory or stream from their files."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from silo.data.augment import Augment


class Batches(Protocol):
    """Labelled images that are read batch by batch.

    Attributes:
        labels: int64 (n), from 0 to the number of classes - 1.
        channels: 1 for grey, 3 for red, green, blue.
        size: Pixels a side.
    """

    labels: Tensor
    channels: int
    size: int

    def __len__(self) -> int: ...

    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(pixels, labels) of the images, batch by batch, on the labels' device.

        Args:
            batch_size: Images of a batch, at least 1; the last may have fewer.
            order: int64 indices of the images to read, in this order; None for all in their own.
            random: Draws the augmentation that the images were given; None leaves them as they are.

        Returns:
            Pixels (n, channels, size, size), uint8, or floats that are normalized already; labels int64 (n).
        """
        ...


class Part(Batches, Protocol):
    """Batches that can be cut, joined, moved and augmented."""

    def __getitem__(self, index: Tensor | slice) -> Self: ...

    def to(self, device: torch.device) -> Self:
        """These images with their batches on a device."""
        ...

    def joined(self, other: Self) -> Self:
        """These images, then the other ones."""
        ...

    def check(self, augment: Augment) -> None:
        """Check that such images can be augmented so; raises DataError where they can't."""
        ...

    def augmented(self, augment: Augment) -> AbstractContextManager[Batches]:
        """The images ready to be read augmented, epoch after epoch; what that takes is given back at the end."""
        ...

    def histogram(self) -> Tensor:
        """How often each value 0..255 occurs in each channel, (channels, 256); raises DataError where that isn't known."""
        ...

    def content(self) -> Iterator[bytes | np.ndarray]:
        """What a digest of the images is made from."""
        ...
