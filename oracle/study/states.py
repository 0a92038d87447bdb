"""What trainings leave in a run folder as tensors: states to start from, and checkpoints of trainings under way."""

import hashlib
import io
from typing import Any, BinaryIO

import torch

from oracle.error import InputError
from oracle.study.durable import write
from oracle.study.store import DELETE_ADVICE, Store
from silo.mask import Mask
from silo.state import State

CHECKSUM = hashlib.sha256().digest_size


def read_state(store: Store, cell_id: str, expected: str, weights: dict[str, torch.Tensor]) -> State:
    """Return the state that a training left, read without executing code.

    Args:
        store: the run folder.
        cell_id: of the training.
        expected: the state's digest.
        weights: the prunable weights of the network, of which names and shapes are needed.

    Raises:
        InputError: where the file is missing, damaged, or another state's.
    """
    path = store.state_path(cell_id)
    try:
        held = torch.load(path, weights_only=True)
        state = State(Mask.unpack(held["mask"], weights), held["weights"])
    except FileNotFoundError as error:
        raise InputError(f"{path} must hold a start state, got no such file") from error
    except PermissionError as error:  # it may be whole: no reason to delete it
        raise InputError(f"{path} must be readable, got: {error.strerror}") from error
    except Exception as error:  # torch.load raises half a dozen kinds of error for a damaged file
        raise InputError(f"{path} must be a readable start state, got a damaged file; {DELETE_ADVICE}") from error
    if state.digest() != expected:
        raise InputError(f"{path} must be the start state {expected}, got another one; {DELETE_ADVICE}")
    return state


def write_state(store: Store, cell_id: str, state: State) -> int:
    """Keep a state that a next cycle may start from; returns its size in bytes."""
    held, sizes = {"mask": state.mask.pack(), "weights": state.weights}, []

    def fill(out: BinaryIO) -> None:
        torch.save(held, out)
        sizes.append(out.tell())

    write(store.state_path(cell_id), fill)
    return sizes[-1]


def read_checkpoint(store: Store, cell_id: str) -> dict[str, Any] | None:
    """Return what a training under way left, read without executing code; None where nothing there can be trusted."""
    try:
        content = memoryview(store.checkpoint_path(cell_id).read_bytes())
        if hashlib.sha256(content[CHECKSUM:]).digest() != content[:CHECKSUM]:
            return None
        return torch.load(io.BytesIO(content[CHECKSUM:]), weights_only=True)
    except Exception:  # torch.load raises half a dozen kinds of error; the training starts over then
        return None


def write_checkpoint(store: Store, cell_id: str, held: dict[str, Any]) -> None:
    """Keep what a training needs to go on, after a checksum: torch.load would read flipped bits as they are."""
    content = io.BytesIO()
    torch.save(held, content)

    def fill(out: BinaryIO) -> None:
        out.write(hashlib.sha256(content.getbuffer()).digest())
        out.write(content.getbuffer())

    write(store.checkpoint_path(cell_id), fill)
