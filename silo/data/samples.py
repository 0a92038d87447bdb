"""Labelled samples of floats in memory: signals, feature vectors, or of any other shape."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from silo.data.part import Part
from silo.sample_shape import Size, size_of


@dataclass(frozen=True)
class Samples(Part):
    """Labelled samples of floats in memory: a :class:`silo.data.part.Part`. They can't be augmented.

    Args:
        values: Finite float32: signals (n, channels, length), features (n, features), or (n, channels, ...).
        labels: int64 (n), from 0 to the number of classes - 1.
    """

    values: Tensor
    labels: Tensor

    @property
    def dtype(self) -> torch.dtype:
        """Of the values: torch.float32."""
        return self.values.dtype

    @property
    def channels(self) -> int:
        """The first dimension of a sample; of features how many there are."""
        return self.values.shape[1]

    @property
    def size(self) -> Size:
        """The other dimensions of a sample, or pixels a side where they are those of a square image."""
        return size_of(tuple(self.values.shape[1:]))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Samples":
        return Samples(self.values[index], self.labels[index])

    def to(self, device: torch.device) -> "Samples":
        """These samples on a device."""
        return Samples(self.values.to(device), self.labels.to(device))

    def joined(self, other: "Samples") -> "Samples":
        """These samples, then the other ones."""
        return Samples(torch.cat([self.values, other.values]), torch.cat([self.labels, other.labels]))

    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(values, labels) of the samples in ``order``, or all as they lie; nothing is drawn, whatever ``random``."""
        if order is None:
            yield from zip(self.values.split(batch_size), self.labels.split(batch_size), strict=True)
            return
        for index in order.to(self.labels.device).split(batch_size):
            yield self.values[index], self.labels[index]

    def moments(self) -> tuple[Tensor, Tensor]:
        """The mean and standard deviation of each channel over samples and positions, float64 (channels).

        A channel that is constant, as far as float32 can tell, has 1 as its deviation: it is centred, and not blown up.
        """
        values = self.values.numpy()  # numpy adds up in one order, whatever the number of threads
        axes = (0, *range(2, values.ndim))
        std = values.std(axes, dtype=np.float64)
        constant = std <= np.finfo(np.float32).eps * np.abs(values).max(axes)
        mean = values.mean(axes, dtype=np.float64)
        return torch.from_numpy(mean), torch.from_numpy(np.where(constant, 1.0, std))

    def normalized(self, mean: Tensor, std: Tensor) -> "Samples":
        """These samples as (value - mean) / std."""
        return Samples((self.values - mean).div_(std), self.labels)

    def content(self) -> Iterator[np.ndarray]:
        """Every value and label."""
        yield self.values.contiguous().numpy()
        yield self.labels.contiguous().numpy()
