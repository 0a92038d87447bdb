"""One bit of a file flipped, or its end cut off, at every k-th byte: what is read of it is refused, or provably the same."""

import random
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from oracle.error import InputError
from oracle.run.checkpoint import EpochCheckpoint
from oracle.study.states import read_state, write_checkpoint
from oracle.study.store import Store
from oracle.study.study import describe_study, open_study
from silo.checkpoint import TrainingState
from silo.outcome import Epoch

BIT, CUT = "bit flipped", "cut off"
WAYS = (BIT, CUT)


@dataclass
class Damages:
    """What became of one file damaged in one way, at all places tried.

    Attributes:
        file: a record, a state, a checkpoint or study.json.
        way: how it was damaged.
        tried: at how many places.
        refused: how often it was refused.
        same: how often the values that were read were those that had been written.
        accepted: the bytes (flipped, or of the length left) with which others were read.
        tracebacks: what was raised that isn't one line naming the file, with the byte.
    """

    file: str
    way: str
    tried: int = 0
    refused: int = 0
    same: int = 0
    accepted: list[int] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """A file and its reading: ``read`` returns its values so that they can be compared, or None where it starts over."""

    name: str
    path: Path
    read: Callable[[], Any]


def targets(source: Path, folder: Path) -> list[Target]:
    """Return the files of a copy of a finished run folder, made in ``folder``; a checkpoint is added to it."""
    copy = folder / "damaged"
    shutil.copytree(source, copy)
    store = Store(copy)
    identity = next(one for one in sorted(store.recorded()) if store.has_state(one))
    record = store.record(identity)
    held = torch.load(store.state_path(identity), weights_only=True)
    weights = {name: held["weights"][name] for name in (layer.name for layer in record.layers)}
    environment = dict(record.environment)
    training = TrainingState(held["weights"], held["weights"], None, None, (Epoch(0.5, 90.0, 89.0),))
    write_checkpoint(
        store,
        identity,
        {"cell": identity, "environment": environment, "seconds": 1.0, "position": training.to_plain()},
    )

    def state() -> Any:
        read = read_state(Store(copy), identity, record.leaves, weights)
        return _plain({"mask": read.mask.pack(), "weights": read.weights})

    def checkpoint() -> Any:
        keeper = EpochCheckpoint(_Silent(copy), identity, environment)
        found = keeper.load()
        return found and _plain(found.to_plain())

    return [
        Target("record", copy / "records" / f"{identity}.json", lambda: Store(copy).whole_record(identity)),
        Target("state", store.state_path(identity), state),
        Target("checkpoint", store.checkpoint_path(identity), checkpoint),
        Target("study.json", copy / "study.json", lambda: _study(copy)),
    ]


class _Silent(Store):
    """A run folder in which no attempt is logged: thousands of checkpoints are read."""

    def log_attempt(self, **entry: Any) -> None:
        """Nothing."""


def _study(folder: Path) -> dict[str, Any]:
    study = open_study(folder)
    return describe_study(study.experiment, study.data, study.origin)


def _plain(value: Any) -> Any:
    """Tensors as their bytes, type and shape, so that == compares every bit."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.contiguous().numpy().tobytes()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def damage(target: Target, way: str, every: int, seed: int) -> Damages:
    """Damage a file at every so manieth byte, each time from the whole one, which is there again at the end."""
    whole, chance = target.path.read_bytes(), random.Random(f"{seed} {target.name} {way}")
    expected, result = target.read(), Damages(target.name, way)
    try:
        for place in range(0, len(whole), every):
            damaged = bytearray(whole[:place] if way == CUT else whole)
            if way == BIT:
                damaged[place] ^= 1 << chance.randrange(8)
            target.path.write_bytes(damaged)
            _judge(target, expected, place, result)
    finally:
        target.path.write_bytes(whole)
    return result


def _judge(target: Target, expected: Any, place: int, result: Damages) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        _judge_read(target, expected, place, result)
    if warned:  # beside the one line, or in its place
        result.unclear.append(f"byte {place}: warned: {warned[0].message}")


def _judge_read(target: Target, expected: Any, place: int, result: Damages) -> None:
    result.tried += 1
    try:
        found = target.read()
    except InputError as error:
        result.refused += 1
        if "\n" in str(error) or (target.path.name not in str(error) and str(target.path.parent) not in str(error)):
            result.unclear.append(f"byte {place}: {error}")
    except Exception as error:
        result.tracebacks.append(f"byte {place}: {type(error).__name__}: {error}")
    else:
        if found is None:  # the training starts over
            result.refused += 1
        elif found == expected:
            result.same += 1
        else:
            result.accepted.append(place)
