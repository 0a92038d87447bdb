"""Image folders: train/CLASS/*.jpg and, if there, test/CLASS/*.jpg; decoded once into a cached uint8 array."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from silo.data.error import DataError
from silo.data.images import Dataset, Images

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def folder(path: str, size: int | None = None) -> Dataset:
    """The images below path, as RGB; labels by class folder in alphabetical order.

    size  None: all images must be square and of one size; else each is scaled and centre-cropped to size x size

    Decoded arrays are cached in $XDG_CACHE_HOME/silo-oracle (default ~/.cache), by the files' names, sizes and times.
    Raises DataError for a missing folder, a folder without classes or images, a corrupt or odd-sized image.
    """
    root = Path(path).expanduser()
    if size is not None and size < 1:
        raise DataError(f"size: {size}: at least 1 pixel is allowed")
    if not (root / "train").is_dir():
        raise DataError(f"path: {path}: no folder train/ there; train/CLASS/*.jpg and test/CLASS/*.jpg are allowed")
    classes = _classes(root / "train")
    parts = [_part(root / "train", classes, size)]
    if (root / "test").is_dir():
        if extra := sorted(set(_classes(root / "test")) - set(classes)):
            raise DataError(f"path: {root / 'test' / extra[0]}: a class that train/ doesn't have")
        parts.append(_part(root / "test", classes, size))
        if parts[0].pixels.shape[1:] != parts[1].pixels.shape[1:]:
            raise DataError(f"path: {path}: train/ and test/ differ in image size; set size")
    return Dataset(parts[0], parts[1] if len(parts) > 1 else None, classes)


def _classes(part: Path) -> tuple[str, ...]:
    names = tuple(sorted(entry.name for entry in part.iterdir() if entry.is_dir() and not entry.name.startswith(".")))
    if not names:
        raise DataError(f"path: {part}: no class folders there; one folder a class is allowed")
    return names


def _part(part: Path, classes: tuple[str, ...], size: int | None) -> Images:
    files = [
        (file, label)
        for label, name in enumerate(classes)
        if (part / name).is_dir()
        for file in sorted((part / name).iterdir())
        if file.suffix.lower() in ENDINGS
    ]
    if not files:
        raise DataError(f"path: {part}: no images there; {', '.join(ENDINGS)} are allowed")
    labels = torch.tensor([label for _, label in files])
    if empty := [name for label, name in enumerate(classes) if (part / name).is_dir() and label not in labels]:
        raise DataError(f"path: {part / empty[0]}: a class without images; {', '.join(ENDINGS)} are allowed")
    return Images(torch.from_numpy(_cached_pixels(part, [file for file, _ in files], size)), labels)


def _cached_pixels(part: Path, files: list[Path], size: int | None) -> np.ndarray:
    stats = [(str(f.relative_to(part)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    key = hashlib.sha256(repr((str(part.resolve()), size, stats)).encode()).hexdigest()[:20]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "silo-oracle"
    cached = home / f"{key}.npy"
    if cached.exists():
        return np.load(cached)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(lambda file: _decode(file, size), files))
    shape = images[0].shape
    for file, image in zip(files, images, strict=True):
        if image.shape != shape or shape[1] != shape[2]:
            sizes = f"{image.shape[2]}x{image.shape[1]}"
            raise DataError(f"path: {file}: an image of {sizes}; one square size is allowed, or set size")
    pixels = np.stack(images)
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / f"{key}.{os.getpid()}.tmp"
    with temporary.open("wb") as out:
        np.save(out, pixels)
    os.replace(temporary, cached)
    return pixels


def _decode(file: Path, size: int | None) -> np.ndarray:
    try:
        with Image.open(file) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"path: {file}: not a readable image") from error
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
