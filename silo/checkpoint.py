"""Where a training stands after an epoch, so that one that was cut off goes on from there and ends bitwise the same.

Source: ours, not the paper's. No generator has a place here. Every epoch derives its draws from (seed, purpose, cycle, epoch)
as it begins: the order, the augmentation (of images that stream, a seed for each, drawn before a loader worker sees any), and
the global generator, by which dropout draws; an augmented evaluation does so, too. So an epoch begun again is the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from silo.outcome import Epoch
from silo.restart import Weights


@dataclass(frozen=True)
class Position:
    """All that a training needs to go on after a finished epoch: copies, on the CPU.

    weights     the network's parameters and buffers, those that its state_dict leaves out, too
    momentum    SGD's buffers, by parameter name; empty without momentum
    remembered  the weights that the restart remembers, if that iteration has passed
    at_start    (validation, test) accuracy before the first epoch, where the recipe measures it
    curve       the finished epochs, at least one

    It doesn't know its training: whoever keeps it hands it to the same one (seed, cycle, max_lr, mask, recipe) alone. A network
    that changes anything else in training, such as a counter of Python's, can't go on from it bitwise.
    """

    weights: Weights
    momentum: Weights
    remembered: Weights | None
    at_start: tuple[float, float] | None
    curve: tuple[Epoch, ...]

    @classmethod
    def after(
        cls,
        curve: Sequence[Epoch],
        model: nn.Module,
        optimizer: torch.optim.SGD,
        at_start: tuple[float, float] | None,
        remembered: Weights | None,
    ) -> Self:
        """The position after the epochs of the curve."""
        buffers = {name: optimizer.state.get(p, {}).get("momentum_buffer") for name, p in model.named_parameters()}
        momentum = {name: buffer for name, buffer in buffers.items() if buffer is not None}
        return cls(copies(_tensors(model)), copies(momentum), remembered, at_start, tuple(curve))

    @property
    def epochs(self) -> int:
        """How many are finished."""
        return len(self.curve)

    def plain(self) -> dict[str, Any]:
        """The same as tensors, numbers, dicts, lists and tuples, which ``torch.load(weights_only=True)`` reads back."""
        return {**vars(self), "curve": [astuple(epoch) for epoch in self.curve]}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """The position of :meth:`plain`; raises ValueError for other fields."""
        try:
            return cls(**{**plain, "curve": tuple(Epoch(*row) for row in plain["curve"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no position: {error}") from error

    def restore(self, model: nn.Module, optimizer: torch.optim.SGD) -> None:
        """Put network and momentum there. Raises ValueError, with nothing changed, where the network is another one's."""
        own, parameters = _tensors(model), dict(model.named_parameters())
        left = self.remembered is None or _kinds(self.remembered) == _kinds(model.state_dict())
        if not (left and _kinds(self.weights) == _kinds(own) and _kinds(self.momentum) <= _kinds(parameters)):
            raise ValueError("this position is of another network")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(self.weights[name])
        for name, buffer in self.momentum.items():
            # SGD's fused step heeds no strides: whatever those of the buffer, here it lies in memory as its parameter does
            state = optimizer.state[parameters[name]]
            state.setdefault("momentum_buffer", torch.empty_like(parameters[name])).copy_(buffer)


class Checkpoint(Protocol):
    """Where a training's position is kept, and when. An error that it raises ends the training."""

    def load(self) -> Position | None:
        """Where to go on; None: from the start. Asked once, before the first step."""
        ...

    def due(self) -> bool:
        """Whether it is time to save; asked after every epoch but the last, before anything is copied."""
        ...

    def save(self, position: Position) -> None:
        """Keep the position in place of an earlier one."""
        ...


def copies(tensors: Mapping[str, Tensor]) -> Weights:
    """Copies on the CPU, in the same memory format."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


def _tensors(model: nn.Module) -> Weights:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _kinds(tensors: Mapping[str, Tensor]) -> set[tuple[str, torch.dtype, torch.Size]]:
    return {(name, tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
