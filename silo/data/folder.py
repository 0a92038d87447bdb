"""Image folders: train/CLASS/*.jpg and, if there, test/CLASS/*.jpg."""

from pathlib import Path

import torch

from silo.data.class_folders import class_names, labelled_names, left_out, no_other_classes
from silo.data.decode import cached_pixels, check_size
from silo.data.error import DataError
from silo.data.images import Dataset, Images


def folder(path: str, size: int | None = None) -> Dataset:
    """The images below a folder, as RGB, in memory; labels by class folder in alphabetical order.

    Hidden files and folders are passed over. Other endings, folders within class folders, and folders beside train/ and test/
    (val/, say) are not read, but counted in the data set's ``left_out``. Orientation in EXIF isn't applied; transparency is
    dropped; of 16 bits a channel the upper 8 are kept.

    Decoded arrays are cached in $XDG_CACHE_HOME/silo-oracle (default ~/.cache), by the files' names, sizes, times and inodes.

    Args:
        path: The folder that holds train/CLASS/*.jpg and, if there is an official test set, test/CLASS/*.jpg.
        size: Pixels a side that each image is scaled and centre-cropped to, 1 to 4096; None where all are square and of one
            size.

    Returns:
        The images in memory.

    Raises:
        DataError: For a missing folder, a folder without classes or images, a corrupt or odd-sized image, or more than memory
            holds.
    """
    root = Path(path).expanduser()
    if size is not None:
        check_size(size)
    if not root.is_dir():
        raise DataError(f"path must be an existing folder with train/CLASS/*.jpg, got {str(path)!r}")
    if not (root / "train").is_dir():
        raise DataError(
            f"path must hold train/CLASS/*.jpg (and test/CLASS/*.jpg, if any), got {str(path)!r} without train/"
        )
    classes = class_names(root / "train")
    train, read = _part(root / "train", classes, size)
    test = None
    if (root / "test").is_dir():
        no_other_classes(root / "test", classes)
        test, read_of_test = _part(root / "test", classes, size)
        read |= read_of_test
        if train.size != test.size:
            given = f"train/ of {train.size}x{train.size} and test/ of {test.size}x{test.size}"
            raise DataError(f"path must hold images of one size (or set size), got {given} in {str(path)!r}")
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return Dataset(train, test, classes, left_out(root, folders, read, ("train", "test")))


def _part(part: Path, classes: tuple[str, ...], size: int | None) -> tuple[Images, set[str]]:
    """The images of a part, and their files, named from the root."""
    names, labels = labelled_names(part, classes)
    pixels = cached_pixels(part, [part / name for name in names], size, "square images of one size (or set size)")
    return Images(torch.from_numpy(pixels), labels), {f"{part.name}/{name}" for name in names}
