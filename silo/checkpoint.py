"""Where a training stands after an epoch, so that one that was cut off goes on from there (ours, not the paper's)."""

from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from silo.restart import Weights


@dataclass(frozen=True)
class Position:
    """All that a training needs to go on after a finished epoch, on the CPU. No generator is in it: whatever is drawn is drawn
    from (seed, purpose, cycle, epoch), the same in an epoch that is begun again.

    epochs      how many are finished, at least 1
    weights     the network's state_dict;  momentum: SGD's buffers, by parameter name
    remembered  the weights that the restart remembers, if that iteration has passed
    at_start    (validation, test) before the first epoch, where the recipe measures it;  curve: a row a finished epoch
    """

    epochs: int
    weights: Weights
    momentum: Weights
    remembered: Weights | None
    at_start: tuple[float, float] | None
    curve: tuple[tuple[float, float, float | None], ...]

    def plain(self) -> dict[str, Any]:
        """The same as tensors, numbers, tuples and dicts, which ``torch.load(weights_only=True)`` reads back."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """A position from :meth:`plain`; raises TypeError for other fields."""
        return cls(**plain)

    def restore(self, model: nn.Module, optimizer: torch.optim.SGD) -> None:
        """Put weights and momentum back; raises ValueError, with nothing changed, where they are another network's."""
        parameters, own = dict(model.named_parameters()), model.state_dict()
        fits = _shapes(self.weights) == _shapes(own) and self.momentum.keys() <= parameters.keys()
        if not (fits and all(buffer.shape == parameters[name].shape for name, buffer in self.momentum.items())):
            raise ValueError("this position is of another network")
        model.load_state_dict(self.weights)
        for name, buffer in self.momentum.items():
            optimizer.state[parameters[name]]["momentum_buffer"] = buffer.to(parameters[name].device, copy=True)


class Checkpoint(Protocol):
    """Where a training's position is kept, and when."""

    def load(self) -> Position | None:
        """Where to go on; None: from the start."""
        ...

    def due(self) -> bool:
        """Whether it is time to save; asked after every epoch but the last, before anything is copied."""
        ...

    def save(self, position: Position) -> None:
        """Keep the position in place of an earlier one."""
        ...


def momentum_of(model: nn.Module, optimizer: torch.optim.SGD) -> Weights:
    """SGD's momentum buffers by parameter name, copied to the CPU; empty without momentum."""
    buffers = {name: optimizer.state[parameter].get("momentum_buffer") for name, parameter in model.named_parameters()}
    return {name: buffer.detach().cpu().clone() for name, buffer in buffers.items() if buffer is not None}


def _shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[torch.dtype, torch.Size]]:
    return {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
