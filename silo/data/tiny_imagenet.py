"""Tiny ImageNet (ImageNet-200, Stanford CS231n) in the layout of its archive."""

from pathlib import Path

import torch

from silo.data.decode import cached_pixels, is_image
from silo.data.error import DataError
from silo.data.images import Dataset, Images

SIZE = 64
EXPECTED = f"images of {SIZE}x{SIZE}"
LAYOUT = "wnids.txt, train/WNID/images/*.JPEG, val/images/*.JPEG and val/val_annotations.txt"


def tiny_imagenet(path: str = "data/tiny-imagenet-200") -> Dataset:
    """Tiny ImageNet: 100,000 training images and the 10,000 labelled validation images as test set, 64x64, RGB, 200 classes.

    What the archive calls test has no labels and is not read. Images are decoded once, and cached as ``folder`` does.

    Args:
        path: The folder that the archive was unpacked to; labels follow the order of its wnids.txt.

    Returns:
        The images in memory.

    Raises:
        DataError: For a missing folder, an odd layout, an image or annotation that doesn't fit, a corrupt image.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise DataError(f"path must be an existing folder with train/, val/ and wnids.txt, got {str(path)!r}")
    classes = tuple(_lines(root / "wnids.txt"))
    wnids = str(root / "wnids.txt")
    if not classes:
        raise DataError(f"path must hold one class on each line of {wnids!r}, got none")
    if twice := [name for number, name in enumerate(classes) if name in classes[:number]]:
        raise DataError(f"path must hold each class once in {wnids!r}, got {twice[0]!r} twice")
    label_of = {name: label for label, name in enumerate(classes)}
    if extra := sorted({entry.name for entry in _list(root / "train") if entry.is_dir()} - set(classes)):
        raise DataError(f"path must hold classes that wnids.txt has, got {str(root / 'train' / extra[0])!r}")
    train = [(file, label_of[name]) for name in classes for file in _images(root / "train" / name / "images")]
    return Dataset(_part(root / "train", train), _part(root / "val", _annotated(root / "val", label_of)), classes)


def _annotated(val: Path, label_of: dict[str, int]) -> list[tuple[Path, int]]:
    annotations = val / "val_annotations.txt"
    labels = {}
    for number, line in enumerate(_lines(annotations), 1):
        name, _, rest = line.partition("\t")
        wnid = rest.partition("\t")[0]
        if wnid not in label_of:
            given = f"{wnid!r} in line {number} of {str(annotations)!r}"
            raise DataError(f"path must hold annotations by a class of wnids.txt, got {given}")
        labels[name] = label_of[wnid]
    files = _images(val / "images")
    for file in files:
        if file.name not in labels:
            raise DataError(
                f"path must hold an annotation of every image in val_annotations.txt, got none of {str(file)!r}"
            )
    if missing := sorted(labels.keys() - {file.name for file in files}):
        file = str(val / "images" / missing[0])
        raise DataError(f"path must hold every image that val_annotations.txt names, got no {file!r}")
    return [(file, labels[file.name]) for file in files]


def _part(part: Path, labelled: list[tuple[Path, int]]) -> Images:
    files, labels = zip(*labelled, strict=True)
    pixels = cached_pixels(part, list(files), None, EXPECTED)
    size = pixels.shape[-1]
    if size != SIZE:
        raise DataError(f"path must hold {EXPECTED}, got {size}x{size} in {str(files[0])!r}")
    return Images(torch.from_numpy(pixels), torch.tensor(labels))


def _images(folder: Path) -> list[Path]:
    files = sorted(file for file in _list(folder) if is_image(file))
    if not files:
        raise DataError(f"path must hold {LAYOUT}, got no images in {str(folder)!r}")
    return files


def _list(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"path must hold {LAYOUT}, got no folder {str(folder)!r}") from error


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"path must hold {LAYOUT}, got no text file {str(file)!r}") from error
