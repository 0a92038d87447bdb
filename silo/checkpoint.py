"""Where a training stands after an epoch, so that one that was cut off goes on from there and ends bitwise the same.

Source: ours, not the paper's. No generator has a place here. Every epoch derives its draws from (seed, purpose, cycle, epoch)
as it begins: the order, the augmentation (of images that stream, a seed for each, drawn before a loader worker sees any), and
the global generator, by which dropout draws; an augmented evaluation does so, too. So an epoch begun again is the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from silo.outcome import Epoch
from silo.restart import Weights


@dataclass(frozen=True)
class TrainingState:
    """Everything that a training needs to go on after a finished epoch: copies, on the CPU.

    It doesn't know its training: whoever keeps it hands it to the same one (seed, cycle, max_lr, mask, recipe) alone. A network
    that changes anything else in training, such as a counter of Python's, can't go on from it bitwise.

    The names of the fields are stored in checkpoint files.

    Attributes:
        weights: The network's parameters and buffers by name, those that its state_dict leaves out, too.
        momentum: SGD's buffers by parameter name; empty without momentum.
        remembered: The state_dict that the restart remembers, if that iteration has passed; else None.
        at_start: (validation, test) accuracy in percent before the first epoch, where the recipe measures it; else None.
        curve: The finished epochs, at least one.
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
        """Copy the state that network and optimizer are in after the epochs of the curve."""
        buffers = {name: optimizer.state.get(p, {}).get("momentum_buffer") for name, p in model.named_parameters()}
        momentum = {name: buffer for name, buffer in buffers.items() if buffer is not None}
        return cls(copies(_tensors(model)), copies(momentum), remembered, at_start, tuple(curve))

    @property
    def epochs(self) -> int:
        """How many epochs are finished, at least 1."""
        return len(self.curve)

    def to_plain(self) -> dict[str, Any]:
        """The fields as tensors, numbers, dicts, lists and tuples, which ``torch.load(weights_only=True)`` reads back."""
        return {**vars(self), "curve": [astuple(epoch) for epoch in self.curve]}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """The state that :meth:`to_plain` was made of.

        Raises:
            ValueError: Where the fields are others.
        """
        try:
            return cls(**{**plain, "curve": tuple(Epoch(*row) for row in plain["curve"])})
        except (KeyError, TypeError) as error:
            expected = ", ".join(field.name for field in fields(cls))
            given = ", ".join(map(str, plain)) if isinstance(plain, dict) else type(plain).__name__
            raise ValueError(f"plain must hold {expected}, got {given or 'nothing'} ({error})") from error

    def restore(self, model: nn.Module, optimizer: torch.optim.SGD) -> None:
        """Put network and momentum into this state.

        Raises:
            ValueError: Where names, types or shapes are another network's; nothing is changed then.
        """
        own, parameters = _tensors(model), dict(model.named_parameters())
        for field, fits in (
            ("weights", _kinds(self.weights) == _kinds(own)),
            ("momentum", _kinds(self.momentum) <= _kinds(parameters)),
            ("remembered", self.remembered is None or _kinds(self.remembered) == _kinds(model.state_dict())),
        ):
            if not fits:
                raise ValueError(f"{field} must have this network's names, types and shapes, got another network's")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(self.weights[name])
        for name, buffer in self.momentum.items():
            # SGD's fused step heeds no strides: whatever those of the buffer, here it lies in memory as its parameter does
            state = optimizer.state[parameters[name]]
            state.setdefault("momentum_buffer", torch.empty_like(parameters[name])).copy_(buffer)


class Checkpoint(Protocol):
    """Where a training's state is kept, and when. An error that it raises ends the training."""

    def load(self) -> TrainingState | None:
        """The state to go on from, or None to begin at the start. Called once, before the first step."""
        ...

    def is_due(self) -> bool:
        """Whether it is time to save. Called after every epoch but the last, before anything is copied."""
        ...

    def save(self, state: TrainingState) -> None:
        """Keep the state in place of an earlier one."""
        ...


def copies(tensors: Mapping[str, Tensor]) -> Weights:
    """Copies on the CPU, in the same memory format."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


def _tensors(model: nn.Module) -> Weights:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _kinds(tensors: Mapping[str, Tensor]) -> set[tuple[str, torch.dtype, torch.Size]]:
    return {(name, tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
