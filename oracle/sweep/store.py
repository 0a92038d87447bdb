"""The run folder: one durable record a finished training. What is done is what is recorded.

study.json        the resolved experiment, the digest and chance level of its data: whose folder this is
records/ID.json   a finished training (done or diverged), written whole or not at all
failed/ID.json    a training that raised an error, with its reason; never counts as done
states/ID.pt      the mask (and weights, where the restart needs them) that this training left for the next cycle
attempts/*.jsonl  every attempt, a file for each worker process; apart from the records
report/           tables and plots made from the records
"""

import json
import os
import uuid
from pathlib import Path
from typing import Any

import torch

from oracle.error import InputError
from silo.mask import Mask
from silo.trajectory import State

Record = dict[str, Any]
WRITER = uuid.uuid4().hex[:8]  # with the process id: a name of one's own among the nodes that share a folder


class Store:
    """A run folder. Reading makes no folder; a record once read is remembered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: dict[str, Record] = {}

    # -- whose folder this is

    def study(self) -> dict[str, Any] | None:
        """What study.json holds, or None; raises InputError where it can't be read."""
        return _read(self.folder / "study.json")

    def write_study(self, study: dict[str, Any]) -> None:
        """Claim the folder, or bring its experiment up to date."""
        _write(self.folder / "study.json", json.dumps(study, indent=1).encode())

    # -- records

    def record(self, cell_id: str) -> Record | None:
        """The record of a finished cell, or None; raises InputError where it can't be read."""
        if cell_id not in self._records:
            path = self.folder / "records" / f"{cell_id}.json"
            if not path.exists():
                return None
            record = _read(path)
            if not isinstance(record, dict) or record.get("id") != cell_id:
                raise InputError(f"{path}: not the record of this cell; delete it to have it made again")
            self._records[cell_id] = record
        return self._records[cell_id]

    def write_record(self, record: Record) -> bool:
        """Make a finished training durable. The first record of a cell stands: False where there is one already."""
        path = self.folder / "records" / f"{record['id']}.json"
        if path.exists() or not _write(path, json.dumps(record, sort_keys=True, allow_nan=False).encode(), first=True):
            return False
        (self.folder / "failed" / f"{record['id']}.json").unlink(missing_ok=True)
        return True

    # -- failures

    def failure(self, cell_id: str) -> str | None:
        """Why a cell's training failed, or None."""
        failure = _read(self.folder / "failed" / f"{cell_id}.json")
        return failure and failure["reason"]

    def write_failure(self, cell_id: str, reason: str) -> None:
        """Remember that a training raised an error."""
        _write(self.folder / "failed" / f"{cell_id}.json", json.dumps({"reason": reason}).encode())

    def forget_failures(self) -> None:
        """Let what failed be tried again."""
        for path in (self.folder / "failed").glob("*.json"):
            path.unlink()

    # -- states that trainings left

    def has_state(self, cell_id: str) -> bool:
        """Whether the state that this cell left is still there."""
        return self._state(cell_id).exists()

    def state(self, cell_id: str, digest: str, weights: dict[str, torch.Tensor]) -> State:
        """The state that a cell left, for a network with these prunable weights; read without executing code.

        Raises InputError where the file is missing, damaged, or isn't the state of this digest.
        """
        path = self._state(cell_id)
        try:
            held = torch.load(path, weights_only=True)
            state = State(Mask.unpack(held["mask"], weights), held["weights"])
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such start state") from error
        except Exception as error:  # torch.load raises half a dozen kinds of error for a damaged file
            raise InputError(f"{path}: not a readable start state; delete it to have it made again") from error
        if state.digest() != digest:
            raise InputError(f"{path}: not the start state that is due; delete it to have it made again")
        return state

    def write_state(self, cell_id: str, state: State) -> None:
        """Keep a state that a next cycle may start from."""
        path = self._state(cell_id)
        temporary = _temporary(path)
        with temporary.open("wb") as out:
            torch.save({"mask": state.mask.pack(), "weights": state.weights}, out)
            _sync(out)
        os.replace(temporary, path)

    def drop_state(self, cell_id: str) -> None:
        """Delete a state that no cycle starts from."""
        self._state(cell_id).unlink(missing_ok=True)

    def _state(self, cell_id: str) -> Path:
        return self.folder / "states" / f"{cell_id}.pt"

    # -- the log of attempts

    def log_attempt(self, **entry: Any) -> None:
        """Append to this process's own log, so that no two writers share a file."""
        folder = self.folder / "attempts"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{os.getpid()}-{WRITER}.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def attempts(self) -> list[dict[str, Any]]:
        """Every attempt that was logged, in no order; a line that a killed worker left unfinished is passed over."""
        lines = [line for log in (self.folder / "attempts").glob("*.jsonl") for line in log.read_text().splitlines()]
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def sweep_up(self) -> None:
        """Delete what killed writers left half written; call it while nothing else writes here."""
        for path in self.folder.glob("**/.*.tmp"):
            path.unlink(missing_ok=True)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: can't be read as JSON ({error}); delete it to have it made again") from error


def _entry(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _write(path: Path, content: bytes, first: bool = False) -> bool:
    """Write whole or not at all; with ``first``, leave a file alone that another writer made meanwhile (False)."""
    temporary = _temporary(path)
    with temporary.open("wb") as out:
        out.write(content)
        _sync(out)
    if first and path.exists():
        temporary.unlink()
        return False
    os.replace(temporary, path)
    return True


def _temporary(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent / f".{path.name}.{os.getpid()}-{WRITER}.tmp"


def _sync(out: Any) -> None:
    out.flush()
    os.fsync(out.fileno())
