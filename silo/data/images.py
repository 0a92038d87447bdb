"""Labelled images in memory, and a data set."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from silo.data.augment import Augment
from silo.data.augmented import Augmented
from silo.data.error import DataError
from silo.data.part import Part
from silo.sample_shape import Size, sample_shape


@dataclass(frozen=True)
class Images(Part):
    """Labelled images in memory: a :class:`silo.data.part.Part`.

    Args:
        pixels: uint8 (n, channels, size, size).
        labels: int64 (n), from 0 to the number of classes - 1.
    """

    pixels: Tensor
    labels: Tensor

    @property
    def dtype(self) -> torch.dtype:
        """Of the pixels: torch.uint8, or of a float where they are normalized already."""
        return self.pixels.dtype

    @property
    def channels(self) -> int:
        """1 for grey, 3 for red, green, blue."""
        return self.pixels.shape[1]

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.pixels.shape[-1]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Images":
        return Images(self.pixels[index], self.labels[index])

    def to(self, device: torch.device) -> "Images":
        """These images on a device."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def joined(self, other: "Images") -> "Images":
        """These images, then the other ones."""
        return Images(torch.cat([self.pixels, other.pixels]), torch.cat([self.labels, other.labels]))

    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(uint8 pixels, labels) of the images in ``order``, or all as they lie; nothing is drawn, whatever ``random``."""
        return Augmented(self.pixels, self.labels, Augment()).batches(batch_size, order)

    def check(self, augment: Augment) -> None:
        """Check that the images can be augmented so.

        Raises:
            DataError: For an area, which is for images that stream, or a crop beyond the images' size: some of its windows
                would be all black, and the padded images, which are held in memory, more than nine times as large.
        """
        if augment.area is not None:
            given = list(augment.area)
            raise DataError(f"augment.area must be none where images lie in memory (crop is for them), got {given}")
        if augment.crop > self.size:
            gigabytes = len(self) * self.channels * (self.size + 2 * augment.crop) ** 2 / 1e9
            given = f"{augment.crop}: padded, {len(self)} images would take {gigabytes:.3g} GB"
            raise DataError(f"augment.crop must be at most {self.size}, the images' size, got {given}")

    @contextmanager
    def augmented(self, augment: Augment) -> Iterator[Augmented]:
        """The images, padded, ready to be cropped and flipped epoch after epoch."""
        self.check(augment)
        yield Augmented(self.pixels, self.labels, augment)

    def moments(self) -> tuple[Tensor, Tensor]:
        """The mean and standard deviation of each channel, 0..255, float64 (channels); a deviation is at least 0.001.

        They are made from how often each value occurs: exact, whatever the number of threads, and small.
        """
        counts = torch.stack([self.pixels[:, c].flatten().bincount(minlength=256) for c in range(self.channels)])
        shares, values = counts.double(), torch.arange(256, dtype=torch.float64)
        shares = shares / shares.sum(1, keepdim=True)
        mean = (shares * values).sum(1)
        return mean, (shares * (values - mean.view(-1, 1)) ** 2).sum(1).sqrt().clamp_min(1e-3)

    def content(self) -> Iterator[np.ndarray]:
        """Every pixel and label."""
        yield self.pixels.contiguous().numpy()
        yield self.labels.contiguous().numpy()


@dataclass(frozen=True)
class Dataset:
    """What a source returns.

    Args:
        train: The training samples: :class:`Images`, :class:`silo.data.samples.Samples`, or another
            :class:`silo.data.part.Part`.
        test: The official test samples, of the same kind; None where the source has none.
        classes: The classes' names, by label.
        left_out: What the source has found and not read, in words, for the user to know; empty where that is nothing.
    """

    train: Part
    test: Part | None
    classes: tuple[str, ...]
    left_out: str = ""

    @property
    def channels(self) -> int:
        """1 for grey, 3 for red, green, blue; of a signal its channels, of features how many there are."""
        return self.train.channels

    @property
    def size(self) -> Size:
        """Pixels a side of square images, else a sample's other dimensions, as they come in a batch."""
        return self.train.size

    @property
    def sizes(self) -> tuple[int, int | None]:
        """How many training samples, and how many official test samples (None where it has no test set)."""
        return len(self.train), None if self.test is None else len(self.test)

    @property
    def pooled(self) -> Part:
        """Training and test images together, in this order."""
        return self.train if self.test is None else self.train.joined(self.test)

    @property
    def chance(self) -> float:
        """The accuracy in percent of always naming the most frequent class."""
        labels = torch.cat([part.labels for part in self._parts])
        return 100 * int(labels.bincount().max()) / len(labels)

    @property
    def bytes_in_memory(self) -> int:
        """Bytes of the samples that lie in memory; of those that stream 0."""
        tensors = [getattr(part, name, None) for part in self._parts for name in ("pixels", "values")]
        return sum(tensor.nbytes for tensor in tensors if isinstance(tensor, Tensor))

    def digest(self) -> str:
        """A hash that says which data this is, wherever it lies: 20 hexadecimal digits.

        It is made of class names, labels and every pixel or, where images stream, their files' names and sizes.
        """
        shapes = [(len(part), *sample_shape(part.channels, part.size)) for part in self._parts]
        text = hashlib.sha256(repr((self.classes, shapes)).encode())
        for part in self._parts:
            for content in part.content():
                text.update(content)
        return text.hexdigest()[:20]

    @property
    def _parts(self) -> list[Part]:
        return [part for part in (self.train, self.test) if part is not None]
