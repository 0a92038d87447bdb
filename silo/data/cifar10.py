"""CIFAR-10 (Krizhevsky 2009) as torchvision reads and, if asked, downloads it."""

import torch

from silo.data.error import DataError
from silo.data.images import Dataset, Images


def cifar10(path: str = "data", download: bool = True) -> Dataset:
    """50,000 training and 10,000 official test images of 32x32; ``path`` is the folder that holds cifar-10-batches-py.

    Raises DataError where the files are missing or damaged and can't be downloaded.
    """
    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(path, train=train, download=download) for train in (True, False)]
    except (RuntimeError, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"path: {path}: no CIFAR-10 there and none could be downloaded ({reason})") from error
    images = [
        Images(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
        for part in parts
    ]
    return Dataset(*images, classes=tuple(parts[0].classes))
