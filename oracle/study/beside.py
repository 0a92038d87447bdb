"""What a command makes for its user, put in its place whole or not at all: it is written beside, then renamed.

Whenever the process is killed, or the disk is full, what was there before is there still, or the new one is. What a killed
process left beside goes with the next one that writes there.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from oracle.error import InputError
from oracle.study.durable import make_requested_folder, sync_folder, temporary_beside

EXCHANGE, AT_WORKING_FOLDER = 2, -100  # of renameat2(2)


@contextmanager
def written_beside(place: Path, own: Collection[str] = ()) -> Iterator[Path]:
    """Give a path on which to make a file or a folder; once the block has ended, it takes the place.

    A folder that holds others' files, too, stays with these: then each file takes its place for itself, once all are written.
    So it is where the folder is the working folder, or a mount point, which can't be renamed.

    Args:
        place: the file or the folder; the folders above it are made where they are missing.
        own: names of files in the folder that are replaced with it, or go where the new one has none such.

    Raises:
        InputError: where the place is a link, or the folders above it can't be made.
        OSError: where nothing can be written; what was there stands then.
    """
    if place.is_symlink():
        raise InputError(f"{place} must be no link, got one to {place.readlink()}: name that instead")
    make_requested_folder(place.parent)
    named, place = place, Path(os.path.realpath(place))
    stays = place.is_dir() and _stays(place)
    for parent in (place.parent, place):
        _sweep(parent, place)
    temporary = temporary_beside(place / place.name if stays else place)
    try:
        temporary.mkdir(mode=0o700)
        with _held(temporary):
            yield temporary / "new"
            _sync(temporary / "new")
            _put(temporary, place, own, stays)
    except OSError as error:  # of the place that the user knows, not of the one beside
        raise OSError(error.errno, error.strerror or str(error), str(named)) from error
    finally:
        _clear(temporary, place)
        sync_folder(place.parent)


def strangers(folder: Path, own: Collection[str]) -> list[str]:
    """The names in a folder that aren't of these, or are of no plain files, sorted; what killed writers left is nobody's."""
    folder = Path(os.path.realpath(folder))
    return sorted(
        path.name
        for path in folder.iterdir()
        if (path.name not in own or path.is_symlink() or not path.is_file()) and not _is_temporary(path, folder)
    )


def _is_temporary(path: Path, place: Path) -> bool:
    return path.name.startswith(f".{place.name}.") and path.name.endswith(".tmp") and not path.is_symlink()


def _stays(place: Path) -> bool:
    """Whether a folder can't be renamed."""
    return place.is_mount() or Path.cwd().is_relative_to(place) or not os.access(place.parent, os.W_OK)


@contextmanager
def _held(temporary: Path) -> Iterator[None]:
    """Hold a lock on it, as long as the process lives: whoever can have the lock may sweep it away."""
    handle = os.open(temporary, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _sweep(parent: Path, place: Path) -> None:
    """Clear what killed processes left of this place."""
    if not parent.is_dir():
        return
    for left in [path for path in parent.iterdir() if path.is_dir() and _is_temporary(path, place)]:
        with contextlib.suppress(OSError):
            handle = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _clear(left, place)
            finally:
                os.close(handle)


def _put(temporary: Path, place: Path, own: Collection[str], stays: bool) -> None:
    new, old = temporary / "new", temporary / "old"
    if new.is_file():
        os.replace(new, place)
    elif not place.exists():
        new.rename(place)
    elif stays or strangers(place, {*own, *(path.name for path in new.iterdir())}):
        _put_files(new, place, own)
    else:
        shutil.copymode(place, new)
        if not _exchange(new, place):
            place.rename(old)  # killed now, the next one brings it back: _clear
            new.rename(place)


def _put_files(new: Path, place: Path, own: Collection[str]) -> None:
    names = {path.name for path in new.iterdir()}
    for name in names:
        if (place / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")
    for name in sorted(names):
        os.replace(new / name, place / name)
    for name in {*own} - names:
        if not (place / name).is_dir():
            (place / name).unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> bool:
    """Whether two names could be exchanged at once: Linux can, on most file systems."""
    with contextlib.suppress(OSError, AttributeError):
        rename = ctypes.CDLL(None).renameat2
        paths = [part for path in (one, other) for part in (AT_WORKING_FOLDER, os.fsencode(path))]
        return rename(*paths, EXCHANGE) == 0
    return False


def _clear(temporary: Path, place: Path) -> None:
    """Remove it; a folder that was moved away, and whose place is empty, goes back."""
    with contextlib.suppress(OSError):
        if (temporary / "old").exists() and not place.exists():
            (temporary / "old").rename(place)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
    except BaseException:  # interrupted: what is left is removed all the same
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _sync(path: Path) -> None:
    """Have a file, or a folder with its files, on the disk before it has its name."""
    for file in [*path.iterdir(), path] if path.is_dir() else [path]:
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:  # not every file system lets a folder be synced
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(handle)
