"""The run folder: one durable record a finished training. What is done is what is recorded.

study.json        the resolved experiment, the digest and chance level of its data, a checksum: whose folder this is
lock              held by the driver at work, with the id of its sweep
records/ID.json   a finished training (done or diverged), written whole or not at all
failed/ID.json    a training that raised an error, with its reason; never counts as done
states/ID.pt      the mask (and weights, where the restart needs them) that this training left for the next cycle
checkpoints/ID.pt a training under way, after its last epoch or one of the last
attempts/*.jsonl  every attempt, a file for each sweep and process; apart from the records
report/           tables and plots made from the records
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from oracle.error import InputError
from oracle.files import open_file, read_file, read_json, read_tree
from oracle.hashing import digest, sealed, unsealed
from oracle.plain_text import one_line
from oracle.study.durable import WRITER, make_folder, write
from oracle.study.record import Record

PARTS = ("lock", "records", "failed", "states", "checkpoints", "attempts", "report")  # beside study.json
DELETE_ADVICE = "delete it to have it made again"
STUDY_ADVICE = "restore it, or delete it: `silo-oracle run` with its experiment file makes it again"
MAX_LOG_BYTES = 2**28  # of attempts of one process: about a million
ABSENT = object()


class Event(StrEnum):
    """What the log of attempts says of a training."""

    STARTED = "started"
    RESUMED = "resumed"  # from a checkpoint
    RECORDED = "recorded"
    SUPERSEDED = "had a record already"  # another worker was first
    SKIPPED = "skipped"  # another worker had recorded it before it began here
    FAILED = "failed"


class Store:
    """A run folder. Reading makes no folder; a record once read is remembered.

    Args:
        folder: where it is.
        sweep: id of the run that writes here; every attempt is logged with it.
    """

    def __init__(self, folder: Path, sweep: str = "") -> None:
        self.folder = folder
        self.sweep = sweep
        self._records: dict[str, Record] = {}
        self._environments: dict[str, Mapping[str, Any]] = {}

    # -- whose folder this is

    def study(self) -> dict[str, Any] | None:
        """What study.json holds; None where there is none.

        Raises:
            InputError: where it can't be read, or was changed.
        """
        path = self.folder / "study.json"
        held = _read(path, STUDY_ADVICE)
        for part in (self.folder / name for name in PARTS):
            if part.is_symlink():  # what is read or written there would lie elsewhere
                raise InputError(f"{part} must be no link, got one to {part.readlink()}")
        if held is ABSENT:
            return None
        if not isinstance(held, dict):
            raise InputError(f"{path} must be a study that `run` wrote, got something else; {STUDY_ADVICE}")
        if "checksum" not in held:  # of an older version
            return held
        try:
            return unsealed(held)
        except ValueError as error:
            raise InputError(f"{path} {error}; {STUDY_ADVICE}") from error

    def write_study(self, study: dict[str, Any]) -> None:
        """Claim the folder, or bring its experiment up to date."""
        write(self.folder / "study.json", json.dumps(sealed(study), indent=1).encode())

    def has_nothing_else(self) -> bool:
        """Whether the folder holds nothing but what a run makes there."""
        return {path.name for path in self.folder.iterdir() if not _is_temporary(path)} <= {*PARTS, "study.json"}

    # -- records

    def record(self, cell_id: str) -> Record | None:
        """The record of a finished training without its curve; None where there is none.

        It is remembered once it was read.

        Raises:
            InputError: where the file can't be trusted.
        """
        if cell_id not in self._records:
            record = self.whole_record(cell_id)
            if record is None:
                return None
            # one object for each environment, however many records name it
            environment = self._environments.setdefault(digest(record.environment), record.environment)
            self._records[cell_id] = replace(record.without_curve(), environment=environment)
        return self._records[cell_id]

    def whole_record(self, cell_id: str) -> Record | None:
        """The record of a finished training with its curve, read anew; None where there is none.

        Raises:
            InputError: where the file can't be trusted.
        """
        path = self.folder / "records" / f"{cell_id}.json"
        held = _read(path, read=read_json)
        if held is ABSENT:
            return None
        if not isinstance(held, dict) or held.get("id") != cell_id:
            raise InputError(f"{path} must be the record of this training, got another one; {DELETE_ADVICE}")
        try:
            return Record.from_json(unsealed(held))
        except ValueError as error:
            raise InputError(f"{path} {error}; {DELETE_ADVICE}") from error

    def recorded(self) -> list[str]:
        """The ids of all trainings with a record, whichever study requests them."""
        return [path.stem for path in (self.folder / "records").glob("*.json")]

    def write_record(self, record: Record) -> bool:
        """Make a finished training durable.

        Returns:
            False where the training has a record already: the first one stands.
        """
        content = json.dumps(sealed(record.to_json()), sort_keys=True, allow_nan=False).encode()
        first = write(self.folder / "records" / f"{record.id}.json", content, first=True)
        (self.folder / "failed" / f"{record.id}.json").unlink(missing_ok=True)
        self.drop_checkpoint(record.id)
        return first

    # -- failures

    def failure(self, cell_id: str) -> str | None:
        """Why a training failed; None where it didn't.

        Raises:
            InputError: where the file can't be trusted.
        """
        path = self.folder / "failed" / f"{cell_id}.json"
        failure = _read(path)
        if failure is ABSENT:
            return None
        if not isinstance(failure, dict) or not isinstance(failure.get("reason"), str):
            raise InputError(f"{path} must hold the reason of a failure, got something else; {DELETE_ADVICE}")
        return one_line(failure["reason"])

    def write_failure(self, cell_id: str, reason: str) -> None:
        """Remember that a training raised an error."""
        write(self.folder / "failed" / f"{cell_id}.json", json.dumps({"reason": reason}).encode())

    def forget_failures(self) -> None:
        """Let what failed be tried again."""
        for path in (self.folder / "failed").glob("*.json"):
            path.unlink()

    # -- states that trainings left

    def has_state(self, cell_id: str) -> bool:
        """Whether the state that this cell left is still there."""
        return self.state_path(cell_id).exists()

    def drop_state(self, cell_id: str) -> None:
        """Delete a state that no cycle starts from."""
        self.state_path(cell_id).unlink(missing_ok=True)

    def state_path(self, cell_id: str) -> Path:
        """Where the state lies that a training left; oracle.study.states reads and writes it."""
        return self.folder / "states" / f"{cell_id}.pt"

    # -- trainings under way

    def drop_checkpoint(self, cell_id: str) -> None:
        """Delete what was kept of a training under way."""
        self.checkpoint_path(cell_id).unlink(missing_ok=True)

    def checkpoint_path(self, cell_id: str) -> Path:
        """Where that is kept; oracle.study.states reads and writes it."""
        return self.folder / "checkpoints" / f"{cell_id}.pt"

    # -- the log of attempts

    def log_attempt(self, **entry: Any) -> None:
        """Append to this process's own log of this sweep, so that no two writers, and no two run folders, share a log.

        Time (unix seconds) and sweep are added.
        """
        folder = self.folder / "attempts"
        make_folder(folder)
        with (folder / f"{self.sweep or 'none'}-{os.getpid()}-{WRITER}.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({**entry, "at": round(time.time(), 3), "sweep": self.sweep}) + "\n")

    def attempts(self) -> list[dict[str, Any]]:
        """Every attempt that was logged, in no order; a line that a killed worker left unfinished is passed over."""
        logs = (self.folder / "attempts").glob("*.jsonl")
        texts = [_found(log, _read_log, "a log of attempts") for log in logs]
        lines = [line for text in texts if text is not ABSENT for line in text.decode(errors="replace").splitlines()]
        return [entry for line in lines if (entry := _entry(line)) is not None]

    # -- what another run folder holds

    def names(self, part: str) -> list[str]:
        """The files of a part of the folder (records, states, checkpoints, attempts), without those half written."""
        return sorted(path.name for path in (self.folder / part).glob("*") if not path.name.endswith(".tmp"))

    def check_files(self, *parts: str) -> None:
        """Raise InputError where one of these parts holds anything but plain files that can be read."""
        for path in [self.folder / part / name for part in parts for name in self.names(part)]:
            file = _found(path, open_file, "a plain file")
            if file is not ABSENT:  # gone: a run may be at work
                file.close()

    def take(self, other: "Store", name: str, first: bool = True) -> bool:
        """Copy a file of another run folder, such as states/ID.pt; with ``first``, one that is here already stands (False).

        False, too, where it is gone there: a run may be at work.
        """
        try:
            held = open_file(other.folder / name)
        except FileNotFoundError:
            return False

        def fill(out: BinaryIO) -> None:
            held.seek(0)
            shutil.copyfileobj(held, out)

        with held:
            return write(self.folder / name, fill, first)

    def sweep_up(self) -> None:
        """Delete what killed writers left: files half written, checkpoints and failures of what is recorded."""
        for path in self.folder.glob("**/.*.tmp"):
            if not path.is_dir():  # a report that is written beside (oracle.study.beside)
                path.unlink(missing_ok=True)
        for part in ("checkpoints", "failed"):
            for path in (self.folder / part).glob("*.*"):
                if (self.folder / "records" / f"{path.stem}.json").exists():
                    path.unlink(missing_ok=True)


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".tmp")


def _read(path: Path, advice: str = DELETE_ADVICE, read: Callable[[Path], Any] = read_tree) -> Any:
    """What a JSON file holds; ABSENT where there is none."""
    return _found(path, read, "readable JSON", f"; {advice}")


def _read_log(path: Path) -> bytes:
    return read_file(path, MAX_LOG_BYTES)


def _found(path: Path, read: Callable[[Path], Any], expected: str, advice: str = "") -> Any:
    """What is read of a file; ABSENT where there is none."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:  # it may be whole: no reason to delete it
        raise InputError(f"{path} must be readable, got: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} must be {expected}, got {error}{advice}") from error


def _entry(line: str) -> dict[str, Any] | None:
    """The attempt that a line of a log is of; None where it is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    entry.setdefault("cell", "")  # a calibration's entries are of no training
    if not all(isinstance(entry.get(name), str) for name in ("cell", "event")):
        return None
    at = entry.get("at", 0.0)
    return entry if type(at) in (int, float) and math.isfinite(at) else None
