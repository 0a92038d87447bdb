"""A checkpoint that keeps a training's state as a file would, and cuts the training off where a test wants it."""

import io
from collections.abc import Container
from dataclasses import dataclass, field

import torch

from silo.checkpoint import TrainingState


class CutOff(Exception):
    """As if the process had been killed."""


@dataclass
class Kept:
    """A checkpoint in memory.

    due_after: the epochs after which a state is wanted; until: the epoch after which the training is cut off, once what
    was wanted is kept; log: which method was called, and after which epoch.
    """

    due_after: Container[int] = range(1, 100)
    until: int | None = None
    file: bytes | None = None
    log: list[tuple[str, int]] = field(default_factory=list)

    def load(self) -> TrainingState | None:
        state = None if self.file is None else TrainingState.from_plain(self.plain())
        self.epoch = 0 if state is None else state.epochs
        return state

    def is_due(self) -> bool:
        self.epoch += 1
        self.log.append(("is_due", self.epoch))
        due = self.epoch in self.due_after
        if not due:
            self._cut()
        return due

    def save(self, state: TrainingState) -> None:
        assert state.epochs == self.epoch
        self.log.append(("save", self.epoch))
        self.write(state.to_plain())
        self._cut()

    def plain(self) -> dict:
        """What the file holds, read without executing code."""
        return torch.load(io.BytesIO(self.file), weights_only=True)

    def write(self, plain: dict) -> None:
        """Put it into the file."""
        file = io.BytesIO()
        torch.save(plain, file)
        self.file = file.getvalue()

    def _cut(self) -> None:
        if self.epoch == self.until:
            raise CutOff


def bits(held):
    """A thing to compare by every bit: of tensors type, shape and bytes, in whatever dicts they lie."""
    if isinstance(held, dict):
        return {name: bits(part) for name, part in held.items()}
    if isinstance(held, torch.Tensor):
        return held.dtype, held.shape, held.numpy().tobytes()
    return held


def same(one, other) -> bool:
    """Whether two trainings gave bitwise the same: outcome with its curve, final, epoch_before and remembered weights."""
    return bits(vars(one)) == bits(vars(other))
