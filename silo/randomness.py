"""Every random number comes from (seed, purpose, cycle, epoch), so it never depends on what ran before."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

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
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, purpose, cycle))
        yield


def reseed(seed: int) -> None:
    """Seed torch's global generators, CUDA's where it is in use.

    torch.manual_seed does the same, but formats a traceback for the day when CUDA is first used: 5% of a tiny training.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
