"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) as torchvision reads and, where wanted, downloads them."""

from contextlib import suppress
from pathlib import Path

import torch

from silo.data.error import DataError
from silo.data.images import Dataset, Images


def cifar10(path: str = "data", download: bool = True) -> Dataset:
    """CIFAR-10: 50,000 training and 10,000 official test images, 32x32, RGB, 10 classes.

    Args:
        path: The folder that holds cifar-10-batches-py, or where it is downloaded to.
        download: Whether to download it where it isn't there.

    Returns:
        The images in memory.

    Raises:
        DataError: Where the files are missing or damaged and can't be downloaded.
    """
    return _cifar("CIFAR10", "CIFAR-10", path, download)


def cifar100(path: str = "data", download: bool = True) -> Dataset:
    """CIFAR-100: 50,000 training and 10,000 official test images, 32x32, RGB, 100 classes: the fine labels.

    Args:
        path: The folder that holds cifar-100-python, or where it is downloaded to.
        download: Whether to download it where it isn't there.

    Returns:
        The images in memory.

    Raises:
        DataError: Where the files are missing or damaged and can't be downloaded.
    """
    return _cifar("CIFAR100", "CIFAR-100", path, download)


def _cifar(source: str, name: str, path: str, download: bool) -> Dataset:
    from torchvision import datasets

    new: list[Path] = []
    try:
        new = [folder for folder in (Path(path), *Path(path).parents) if not folder.exists()]
        parts = [getattr(datasets, source)(path, train=train, download=download) for train in (True, False)]
    except (RuntimeError, OSError) as error:
        for folder in new:
            with suppress(OSError):  # of one that holds a part of a download, which stays
                folder.rmdir()
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"path must hold an intact {name} (none could be downloaded), got {str(path)!r} ({reason})"
        ) from error
    images = [
        Images(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
        for part in parts
    ]
    return Dataset(*images, classes=tuple(parts[0].classes))
