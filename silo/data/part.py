"""What a part of a data set is to those who use it, whether its samples lie in memory or stream from their files."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from silo.data.augment import Augment
from silo.data.error import DataError
from silo.sample_shape import Size


class Batches(Protocol):
    """Labelled samples that are read batch by batch.

    Attributes:
        labels: int64 (n), from 0 to the number of classes - 1.
        channels: 1 for grey, 3 for red, green, blue; of a signal its channels, of features how many there are.
        size: Pixels a side of square images; else a sample's other dimensions, such as (length,) of a signal, () of features.
        dtype: Of the samples in a batch: torch.uint8 for images, torch.float32 for whatever else.
    """

    labels: Tensor
    channels: int
    size: Size
    dtype: torch.dtype

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(samples, labels), batch by batch, on the labels' device.

        Args:
            batch_size: Samples of a batch, at least 1; the last may have fewer.
            order: int64 indices of the samples to read, in this order; None for all in their own.
            random: Draws the augmentation that the samples were given; None leaves them as they are.

        Returns:
            Samples (n, channels, ...): uint8, which are normalized afterwards, or floats that are normalized already; labels
            int64 (n).
        """
        ...


class Part(Batches, Protocol):
    """Batches that can be cut, joined, moved, normalized and augmented.

    A source of your own that holds its samples in memory returns :class:`silo.data.images.Images` (uint8) or
    :class:`silo.data.samples.Samples` (float32). One whose samples stream returns a class of its own that inherits from this
    one, and has the four attributes, ``__len__``, ``batches``, ``__getitem__``, ``to``, ``joined`` and ``content``; of floats
    also ``normalized``. The others have defaults: nothing can be augmented, and ``data.normalize`` must have mean and std.
    silo/README.md has an example.

    All parts of a data set are of one class. Equal arguments must give equal batches: a training that was cut off, and one on
    another worker, read them anew. A part is pickled on its way to a worker, so it holds names of files, not open ones.
    Raise DataError for what can't be read.
    """

    @abstractmethod
    def __getitem__(self, index: Tensor | slice) -> Self:
        """The samples at these places, in this order; an index is int64, on the CPU."""
        ...

    @abstractmethod
    def to(self, device: torch.device) -> Self:
        """These samples with their batches and labels on a device."""
        ...

    @abstractmethod
    def joined(self, other: Self) -> Self:
        """These samples, then the other ones."""
        ...

    def check(self, augment: Augment) -> None:
        """Check that such samples can be augmented so.

        Raises:
            DataError: Where they can't be; by default for any crop, flip or area, which are for images.
        """
        others = "where samples are no uint8 images"
        if augment.crop:
            raise DataError(f"augment.crop must be 0 {others}, got {augment.crop}")
        if augment.flip:
            raise DataError(f"augment.flip must be false {others}, got true")
        if augment.area is not None:
            raise DataError(f"augment.area must be null {others}, got {list(augment.area)}")

    def augmented(self, augment: Augment) -> AbstractContextManager[Batches]:
        """The samples ready to be read augmented, epoch after epoch; what that takes is given back at the end."""
        self.check(augment)
        return nullcontext(self)

    def moments(self) -> tuple[Tensor, Tensor]:
        """The mean and standard deviation of each channel on the samples' own scale, float64 (channels).

        Raises:
            DataError: Where that isn't known, as by default; then ``data.normalize`` must have them.
        """
        raise DataError("normalize must have mean and std where samples stream, got none")

    def normalized(self, mean: Tensor, std: Tensor) -> Self:
        """These samples with batches that are normalized: (value - mean) / std. It is called of floats alone.

        Args:
            mean: float32, of a shape that spreads over a sample: (channels, 1) for a signal, (channels) for features.
            std: The same, above 0.
        """
        given = f"{type(self).__name__} of {self.dtype}"
        raise DataError(f"source must give samples of floats by a class that has normalized, got {given}")

    @abstractmethod
    def content(self) -> Iterator[bytes | np.ndarray]:
        """What a digest of the samples is made from: their values, or what changes with them (names, sizes); and the labels."""
        ...
