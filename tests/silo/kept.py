"""A checkpoint that keeps a training's position as a file would, and cuts the training off where a test wants it."""

import io
from collections.abc import Container
from dataclasses import dataclass, field

import torch

from silo.checkpoint import Position


class CutOff(Exception):
    """As if the process had been killed."""


@dataclass
class Kept:
    """due_after: the epochs after which a position is wanted; until: the epoch after which the training is cut off, once what
    was wanted is kept; log: what it was asked, and after which epoch.
    """

    due_after: Container[int] = range(1, 100)
    until: int | None = None
    file: bytes | None = None
    log: list[tuple[str, int]] = field(default_factory=list)

    def load(self) -> Position | None:
        position = None if self.file is None else Position.of(self.plain())
        self.epoch = 0 if position is None else position.epochs
        return position

    def due(self) -> bool:
        self.epoch += 1
        self.log.append(("due", self.epoch))
        wanted = self.epoch in self.due_after
        if not wanted:
            self._cut()
        return wanted

    def save(self, position: Position) -> None:
        assert position.epochs == self.epoch
        self.log.append(("save", self.epoch))
        self.write(position.plain())
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
