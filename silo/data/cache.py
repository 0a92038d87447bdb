"""Decoded images on disk: what is read there is whole, and where nothing can be kept nothing is left behind."""

import os
import tempfile
import zlib
from pathlib import Path

import numpy as np


def cache_folder() -> Path:
    """Where decoded images are kept: $XDG_CACHE_HOME/silo-oracle (default ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "silo-oracle"


def read_pixels(key: str, count: int) -> np.ndarray | None:
    """The ``count`` images, uint8, that :func:`write_pixels` kept under a key; None where they aren't there, or not whole."""
    try:
        with (cache_folder() / f"{key}.npy").open("rb") as file:
            pixels = np.lib.format.read_array(file, allow_pickle=False)
            whole = pixels.dtype == np.uint8 and len(pixels) == count and file.read() == _checksum(pixels)
    except Exception:  # a damaged header makes numpy raise whatever it comes across; the images can be decoded again
        return None
    return pixels if whole else None


def write_pixels(key: str, pixels: np.ndarray) -> None:
    """Keep images under a key, or do nothing where that can't be done: on a full disk, say, or without a home folder."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(".tmp", f"{key}.", folder)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return
    try:
        with os.fdopen(descriptor, "wb") as out:
            np.lib.format.write_array(out, pixels, allow_pickle=False)
            out.write(_checksum(pixels))
        os.replace(temporary, folder / f"{key}.npy")
    except OSError:
        pass
    finally:
        Path(temporary).unlink(missing_ok=True)  # there where the above failed


def _checksum(pixels: np.ndarray) -> bytes:
    return zlib.crc32(pixels).to_bytes(4, "big")
