"""The lock of a run folder: one driver at a time holds it, and anybody may look who does, without disturbing it.

The file ``lock`` holds, as JSON, the id of the driver's run (``sweep``), when it began (``at``) and, once it has come to its
end, when that was (``ended``): unix seconds.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from oracle.error import InputError
from oracle.files import open_file
from oracle.study.durable import make_requested_folder
from oracle.study.store import Event, Store

PATIENCE = 1.0  # seconds that a driver tries to have the lock: who looks at it holds it for a moment, too
LONGEST = 1000  # bytes of what a driver writes there
LATEST = 1e11  # unix seconds: the year 5138
BEGINNINGS = (Event.STARTED, Event.RESUMED)  # events of the log of attempts after which a training is under way


@dataclass(frozen=True)
class Activity:
    """The driver at work in a run folder, or the last one.

    Attributes:
        at_work: a driver holds the folder's lock.
        cut_off: the last driver did not come to its end.
        began: when it took the lock, in unix seconds; None: not known.
        ended: when it gave the lock back, in unix seconds; None: not known.
        running: ids of cells that are trained right now; some may have ended meanwhile.
        pace: seconds between two records of the driver at work; None: it has none yet, or none is at work.
        damaged: the file holds what no driver wrote, and none is at work: of the last one nothing is known.
    """

    at_work: bool
    cut_off: bool
    began: float | None
    ended: float | None
    running: frozenset[str]
    pace: float | None
    damaged: bool


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Hold the lock of a run folder, with an id of its own in ``store.sweep``; makes the folder.

    Raises:
        InputError: where another driver has the lock, or the folder can't be made or locked.
    """
    make_requested_folder(store.folder)
    with _opened(store.folder / "lock") as lock:
        _acquire(lock, store.folder)
        store.sweep = uuid.uuid4().hex[:8]
        held = {"sweep": store.sweep, "at": round(time.time(), 3)}
        _write(lock, held)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # a full disk
                _write(lock, {**held, "ended": round(time.time(), 3)})


def activity(store: Store) -> Activity:
    """Look at the lock and the log of attempts; writes nothing."""
    at_work, held = _look(store.folder)
    began, ended, sweep = ((held or {}).get(key) for key in ("at", "ended", "sweep"))
    attempts = []
    if at_work and sweep:
        attempts = [entry for entry in store.attempts() if entry.get("sweep") == sweep]
        attempts.sort(key=lambda entry: entry.get("at", 0.0))
    last = {entry["cell"]: entry["event"] for entry in attempts}
    recorded = sum(entry["event"] == Event.RECORDED for entry in attempts)
    return Activity(
        at_work,
        cut_off=not at_work and began is not None and ended is None,
        began=began,
        ended=ended,
        running=frozenset(cell for cell, event in last.items() if event in BEGINNINGS),
        # since the first training, so that the workers' start doesn't count
        pace=max(0.0, time.time() - attempts[0].get("at", 0.0)) / recorded if recorded else None,
        damaged=not at_work and held is None,
    )


def _opened(path: Path) -> IO[str]:
    """Open the lock to be held, no link followed: what is written there is the folder's own.

    Raises:
        InputError: where it is no plain file, or may not be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise InputError(f"{path} must be a plain file, got a link, a folder or a pipe") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise InputError(f"{path} must be a file that can be written, got: {error.strerror}") from error
        raise
    lock = os.fdopen(handle, "a", encoding="utf-8")
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        lock.close()
        raise InputError(f"{path} must be a plain file, got a device or a pipe")
    return lock


def _write(lock: IO[str], held: dict[str, Any]) -> None:
    lock.truncate(0)
    lock.write(json.dumps(held))
    lock.flush()


def _acquire(lock: IO[str], folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise InputError(f"{folder} must be free, got another run at work in this folder") from error
            time.sleep(0.05)
        except OSError as error:
            raise InputError(f"{folder} must lie on a file system with flock, got {error.strerror}") from error


def _look(folder: Path) -> tuple[bool, dict[str, Any] | None]:
    """Whether a driver holds the lock, and what it wrote there; None: nobody can have written that."""
    path = folder / "lock"
    try:
        with open_file(path) as lock:
            is_held = _is_held(lock)
            text = lock.read(LONGEST)
    except FileNotFoundError:
        return False, {}
    except (IsADirectoryError, ValueError) as error:
        found = "a folder" if isinstance(error, IsADirectoryError) else error
        raise InputError(f"{path} must be a plain file, got {found}") from error
    if not text:  # killed before it wrote
        return is_held, {}
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):  # where one is at work: it is writing
        return is_held, None
    return is_held, written if _is_a_drivers(written) else None


def _is_a_drivers(written: Any) -> bool:
    if not isinstance(written, dict) or not isinstance(written.get("sweep", ""), str):
        return False
    times = [written[name] for name in ("at", "ended") if name in written]
    return all(type(at) in (int, float) and 0 <= at <= LATEST for at in times)


def _is_held(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:  # a file system that knows no locks: no driver works there
        pass
    return False
