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

from silo.optimizer import buffers
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
        momentum: SGD's buffers by parameter name, empty without momentum; AdamW's by ``PARAMETER:BUFFER``.
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
        optimizer: torch.optim.Optimizer,
        at_start: tuple[float, float] | None,
        remembered: Weights | None,
    ) -> Self:
        """Copy the state that network and optimizer are in after the epochs of the curve."""
        momentum = {
            _key(name, buffer): tensor
            for name, p in model.named_parameters()
            for buffer, tensor in optimizer.state.get(p, {}).items()
        }
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

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Put network and optimizer into this state.

        Raises:
            ValueError: Where names, types or shapes are another network's; nothing is changed then.
        """
        own, parameters = _tensors(model), dict(model.named_parameters())
        kept = {
            _key(name, buffer): tensor
            for name, p in parameters.items()
            for buffer, tensor in buffers(optimizer, p.detach().to("meta")).items()
        }
        for field, fits in (
            ("weights", _kinds(self.weights) == _kinds(own)),
            ("momentum", _kinds(self.momentum) <= _kinds(kept)),
            ("remembered", self.remembered is None or _kinds(self.remembered) == _kinds(model.state_dict())),
        ):
            if not fits:
                raise ValueError(f"{field} must have this network's names, types and shapes, got another network's")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(self.weights[name])
        for name, p in parameters.items():
            # a fused step heeds no strides: whatever those of a buffer, here it lies in memory as its parameter does
            state = optimizer.state.get(p) or buffers(optimizer, p)
            stored = {buffer: self.momentum.get(_key(name, buffer)) for buffer in state}
            if any(tensor is not None for tensor in stored.values()):
                optimizer.state[p] = state
                for buffer, tensor in stored.items():
                    if tensor is not None:
                        state[buffer].copy_(tensor)


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


def _key(parameter: str, buffer: str) -> str:
    """The name that an optimizer's buffer of a parameter is stored by: SGD's has but one."""
    return parameter if buffer == "momentum_buffer" else f"{parameter}:{buffer}"


def _tensors(model: nn.Module) -> Weights:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _kinds(tensors: Mapping[str, Tensor]) -> set[tuple[str, torch.dtype, torch.Size]]:
    return {(name, tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
