"""Which images train, which choose the epoch, which test."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

import torch

from silo.data.augment import Augment
from silo.data.error import DataError
from silo.data.images import Dataset, Images
from silo.data.normalize import Normalize
from silo.data.part import Batches, Part
from silo.randomness import Purpose, generator
from silo.sample_shape import sample_shape

NORMALIZED_AHEAD = 2**26  # bytes of images that are normalized once a training, not batch by batch: the same numbers


@dataclass(frozen=True)
class Split:
    """The three parts of one seed, and what they are normalized by.

    Attributes:
        train: The images to train on.
        validation: The images to choose the epoch and the learning rate on.
        test: The images to report on.
        mean: Per-channel mean on the scale of pixel values, 0..255: float32 (channels, 1, 1), on the device to train on. Of
            floats, which are normalized already, on the scale that they had, with as many dimensions as a sample.
        std: Per-channel standard deviation, likewise.
    """

    train: Part
    validation: Part
    test: Part
    mean: torch.Tensor
    std: torch.Tensor

    def to(self, device: torch.device) -> "Split":
        """This split on a device."""
        return Split(*(getattr(self, name).to(device) for name in ("train", "validation", "test", "mean", "std")))

    @contextmanager
    def augmented(self, augment: Augment) -> Iterator["Split"]:
        """This split ready for a training: its training images augmented, the others if the augmentation says so.

        Raises:
            DataError: Where the images can't be augmented so.
        """
        other = augment if augment.evaluation else Augment()
        with (
            self._ready(self.train, augment) as train,
            self._ready(self.validation, other) as validation,
            self._ready(self.test, other) as test,
        ):
            yield replace(self, train=train, validation=validation, test=test)

    def _ready(self, part: Part, augment: Augment) -> AbstractContextManager[Batches]:
        same_every_epoch = isinstance(part, Images) and not (augment.crop or augment.flip or augment.area)
        if same_every_epoch and 4 * part.pixels.nbytes <= NORMALIZED_AHEAD:
            return nullcontext(Images(self.normalized(part.pixels), part.labels))
        return part.augmented(augment)

    def normalized(
        self, pixels: torch.Tensor, memory_format: torch.memory_format = torch.channels_last
    ) -> torch.Tensor:
        """A batch as a network sees it: uint8 normalized, floats as they are; images (n, channels, h, w) laid out so."""
        if not pixels.is_floating_point():
            pixels = (pixels.float() - self.mean).div_(self.std)
        return pixels.contiguous(memory_format=memory_format) if pixels.dim() == 4 else pixels.contiguous()

    def blank(self, count: int, memory_format: torch.memory_format) -> torch.Tensor:
        """A batch of zeros, of images black, as :meth:`normalized` returns them: for what hangs on no value."""
        shape = count, *sample_shape(self.train.channels, self.train.size)
        return self.normalized(torch.zeros(shape, dtype=self.train.dtype, device=self.mean.device), memory_format)


class SplitRule(Protocol):
    """Which images train, validate and test."""

    def sizes(self, train: int, test: int | None) -> tuple[int, int, int]:
        """How many images train, validate and test.

        Args:
            train: How many training images the source has.
            test: How many official test images it has; None where it has no test set.

        Raises:
            DataError: Where such a source can't be split so.
        """
        ...

    def parts(self, dataset: Dataset, seed: int) -> tuple[Part, Part, Part]:
        """(train, validation, test) images of a seed, in the numbers that :meth:`sizes` says.

        Args:
            dataset: The source's images, whose parts can be indexed and joined.
            seed: The training's seed; equal seeds split equally.

        Raises:
            DataError: Where such a source can't be split so.
        """
        ...


@dataclass(frozen=True)
class Pooled:
    """All images pooled and split at random by the seed, as the released code does (there 60/20/20).

    Args:
        validation: Share of the pool to validate on, above 0.
        test: Share of the pool to test on, above 0; together under 1, since the rest trains.

    Raises:
        ValueError: For other shares.
    """

    validation: float = 0.2
    test: float = 0.2

    def __post_init__(self) -> None:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            given = f"{self.validation} and {self.test}"
            raise ValueError(f"validation and test must be above 0 and together below 1, got {given}")

    def sizes(self, train: int, test: int | None) -> tuple[int, int, int]:
        """How many images train, validate and test, of so many training and official test images."""
        pool = train + (test or 0)
        held_out, validation = round(self.test * pool), round(self.validation * pool)
        return pool - validation - held_out, validation, held_out

    def parts(self, dataset: Dataset, seed: int) -> tuple[Part, Part, Part]:
        """(train, validation, test) images of this seed."""
        pool = dataset.pooled
        order = torch.randperm(len(pool), generator=generator(seed, Purpose.SPLIT))
        _, validation, test = self.sizes(len(pool), None)
        return pool[order[test + validation :]], pool[order[test : test + validation]], pool[order[:test]]


@dataclass(frozen=True)
class Carve:
    """Validation carved at random by the seed out of the training images; the official test set is kept apart.

    Args:
        validation: Share of the training images, in (0, 1).

    Raises:
        ValueError: For another share.
    """

    validation: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            raise ValueError(f"validation must be in (0, 1), got {self.validation}")

    def sizes(self, train: int, test: int | None) -> tuple[int, int, int]:
        """How many images train, validate and test; raises DataError where the source has no official test set."""
        if test is None:
            raise DataError("split.kind must be pooled where a source has no official test set, got carve")
        validation = round(self.validation * train)
        return train - validation, validation, test

    def parts(self, dataset: Dataset, seed: int) -> tuple[Part, Part, Part]:
        """(train, validation, test) images of this seed; raises DataError where the source has no official test set."""
        order = torch.randperm(len(dataset.train), generator=generator(seed, Purpose.SPLIT))
        _, validation, _ = self.sizes(*dataset.sizes)
        return dataset.train[order[validation:]], dataset.train[order[:validation]], dataset.test


@dataclass(frozen=True)
class Draw:
    """So many images to train and to validate on, drawn by the seed out of a larger pool; the official test set is kept apart.

    The larger the pool, the fewer images seeds share, and the less they are alike by luck. The pool is the source's training
    images.

    Args:
        train: Images to train on, at least 1.
        validation: Images to validate on, at least 1.

    Raises:
        ValueError: For fewer.
    """

    train: int
    validation: int

    def __post_init__(self) -> None:
        for name, count in (("train", self.train), ("validation", self.validation)):
            if count < 1:
                raise ValueError(f"{name} must be at least 1 image, got {count}")

    def sizes(self, train: int, test: int | None) -> tuple[int, int, int]:
        """How many images train, validate and test; raises DataError where the source has fewer, or no official test set."""
        if test is None:
            raise DataError("split.kind must be pooled where a source has no official test set, got draw")
        if self.train + self.validation > train:
            given = f"{self.train} and {self.validation}"
            raise DataError(f"split.train and split.validation must be at most {train} images together, got {given}")
        return self.train, self.validation, test

    def parts(self, dataset: Dataset, seed: int) -> tuple[Part, Part, Part]:
        """(train, validation, test) images of this seed; raises DataError as :meth:`sizes` does."""
        train, validation, _ = self.sizes(*dataset.sizes)
        order = torch.randperm(len(dataset.train), generator=generator(seed, Purpose.SPLIT))[: train + validation]
        return dataset.train[order[validation:]], dataset.train[order[:validation]], dataset.test


def limited(dataset: Dataset, train: int | None, test: int | None) -> Dataset:
    """A random subset of a data set, the same for every seed.

    Args:
        dataset: The data set.
        train: How many training images to keep, at most; at least 1, None for all.
        test: How many official test images to keep, likewise.

    Raises:
        ValueError: For a limit below 1.
    """

    def subset(images: Part | None, count: int | None, purpose: Purpose) -> Part | None:
        if count is not None and count < 1:
            raise ValueError(f"limit must be at least 1 image, got {count}")
        if images is None or count is None or count >= len(images):
            return images
        return images[torch.randperm(len(images), generator=generator(0, purpose))[:count]]

    return replace(
        dataset,
        train=subset(dataset.train, train, Purpose.LIMIT_TRAIN),
        test=subset(dataset.test, test, Purpose.LIMIT_TEST),
    )


def split_sizes(rule: SplitRule, train: int, test: int | None) -> tuple[int, int, int]:
    """How many images train, validate and test under a rule; raises DataError where a part would be empty."""
    sizes = rule.sizes(train, test)
    for name, size in zip(("training", "validation", "test"), sizes, strict=True):
        if size == 0:
            raise DataError(f"split must leave images for every part, got no {name} images of {train + (test or 0)}")
    return sizes


def split(dataset: Dataset, rule: SplitRule, normalize: Normalize, seed: int) -> Split:
    """The split of one seed.

    Args:
        dataset: The data set.
        rule: Which images train, validate and test.
        normalize: What they are normalized by.
        seed: The training's seed.

    Raises:
        DataError: Where a part would be empty, or the data can't be split or normalized so.
    """
    split_sizes(rule, *dataset.sizes)
    parts = rule.parts(dataset, seed)
    mean, std = normalize.constants(parts[0])
    if dataset.train.dtype.is_floating_point:
        parts = [part.normalized(mean, std) for part in parts]
    return Split(*parts, mean, std)
