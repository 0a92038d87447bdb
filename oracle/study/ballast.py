"""Room on the disk that a worker holds back, so that a full disk can't cost a finished training."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from oracle.study.durable import make_folder, temporary_beside

ROOM = 2**18  # bytes: a record with its curve of some hundred epochs


class Ballast:
    """A file of no content. Held before a training, it is given up where what the training gave finds no room otherwise."""

    def __init__(self, folder: Path) -> None:
        self._path = temporary_beside(folder / "ballast")
        self._size = 0

    def hold(self, size: int = ROOM) -> None:
        """Hold back at least so many bytes, now. Raises OSError where there is no such room: before a training, not after."""
        if size <= self._size and self._path.exists():  # a starting driver may have swept it away
            return
        make_folder(self._path.parent)
        self._size = 0
        try:
            with self._path.open("wb") as out:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(out.fileno(), 0, size)
                else:
                    out.write(bytes(size))
                os.fsync(out.fileno())
        except OSError:
            self.release()
            raise
        self._size = size

    def release(self) -> None:
        """Give the room back."""
        self._size = 0
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def spent_on(self, write: Callable[[], None]) -> None:
        """Write; where that fails, again in the room held back. Raises OSError where it fails then, too."""
        try:
            write()
        except OSError:
            if not self._size:
                raise
            self.release()
            write()
