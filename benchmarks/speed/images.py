"""The images that are trained on: CIFAR-10's, or some of the same shape."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from silo.data.digits import digits
from silo.data.error import DataError
from silo.data.folder import folder
from silo.data.images import Dataset, Images
from silo.data.normalize import Normalize
from silo.data.split import Pooled, Split, limited, split

# as the released code has them
NORMALIZE = Normalize((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
SHARES = Pooled(0.2, 0.2)


@cache
def cifar10(path: Path | None, count: int) -> Split:
    """A random ``count`` of CIFAR-10's training images, split 60/20/20; without a folder (train/CLASS/*.jpg) made up.

    Raises DataError where the folder has no images of 32x32.
    """
    if path is None:
        return split(made_up(count), SHARES, NORMALIZE, seed=0)
    whole = folder(str(path))
    if whole.size != 32:
        raise DataError(f"path must hold images of 32x32, got {whole.size}x{whole.size} in {str(path)!r}")
    return split(limited(Dataset(whole.train, None, whole.classes), count, None), SHARES, NORMALIZE, seed=0)


def made_up(count: int) -> Dataset:
    """``count`` images of CIFAR-10's shape: noise, the brighter the higher the class; a step's time hangs on no pixel."""
    labels = torch.arange(count) % 10
    noise = torch.randint(128, (count, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    return Dataset(Images((noise + 12 * labels.view(-1, 1, 1, 1)).to(torch.uint8), labels), None, tuple("0123456789"))


def of_digits() -> Split:
    """scikit-learn's digits as digits-mlp splits them for its first seed."""
    return split(digits(), SHARES, Normalize(), seed=10)


def for_steps(data: Split) -> Split:
    """The split's training images, with a single image to validate and to test on."""
    return replace(data, validation=data.validation[:1], test=data.test[:1])
