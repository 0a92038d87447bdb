"""Files written whole or not at all, and still there after a power cut when the call returns."""

import contextlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from oracle.error import InputError

WRITER = uuid.uuid4().hex[:8]  # with the process id: a name of one's own among the nodes that share a folder
MAX_TRIES = 5  # tries of a write whose temporary file a starting driver swept away


def write(path: Path, fill: bytes | Callable[[BinaryIO], Any], first: bool = False) -> bool:
    """Write a file.

    Args:
        path: of the file; its folder is made where it is missing.
        fill: what to write, or a function that writes it into the file it is given.
        first: whether a file that is there already stands.

    Returns:
        Whether it was written.

    Raises:
        OSError: where it can't be written; nothing is left behind then.
    """
    make_folder(path.parent)
    for tried in range(MAX_TRIES):
        temporary = temporary_beside(path)
        try:
            with temporary.open("wb") as out:
                out.write(fill) if isinstance(fill, bytes) else fill(out)
                out.flush()
                os.fsync(out.fileno())
            written = _link(temporary, path) if first else (os.replace(temporary, path) or True)
        except FileNotFoundError:
            if tried == MAX_TRIES - 1:
                raise
            continue
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
        return written
    raise AssertionError("the last try returns or raises")


def make_folder(folder: Path) -> None:
    """Make a folder and those it lies in, as durably as the files in it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def make_requested_folder(folder: Path) -> None:
    """Make a folder that the user named.

    Raises:
        InputError: where it can't be made.
    """
    try:
        make_folder(folder)
    except OSError as error:
        found = "a file" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise InputError(f"{folder} must be a place where a folder can be made, got {found}") from error


def temporary_beside(path: Path) -> Path:
    """A name that no other writer uses, and by which what was left half written is known."""
    return path.parent / f".{path.name}.{os.getpid()}-{WRITER}.tmp"


def _link(temporary: Path, path: Path) -> bool:
    """Give the file its name if no file has it: the file system decides who is first, not a look beforehand."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except FileNotFoundError:
        raise
    except OSError:  # no hard links on this file system
        if path.exists():
            return False
        os.replace(temporary, path)
    return True


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the file system can."""
    with contextlib.suppress(OSError):  # not every file system lets a folder be synced
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
