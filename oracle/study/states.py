"""What trainings leave in a run folder as tensors: states to start from, and checkpoints of trainings under way."""

import hashlib
import io
import pickletools
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import torch

from oracle.error import InputError
from oracle.files import REFUSED, open_file
from oracle.study.durable import write
from oracle.study.store import DELETE_ADVICE, Store
from silo.mask import Mask
from silo.state import State

# all that tensors in dicts and lists are made of; torch would call others, too, of which some take any size
BUILT = {
    "collections OrderedDict",
    "torch.storage UntypedStorage",
    *(f"torch._utils _rebuild_{name}" for name in ("tensor_v2", "tensor_v3", "parameter")),
}
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
        with open_file(path) as file:
            held = unpack(file)
        state = State(Mask.unpack(held["mask"], weights), held["weights"])
    except FileNotFoundError as error:
        raise InputError(f"{path} must hold a start state, got no such file") from error
    except PermissionError as error:  # it may be whole: no reason to delete it
        raise InputError(f"{path} must be readable, got: {error.strerror}") from error
    except Exception as error:  # torch.load raises half a dozen kinds of error for a damaged file
        found = str(error) if str(error) in REFUSED else "a damaged file"
        raise InputError(f"{path} must be a readable start state, got {found}; {DELETE_ADVICE}") from error
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
        with open_file(store.checkpoint_path(cell_id)) as file:
            content = memoryview(file.read())
        if hashlib.sha256(content[CHECKSUM:]).digest() != content[:CHECKSUM]:
            return None
        return unpack(io.BytesIO(content[CHECKSUM:]))
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


def unpack(file: BinaryIO) -> Any:
    """Return what torch.save wrote into a file, without executing code, and in no more memory than the file is large.

    Raises:
        Exception: of half a dozen kinds, where it is damaged, or would be larger than the file.
    """
    stored = _check_archive(file)
    file.seek(0)
    held = torch.load(file, weights_only=True)
    storages = {}
    for tensor in _tensors(held):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        if tensor.numel() * tensor.element_size() > storage.nbytes():
            raise ValueError("must hold tensors no larger than what is stored of them")
    if sum(storages.values()) > stored:
        raise ValueError("must hold tensors no larger than what is stored of them")
    return held


def _check_archive(file: BinaryIO) -> int:
    """How many bytes the archive unpacks to, where these are no more than it has."""
    size = file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        stored = sum(part.file_size for part in parts)
        # torch.save never compresses: 400 kB could stand for 7 GB, and so could parts that lie over each other
        if stored > size or any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise ValueError("must unpack to no more than its size")
        for part in parts:
            if part.filename.endswith(".pkl"):
                _check_pickle(archive.read(part))
    return stored


def _check_pickle(pickled: bytes) -> None:
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name in ("STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4") or (
            operation.name == "GLOBAL" and not _is_of_tensors(argument)
        ):
            raise ValueError(f"must hold tensors alone, got {argument}")


def _is_of_tensors(name: str) -> bool:
    module, _, thing = name.partition(" ")
    of_torch = thing.endswith("Storage") or isinstance(getattr(torch, thing, None), torch.dtype)
    return name in BUILT or (module == "torch" and of_torch)


def _tensors(held: Any) -> Iterator[torch.Tensor]:
    """Every tensor, in dicts and lists at any depth; what is in several places counts once."""
    seen, left = set(), [held]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list | tuple):
            left += value
