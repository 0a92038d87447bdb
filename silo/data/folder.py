"""Image folders: train/CLASS/*.jpg and, if there, test/CLASS/*.jpg."""

from pathlib import Path

import torch

from silo.data.class_folders import class_names, labelled_names, no_other_classes
from silo.data.decode import cached_pixels
from silo.data.error import DataError
from silo.data.images import Dataset, Images


def folder(path: str, size: int | None = None) -> Dataset:
    """The images below path, as RGB, in memory; labels by class folder in alphabetical order.

    size  None: all images must be square and of one size; else each is scaled and centre-cropped to size x size

    Decoded arrays are cached in $XDG_CACHE_HOME/silo-oracle (default ~/.cache), by the files' names, sizes and times.
    Raises DataError for a missing folder, a folder without classes or images, a corrupt or odd-sized image.
    """
    root = Path(path).expanduser()
    if size is not None and size < 1:
        raise DataError(f"size: {size}: at least 1 pixel is allowed")
    if not (root / "train").is_dir():
        raise DataError(f"path: {path}: no folder train/ there; train/CLASS/*.jpg and test/CLASS/*.jpg are allowed")
    classes = class_names(root / "train")
    train, test = _part(root / "train", classes, size), None
    if (root / "test").is_dir():
        no_other_classes(root / "test", classes)
        test = _part(root / "test", classes, size)
        if train.size != test.size:
            raise DataError(f"path: {path}: train/ and test/ differ in image size; set size")
    return Dataset(train, test, classes)


def _part(part: Path, classes: tuple[str, ...], size: int | None) -> Images:
    names, labels = labelled_names(part, classes)
    files = [part / name for name in names]
    return Images(torch.from_numpy(cached_pixels(part, files, size, "one square size is allowed, or set size")), labels)
