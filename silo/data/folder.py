"""Image folders: train/CLASS/*.jpg and, if there, test/CLASS/*.jpg."""

from pathlib import Path

import torch

from silo.data.class_folders import class_names, labelled_names, no_other_classes
from silo.data.decode import cached_pixels
from silo.data.error import DataError
from silo.data.images import Dataset, Images


def folder(path: str, size: int | None = None) -> Dataset:
    """The images below a folder, as RGB, in memory; labels by class folder in alphabetical order.

    Decoded arrays are cached in $XDG_CACHE_HOME/silo-oracle (default ~/.cache), by the files' names, sizes, times and inodes.

    Args:
        path: The folder that holds train/CLASS/*.jpg and, if there is an official test set, test/CLASS/*.jpg.
        size: Pixels a side that each image is scaled and centre-cropped to, at least 1; None where all are square and of one
            size.

    Returns:
        The images in memory.

    Raises:
        DataError: For a missing folder, a folder without classes or images, a corrupt or odd-sized image.
    """
    root = Path(path).expanduser()
    if size is not None and size < 1:
        raise DataError(f"size must be at least 1 pixel, got {size}")
    if not root.is_dir():
        raise DataError(f"path must be an existing folder with train/CLASS/*.jpg, got {str(path)!r}")
    if not (root / "train").is_dir():
        raise DataError(
            f"path must hold train/CLASS/*.jpg (and test/CLASS/*.jpg, if any), got {str(path)!r} without train/"
        )
    classes = class_names(root / "train")
    train, test = _part(root / "train", classes, size), None
    if (root / "test").is_dir():
        no_other_classes(root / "test", classes)
        test = _part(root / "test", classes, size)
        if train.size != test.size:
            given = f"train/ of {train.size}x{train.size} and test/ of {test.size}x{test.size}"
            raise DataError(f"path must hold images of one size (or set size), got {given} in {str(path)!r}")
    return Dataset(train, test, classes)


def _part(part: Path, classes: tuple[str, ...], size: int | None) -> Images:
    names, labels = labelled_names(part, classes)
    files = [part / name for name in names]
    pixels = cached_pixels(part, files, size, "square images of one size (or set size)")
    return Images(torch.from_numpy(pixels), labels)
