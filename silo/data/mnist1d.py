"""MNIST-1D (Greydanus and Kobak 2024): ten digits as signals of 40 values, as many as are wanted, made from seeds."""

import hashlib

import numpy as np
import torch

from silo.data.cache import read_array, write_array
from silo.data.images import Dataset
from silo.data.mnist1d_generator import CLASSES, LENGTH, draw
from silo.data.samples import Samples

VERSION = 1  # of the generator: raise it where it comes to give other numbers
MOST = 10**6


def mnist1d(train: int = 5000, test: int = 10_000, seed: int = 42, test_seed: int = 1_000_000) -> Dataset:
    """MNIST-1D: signals of 40 values in one channel, 10 classes, with an official test set that hangs on test_seed alone.

    The samples of seed 42 and 5,000 are the package's own (4,000 + 1,000) in its order, not standardized: ``data.normalize``
    does that. They are generated in about a second for 50,000, and cached in $XDG_CACHE_HOME/silo-oracle (default ~/.cache).

    Source: Greydanus and Kobak, ICML 2024, arXiv 2011.14439.

    Args:
        train: Samples to train and to validate on, 10 to 1000000; ``split: {kind: carve, validation: 0.2}`` takes a fifth of
            them to validate.
        test: Samples of the official test set, 10 to 1000000.
        seed: Of the former, 0 to 2**32 - 1.
        test_seed: Of the test set likewise, another one.

    Returns:
        The samples in memory.

    Raises:
        ValueError: For another number or seed.
    """
    for name, count in (("train", train), ("test", test)):
        if not CLASSES <= count <= MOST:
            raise ValueError(f"{name} must be at least {CLASSES} and at most {MOST} samples, got {count}")
    for name, value in (("seed", seed), ("test_seed", test_seed)):
        if not 0 <= value < 2**32:
            raise ValueError(f"{name} must be at least 0 and below 2**32, got {value}")
    if seed == test_seed:
        raise ValueError(f"test_seed must be another than seed, whose samples train, got {test_seed}")
    return Dataset(_samples(train, seed), _samples(test, test_seed), tuple("0123456789"))


def _samples(count: int, seed: int) -> Samples:
    key = hashlib.sha256(repr(("mnist1d", VERSION, count, seed)).encode()).hexdigest()[:20]
    signals, labels = read_array(key, count, np.float32), read_array(f"{key}-labels", count, np.int64)
    if signals is None or labels is None:
        signals, labels = draw(count, seed)
        write_array(key, signals)
        write_array(f"{key}-labels", labels)
    return Samples(torch.from_numpy(signals).view(count, 1, LENGTH), torch.from_numpy(labels))
