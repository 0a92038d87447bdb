"""Tiny ImageNet (ImageNet-200, Stanford CS231n) in the layout of its archive."""

from pathlib import Path

import torch

from silo.data.decode import cached_pixels, is_image
from silo.data.error import DataError
from silo.data.images import Dataset, Images

SIZE = 64
LAYOUT = "wnids.txt, train/WNID/images/*.JPEG, val/images/*.JPEG and val/val_annotations.txt are allowed"


def tiny_imagenet(path: str = "data/tiny-imagenet-200") -> Dataset:
    """100,000 training images of 200 classes and the 10,000 labelled validation images as official test set, 64x64, RGB.

    Labels by the order of wnids.txt; what the archive calls test has no labels and is not read. Decoded once, cached as
    ``folder`` does. Raises DataError for a missing or odd layout, an image or annotation that doesn't fit, a corrupt image.
    """
    root = Path(path).expanduser()
    classes = tuple(_lines(root / "wnids.txt"))
    if not classes or len(set(classes)) < len(classes):
        raise DataError(f"path: {root / 'wnids.txt'}: one class a line, each once, is allowed")
    label_of = {name: label for label, name in enumerate(classes)}
    if extra := sorted({entry.name for entry in _list(root / "train") if entry.is_dir()} - set(classes)):
        raise DataError(f"path: {root / 'train' / extra[0]}: a class that wnids.txt doesn't have")
    train = [(file, label_of[name]) for name in classes for file in _images(root / "train" / name / "images")]
    return Dataset(_part(root / "train", train), _part(root / "val", _annotated(root / "val", label_of)), classes)


def _annotated(val: Path, label_of: dict[str, int]) -> list[tuple[Path, int]]:
    annotations = val / "val_annotations.txt"
    labels = {}
    for number, line in enumerate(_lines(annotations), 1):
        name, _, rest = line.partition("\t")
        wnid = rest.partition("\t")[0]
        if wnid not in label_of:
            raise DataError(f"path: {annotations}: line {number}: class {wnid!r} is not in wnids.txt")
        labels[name] = label_of[wnid]
    files = _images(val / "images")
    for file in files:
        if file.name not in labels:
            raise DataError(f"path: {file}: an image without annotation in val_annotations.txt")
    if missing := sorted(labels.keys() - {file.name for file in files}):
        raise DataError(f"path: {val / 'images' / missing[0]}: annotated in val_annotations.txt, but not there")
    return [(file, labels[file.name]) for file in files]


def _part(part: Path, labelled: list[tuple[Path, int]]) -> Images:
    files, labels = zip(*labelled, strict=True)
    pixels = cached_pixels(part, list(files), None, f"{SIZE}x{SIZE} is allowed")
    if pixels.shape[-1] != SIZE:
        raise DataError(
            f"path: {files[0]}: an image of {pixels.shape[-1]}x{pixels.shape[-1]}; {SIZE}x{SIZE} is allowed"
        )
    return Images(torch.from_numpy(pixels), torch.tensor(labels))


def _images(folder: Path) -> list[Path]:
    files = sorted(file for file in _list(folder) if is_image(file))
    if not files:
        raise DataError(f"path: {folder}: no images there; {LAYOUT}")
    return files


def _list(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"path: {folder}: no folder there; {LAYOUT}") from error


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"path: {file}: no such text file; {LAYOUT}") from error
