"""What a part of a data set is to those who use it, whether its images lie in memory or stream from their files."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from silo.data.augment import Augment


class Batches(Protocol):
    """Labelled images of ``channels`` x ``size`` x ``size``, read batch by batch; labels: int64 (n), from 0."""

    labels: Tensor
    channels: int
    size: int

    def __len__(self) -> int: ...

    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(pixels, labels), on the labels' device, of the images in ``order`` (None: their own). Pixels are uint8, or floats
        that are normalized already.

        random  draws the augmentation that the images were given; None: they are not augmented
        """
        ...


class Part(Batches, Protocol):
    """Batches that can be cut, joined, moved and augmented."""

    def __getitem__(self, index: Tensor | slice) -> Self: ...

    def to(self, device: torch.device) -> Self:
        """The same images on a device: there the batches come."""
        ...

    def joined(self, other: Self) -> Self:
        """These images, then the other ones."""
        ...

    def check(self, augment: Augment) -> None:
        """Raises DataError where such images can't be augmented so."""
        ...

    def augmented(self, augment: Augment) -> AbstractContextManager[Batches]:
        """The images ready to be read augmented, epoch after epoch; what that takes is given back at the end."""
        ...

    def histogram(self) -> Tensor:
        """How often each value 0..255 occurs in each channel, (channels, 256); raises DataError where that can't be told."""
        ...

    def content(self) -> Iterator[bytes | np.ndarray]:
        """What a digest of the images is made from."""
        ...
