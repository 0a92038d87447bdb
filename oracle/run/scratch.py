"""Temporary folders: private, short enough for sockets, and removed by the next process where their own was killed."""

import fcntl
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from oracle.error import InputError

PREFIX, LOCK = "silo-", "silo-oracle.lock"
# A socket's path has at most so many bytes; to the place of a temporary folder come the folder's own name and what Ray adds.
SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
RAYS = "/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
MAX_PLACE = SOCKET_BYTES - len(f"/{PREFIX}12345678{RAYS}")
PLACES = ("/tmp", "/var/tmp", "/dev/shm")
REMOVING_SECONDS = 2.0  # processes that end may still write there


def scratch_place() -> Path:
    """Return the folder in which temporary ones are made: the first that suits of $RAY_TMPDIR, $TMPDIR, /tmp and its like.

    Raises:
        InputError: None can be written, or Ray could have no sockets there.
    """
    try:
        usual = tempfile.gettempdir()
    except FileNotFoundError:
        usual = os.environ.get("TMPDIR", "")
    for place in filter(None, (os.environ.get("RAY_TMPDIR"), usual, *PLACES)):
        # Ray makes commands of it, in which a space would part two words, and which are ASCII
        is_plain = re.fullmatch(r"/[\w./+-]*", place, re.ASCII) and len(place) <= MAX_PLACE
        if is_plain and Path(place).is_dir() and os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    expected = f"a folder that can be written, of at most {MAX_PLACE} letters, digits and . _ + - / (sockets lie there)"
    raise InputError(f"TMPDIR must be {expected}, got {usual!r}, and {', '.join(PLACES)} can't be written, either")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a temporary folder that no other user can look into, and remove it afterwards; those of killed processes, too."""
    place = scratch_place()
    _remove_abandoned(place)
    folder, lock = _new_folder(place)
    try:
        yield folder
    finally:
        _remove(folder)
        lock.close()


def _new_folder(place: Path) -> tuple[Path, TextIO]:
    """A folder, and the lock that says that its process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        lock = (folder / LOCK).open("w", encoding="utf-8")
        if _is_free(lock) and (folder / LOCK).exists():  # no other process has just taken it for abandoned
            return folder, lock
        lock.close()


def _remove_abandoned(place: Path) -> None:
    for lock_file in place.glob(f"{PREFIX}{'[a-z0-9_]' * 8}/{LOCK}"):
        with suppress(OSError):  # it is gone, or somebody else's
            if lock_file.parent.lstat().st_uid != os.geteuid():
                continue
            with lock_file.open("r+", encoding="utf-8") as lock:
                if _is_free(lock):
                    _remove(lock_file.parent)


def _is_free(lock: TextIO) -> bool:
    """Take a lock, where no process that lives has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    until = time.monotonic() + REMOVING_SECONDS
    while folder.exists() and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(0.05)
