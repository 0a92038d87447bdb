"""Labelled images as tensors, and a data set of them."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """pixels: uint8 (n, channels, size, size); labels: int64 (n), from 0."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Images":
        return Images(self.pixels[index], self.labels[index])

    def to(self, device: torch.device) -> "Images":
        """The same images on a device."""
        return Images(self.pixels.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Dataset:
    """What a source gives: its training images, its official test images (None where it has none), class names."""

    train: Images
    test: Images | None
    classes: tuple[str, ...]

    @property
    def pooled(self) -> Images:
        """Training and test images together, in this order."""
        if self.test is None:
            return self.train
        return Images(
            *(torch.cat([getattr(part, name) for part in (self.train, self.test)]) for name in ("pixels", "labels"))
        )

    @property
    def chance(self) -> float:
        """The accuracy in percent of always naming the most frequent class."""
        return 100 * int(self.pooled.labels.bincount().max()) / len(self.pooled)

    def digest(self) -> str:
        """A hash of every pixel, label and class name: which data this is, wherever it lies."""
        parts = [p for p in (self.train, self.test) if p is not None]
        text = hashlib.sha256(repr((self.classes, [tuple(p.pixels.shape) for p in parts])).encode())
        for part in parts:
            text.update(part.pixels.contiguous().numpy())
            text.update(part.labels.contiguous().numpy())
        return text.hexdigest()[:20]
