"""Every random number comes from (seed, purpose, cycle, epoch), so it never depends on what ran before."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum

import torch


class Purpose(StrEnum):
    """What a stream of random numbers is drawn for; a stream of its own for each keeps them independent of each other.

    The values are part of every derived seed, and so of every recorded number: they never change.
    """

    SPLIT = "split"
    """Which images train, validate and test, by the seed."""
    LIMIT_TRAIN = "limit train"
    """Which training images a data set keeps where it is limited; the same for every seed."""
    LIMIT_TEST = "limit test"
    """Which official test images a data set keeps where it is limited; the same for every seed."""
    INITIALIZATION = "initialization"
    """A network's weights as it is built, from torch's global generators."""
    ORDER = "order"
    """The order of the training images in an epoch."""
    AUGMENTATION = "augmentation"
    """The crops and flips of the training images in an epoch."""
    AUGMENTED_VALIDATION = "augmentation validation"
    """The crops and flips of the validation images after an epoch (-1: before the first), where evaluation is augmented."""
    AUGMENTED_TEST = "augmentation test"
    """The crops and flips of the test images after an epoch (-1: before the first), where evaluation is augmented."""
    DROPOUT = "dropout"
    """torch's global generators in an epoch: what a network itself draws in training, such as dropout."""
    CRITERION = "criterion"
    """What a criterion draws at a cycle's end."""
    TRIAL = "trial"
    """The batch that a network is tried on to learn how its trainings can step; no training sees it."""
    CALIBRATION = "calibration"
    """The networks and masks that only the time of a training is measured with."""


def derive(seed: int, purpose: Purpose, cycle: int = 0, epoch: int = 0) -> int:
    """A 63-bit seed for one purpose at one cycle and epoch: the first bits of the SHA-256 of all four.

    Args:
        seed: The training's seed, any whole number.
        purpose: What is drawn.
        cycle: The pruning cycle, from 0.
        epoch: The epoch within the cycle, from 0; -1 before the first.

    Returns:
        A whole number from 0 to 2**63 - 1, which every generator of torch takes.
    """
    text = f"{seed}/{purpose}/{cycle}/{epoch}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: Purpose, cycle: int = 0, epoch: int = 0) -> torch.Generator:
    """A CPU generator seeded by :func:`derive`; numbers are drawn on the CPU so that every device sees the same."""
    return torch.Generator().manual_seed(derive(seed, purpose, cycle, epoch))


@contextmanager
def seeded(seed: int, purpose: Purpose, cycle: int = 0) -> Iterator[None]:
    """Seed torch's global generators inside the block, and give the caller's state back afterwards."""
    with forked():
        seed_global(seed, purpose, cycle)
        yield


def forked() -> AbstractContextManager[None]:
    """Give the state of torch's global generators back at the end of the block."""
    # to count GPUs, without need, costs a fifth of a millisecond
    return torch.random.fork_rng(range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ())


def seed_global(seed: int, purpose: Purpose, cycle: int = 0, epoch: int = 0) -> None:
    """Seed torch's global generators, of every device in use, by :func:`derive`."""
    derived = derive(seed, purpose, cycle, epoch)
    torch.default_generator.manual_seed(derived)
    # torch.manual_seed would note the call, with a traceback, for a CUDA that may yet be used: 5% of a tiny training's time
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(derived)
