"""Every random number comes from (seed, purpose, cycle, epoch), so it never depends on what ran before."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch


def derive(seed: int, purpose: str, cycle: int = 0, epoch: int = 0) -> int:
    """A 63-bit seed for one purpose ("split", "initialization", "order", ...) at one cycle and epoch."""
    text = f"{seed}/{purpose}/{cycle}/{epoch}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, cycle: int = 0, epoch: int = 0) -> torch.Generator:
    """A CPU generator seeded by :func:`derive`; numbers are drawn on the CPU so that every device sees the same."""
    return torch.Generator().manual_seed(derive(seed, purpose, cycle, epoch))


@contextmanager
def seeded(seed: int, purpose: str, cycle: int = 0) -> Iterator[None]:
    """Seed torch's global generators inside the block, and give the caller's state back afterwards."""
    with forked():
        seed_global(seed, purpose, cycle)
        yield


def forked() -> AbstractContextManager[None]:
    """Give the state of torch's global generators back at the end of the block."""
    # to count GPUs, without need, costs a fifth of a millisecond
    return torch.random.fork_rng(range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ())


def seed_global(seed: int, purpose: str, cycle: int = 0, epoch: int = 0) -> None:
    """Seed torch's global generators, of every device in use."""
    derived = derive(seed, purpose, cycle, epoch)
    torch.default_generator.manual_seed(derived)
    # torch.manual_seed would note the call, with a traceback, for a CUDA that may yet be used: 5% of a tiny training's time
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(derived)
