"""Decoded images and generated samples on disk: what is read is whole, and where nothing can be kept nothing is left."""

import os
import tempfile
import zlib
from pathlib import Path

import numpy as np


def cache_folder() -> Path:
    """Where arrays are kept: $XDG_CACHE_HOME/silo-oracle (default ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "silo-oracle"


def read_array(key: str, count: int, dtype: type[np.generic]) -> np.ndarray | None:
    """The array of ``count`` rows that :func:`write_array` kept under a key; None where it isn't there, or not whole."""
    try:
        with (cache_folder() / f"{key}.npy").open("rb") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
            whole = array.dtype == dtype and len(array) == count and file.read() == _checksum(array)
    except Exception:  # a damaged header makes numpy raise whatever it comes across; the array can be made again
        return None
    return array if whole else None


def write_array(key: str, array: np.ndarray) -> None:
    """Keep an array under a key, or do nothing where that can't be done: on a full disk, say, or without a home folder."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(".tmp", f"{key}.", folder)
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return
    try:
        with os.fdopen(descriptor, "wb") as out:
            np.lib.format.write_array(out, array, allow_pickle=False)
            out.write(_checksum(array))
        os.replace(temporary, folder / f"{key}.npy")
    except OSError:
        pass
    finally:
        Path(temporary).unlink(missing_ok=True)  # there where the above failed


def _checksum(array: np.ndarray) -> bytes:
    return zlib.crc32(array).to_bytes(4, "big")
