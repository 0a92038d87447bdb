"""One command disturbed once: by a signal, by a full disk, or by a limit of its files' size; then the same command again."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.commands import COMMANDS, Ended, Tree, call, left, start, torn, tree, wait

SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
FULL, LIMIT = "full disk", "file size limit"
KINDS = (*SIGNALS, FULL, LIMIT)
SLOW = ("fit",)  # tried once by each kind: a fit takes 10 s
PAGE = 4096  # bytes, in whole pages of which a file takes up room
SOON = 5.0  # seconds, within which a command that is interrupted ends, on a busy machine, too


@dataclass(frozen=True)
class Try:
    """What is done to which command.

    Attributes:
        kind: a signal, a full disk or a limit.
        command: its name.
        share: when, as a share of the time that it takes undisturbed; or how much room, as a share of what it needs.
    """

    kind: str
    command: str
    share: float


@dataclass
class Outcome:
    """What became of a try; all lists should be empty.

    Attributes:
        met: whether the fault met the command: it wasn't over before, nor was there room enough.
        lost: what was neither the old nor the new afterwards, or not equal to the undisturbed one after the same command again.
        left: files left beside.
        unclear: an exit code or a message other than it must be.
        tracebacks: what Python said.
    """

    what: Try
    met: bool
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether it ended as it must."""
        return not (self.lost or self.left or self.unclear or self.tracebacks)


@dataclass(frozen=True)
class Undisturbed:
    """A command without a fault: the files before and after it, how long it took, the bytes it wrote, its largest file."""

    old: Tree
    new: Tree
    seconds: float
    written: int
    largest: int


def plan(tries: int, seed: int) -> list[Try]:
    """Return the tries, which follow from the seed alone: shares are spread evenly, each somewhere in its part."""
    chance = random.Random(seed)
    planned = []
    for kind in KINDS:
        for command in COMMANDS:
            count = 1 if command in SLOW else tries
            planned += [Try(kind, command, (part + chance.random()) / count) for part in range(count)]
    return planned


def undisturbed(command: str, template: Path, folder: Path) -> Undisturbed:
    """Run a command on a copy of the template.

    Raises:
        RuntimeError: where it fails.
    """
    with _copy(template, folder) as home:
        old = tree(home)
        ended = call(COMMANDS[command], home)
        new = tree(home)
        if ended.code != 0 or new == old:
            raise RuntimeError(f"an undisturbed {command} must end with 0, got {ended.code}: {ended.error}")
        sizes = [(home / name).stat().st_size for name in new if new[name] != old.get(name)]
    return Undisturbed(old, new, ended.seconds, sum(-(-size // PAGE) * PAGE for size in sizes), max(sizes))


@contextmanager
def _copy(template: Path, folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place) / "home"
        shutil.copytree(template, home)
        yield home


def attempt(what: Try, calm: Undisturbed, template: Path, folder: Path) -> Outcome:
    """Do it, judge what is there, run the same command again, and judge that."""
    if what.kind == FULL:
        with small_disk(folder) as disk:
            shutil.copytree(template, disk / "home")
            filler = disk / "filler"
            _fill(filler, round(what.share * calm.written))
            ended = call(COMMANDS[what.command], disk / "home")
            return _judged(what, calm, disk / "home", ended, filler)
    with _copy(template, folder) as home:
        if what.kind == LIMIT:
            return _judged(what, calm, home, call(COMMANDS[what.command], home, round(what.share * calm.largest)))
        process = start(COMMANDS[what.command], home)
        _sleep(process, what.share * calm.seconds)
        process.send_signal(signal.Signals[what.kind])
        return _judged(what, calm, home, wait(process))


def _sleep(process: subprocess.Popen, seconds: float) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)


def _judged(what: Try, calm: Undisturbed, home: Path, ended: Ended, filler: Path | None = None) -> Outcome:
    outcome = Outcome(what, ended.code != 0)
    now = tree(home)
    outcome.lost += [f"{name} is torn" for name in torn(calm.old, calm.new, now)]
    if what.kind != "SIGKILL":  # whoever is killed can't clear up: the next one does
        outcome.left += left(calm.old, calm.new, now)
    _judge_end(outcome, ended)
    if filler is not None:
        filler.unlink()
    if (
        what.command != "export" or "trials.db" not in now
    ):  # which takes a new file alone: one that is whole is the result
        again = call(COMMANDS[what.command], home)
        if again.code != 0:
            outcome.lost.append(f"again: exit {again.code}, {again.error.strip()[-300:]}")
    now = tree(home)
    missing = [name for name in calm.new if now.get(name) != calm.new[name]]
    outcome.lost += [f"{name} differs after the same command again" for name in missing]
    outcome.left += sorted(now.keys() - calm.new.keys() - {*outcome.left})
    return outcome


def _judge_end(outcome: Outcome, ended: Ended) -> None:
    kind = outcome.what.kind
    if ended.traceback:
        outcome.tracebacks.append(ended.error)
    if ended.hung:
        outcome.unclear.append(f"no end in {ended.seconds:.0f} s")
    if kind in SIGNALS:
        # a signal that comes before the command has begun is the interpreter's
        expected = {0, 130, -signal.Signals[kind]} if kind != "SIGKILL" else {0, -signal.SIGKILL}
        if ended.seconds > SOON and ended.code != 0:
            outcome.unclear.append(f"{ended.seconds:.1f} s from {kind} to the end")
    else:
        expected = {0, 1, 2}
        if ended.code != 0 and ended.lines != 1 and not ended.traceback:
            outcome.unclear.append(f"{ended.lines} lines: {ended.error.strip()[-300:]}")
    if ended.code not in expected:
        outcome.unclear.append(f"exit {ended.code}: {ended.error.strip()[-300:]}")
    if ended.lines > 1 and kind in SIGNALS and not ended.traceback:
        outcome.unclear.append(f"{ended.lines} lines: {ended.error.strip()[-300:]}")


# -- a disk that is full


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of 64 MB, of memory, as root can on Linux.

    Raises:
        OSError: where that can't be.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            raise OSError(mounted.stderr.strip())
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", place], check=True)


def can_mount(folder: Path) -> bool:
    """Whether a small disk can be made here."""
    try:
        with small_disk(folder):
            return True
    except OSError:
        return False


def _fill(filler: Path, room: int) -> None:
    """Take all there is but so many bytes."""
    disk = os.statvfs(filler.parent)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - room)
