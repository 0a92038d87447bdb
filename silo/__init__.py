"""SILO: S-shaped growth of the learning rate's upper bound during iterative pruning (arXiv 2212.06144)."""

from silo.lr_scheduler import PruningCycleLR
from silo.schedule import ConstantSchedule, SiloSchedule, TableSchedule
from silo.shape import Constant, Cosine, Cyclical, WarmupStep

__all__ = [
    "Constant",
    "ConstantSchedule",
    "Cosine",
    "Cyclical",
    "PruningCycleLR",
    "SiloSchedule",
    "TableSchedule",
    "WarmupStep",
]
