"""What a run folder's driver does right now, looked at from outside: nothing is written, and no driver is disturbed."""

import fcntl
import json
import time
from dataclasses import dataclass
from typing import IO, Any

from oracle.study.store import Store

BEGINS = ("started", "resumed")


@dataclass(frozen=True)
class Activity:
    """The driver at work in a run folder, or the last one.

    at_work  a driver holds the folder's lock;  cut_off  the last one did not come to its end
    began    when it took the lock, and ended, when it gave it back (unix seconds; None: not known)
    running  ids of cells that are trained right now; some may have ended meanwhile
    pace     seconds between two records of the driver at work (None: it has none yet, or none is at work)
    """

    at_work: bool
    cut_off: bool
    began: float | None
    ended: float | None
    running: frozenset[str]
    pace: float | None


def activity(store: Store) -> Activity:
    """Look at the lock and the log of attempts."""
    at_work, lock = _lock(store)
    began, ended, sweep = (lock.get(key) for key in ("at", "ended", "sweep"))
    attempts = []
    if at_work and sweep:
        attempts = [entry for entry in store.attempts() if entry.get("sweep") == sweep]
        attempts.sort(key=lambda entry: entry["at"])
    last = {entry["cell"]: entry["event"] for entry in attempts}
    recorded = sum(entry["event"] == "recorded" for entry in attempts)
    return Activity(
        at_work,
        cut_off=not at_work and began is not None and ended is None,
        began=began,
        ended=ended,
        running=frozenset(cell for cell, event in last.items() if event in BEGINS),
        # since the first training, so that the workers' start doesn't count
        pace=max(0.0, time.time() - attempts[0]["at"]) / recorded if recorded else None,
    )


def _lock(store: Store) -> tuple[bool, dict[str, Any]]:
    """Whether a driver holds the lock, and what it wrote there."""
    try:
        with (store.folder / "lock").open() as lock:
            held = _held(lock)
            text = lock.read()
    except FileNotFoundError:
        return False, {}
    try:
        written = json.loads(text)
    except ValueError:  # a driver is writing it
        written = {}
    return held, written if isinstance(written, dict) else {}


def _held(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:  # a file system that knows no locks: no driver works there
        pass
    return False
