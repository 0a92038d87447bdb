"""Image files as RGB pixels; a whole part is decoded once, into a cached uint8 array."""

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from silo.data.cache import read_array, write_array
from silo.data.error import DataError

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
WIDE = "IF"  # first letters of Pillow's modes of more than 8 bits: integers and floats, which it would cut off at 255

MAX_SIZE = 4096  # pixels a side that images are scaled to


def check_size(size: int) -> None:
    """Check that images can be scaled to so many pixels a side; raises DataError."""
    if size < 1:
        raise DataError(f"size must be at least 1 pixel, got {size}")
    if size > MAX_SIZE:
        raise DataError(f"size must be at most {MAX_SIZE} pixels, got {size}")


def is_image(file: Path) -> bool:
    """Whether the file has an ending that images have, and isn't hidden, as another system's notes on a file are (._1.png)."""
    return file.suffix.lower() in ENDINGS and not file.name.startswith(".")


def open_rgb(file: Path) -> Image.Image:
    """The image in a file as RGB: grey and palettes are converted, of 16 bits a channel the upper 8 are kept.

    Transparency is dropped: the colours are what the file holds below it. EXIF's orientation isn't applied.

    Raises:
        DataError: Where the file can't be read, or holds numbers of no known range (32 bits, floats, 16 bits but in a PNG).
    """
    try:
        with Image.open(file) as opened:
            if opened.mode[0] not in WIDE:
                return opened.convert("RGB")
            kind, pixels = f"{opened.format} of mode {opened.mode}", np.asarray(opened)
    except Exception as error:  # a damaged file makes Pillow's formats raise whatever they come across
        raise DataError(f"path must hold readable images, got {str(file)!r}, which can't be read") from error
    if not kind.startswith("PNG"):
        raise DataError(f"path must hold images of 8 bits a channel, or PNG of 16, got {kind} in {str(file)!r}")
    return Image.fromarray((pixels >> 8).astype(np.uint8)).convert("RGB")


def cached_pixels(part: Path, files: list[Path], size: int | None, expected: str) -> np.ndarray:
    """The files' images as one array, uint8 (n, 3, size, size).

    It is cached (:mod:`silo.data.cache`) by what changes with a file: its name, size, times and place on the disk.

    Args:
        part: The folder that the files lie below.
        files: At least one image file.
        size: Pixels a side that each image is scaled and centre-cropped to; None for images as they are.
        expected: What the images must be, for the message, such as ``images of 64x64``.

    Raises:
        DataError: For an image that isn't readable, isn't square or differs in size, or where memory doesn't hold them.
    """
    stats = [(str(file.relative_to(part)), *_identity(file_status(file))) for file in files]
    key = hashlib.sha256(repr((str(part.resolve()), size, stats)).encode()).hexdigest()[:20]
    cached = read_array(key, len(files), np.uint8)
    if cached is not None:
        return cached
    _check_memory(_decode(files[0], size), len(files))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(lambda file: _decode(file, size), files))
    shape = images[0].shape
    for file, image in zip(files, images, strict=True):
        if image.shape != shape or shape[1] != shape[2]:
            raise DataError(f"path must hold {expected}, got {image.shape[2]}x{image.shape[1]} in {str(file)!r}")
    pixels = np.stack(images)
    write_array(key, pixels)
    return pixels


def _check_memory(image: np.ndarray, images: int) -> None:
    """Check that this machine could hold so many images as this one; raises DataError."""
    needed, held = images * image.nbytes, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > held:
        size = f"{image.shape[2]}x{image.shape[1]}"
        given = f"{images} of {size}, which take {needed / 1e9:.3g} GB (set a smaller size)"
        raise DataError(f"path must hold images that fit into the memory of {held / 1e9:.3g} GB, got {given}")


def file_status(file: Path) -> os.stat_result:
    """A file's status; raises DataError for a link that leads nowhere, or what isn't a file (a pipe would never end)."""
    try:
        status = file.stat()
    except OSError as error:
        raise DataError(f"path must hold readable files, got {str(file)!r} ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"path must hold readable files, got {str(file)!r}, which is no file")
    return status


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Numbers that change with a file's content: a copy may keep the size and the time, but neither inode nor ctime."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _decode(file: Path, size: int | None) -> np.ndarray:
    image = open_rgb(file)
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
