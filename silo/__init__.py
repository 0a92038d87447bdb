"""SILO: S-shaped growth of the learning rate's upper bound during iterative pruning (arXiv 2212.06144).

Importing this package, ``silo.schedule``, ``silo.shape`` or ``silo.trajectory`` doesn't import torch: that takes seconds, and
whoever only plans trainings or computes rates needs none of it. Nor do the names of built-in parts (``silo.registry``):
each part is imported when it is looked up.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from silo.range_test import RangeTest
from silo.schedule import ConstantSchedule, DensityPower, SiloSchedule, TableSchedule
from silo.shape import Constant, Cosine, Cyclical, Linear, Ramp, WarmupStep

if TYPE_CHECKING:
    from silo.lr_scheduler import PruningCycleLR
    from silo.run import train_trajectory

__version__ = "0.1.0"

__all__ = [
    "Constant",
    "ConstantSchedule",
    "Cosine",
    "Cyclical",
    "DensityPower",
    "Linear",
    "PruningCycleLR",
    "Ramp",
    "RangeTest",
    "SiloSchedule",
    "TableSchedule",
    "WarmupStep",
    "train_trajectory",
]

_NEED_TORCH = {"PruningCycleLR": "silo.lr_scheduler", "train_trajectory": "silo.run"}


def __getattr__(name: str) -> Any:
    """The names that need torch, imported when they are first used (PEP 562)."""
    if name not in _NEED_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_NEED_TORCH[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
