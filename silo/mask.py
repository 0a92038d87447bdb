"""Which weights are prunable, and which of them are alive."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor, nn

from silo.model.initialization import NORMS

SCOPES = ("global", "layer")


def prunable_weights(model: nn.Module, norm: bool, first: bool, head: bool) -> dict[str, nn.Parameter]:
    """The weights that may be pruned, by name: every parameter with "weight" in its own name; biases never.

    Args:
        model: The network.
        norm: Whether normalization layers' weights are prunable, too.
        first: Whether the first weight that is no normalization's (the first convolution or linear layer) is, too.
        head: Whether the last such weight (the classifier) is, too.

    Returns:
        The network's own parameters, in model order. With all three it is every weight, as in the released code.
    """
    of_norm = {id(p) for module in model.modules() if isinstance(module, NORMS) for p in module.parameters()}
    weights = {name: p for name, p in model.named_parameters() if "weight" in name.rpartition(".")[2]}
    others = [name for name, p in weights.items() if id(p) not in of_norm]
    left_out = set() if norm else weights.keys() - set(others)
    left_out |= set() if first else set(others[:1])
    left_out |= set() if head else set(others[-1:])
    return {name: p for name, p in weights.items() if name not in left_out}


@dataclass(frozen=True)
class Mask:
    """Which prunable weights are alive; immutable.

    Args:
        layers: For each prunable layer by name, in model order, a bool tensor of its shape on the CPU: True is alive.
    """

    layers: Mapping[str, Tensor]

    @classmethod
    def dense(cls, weights: Mapping[str, Tensor]) -> "Mask":
        """The mask under which all of these weights, by name, are alive."""
        return cls({name: torch.ones(w.shape, dtype=torch.bool) for name, w in weights.items()})

    @property
    def alive(self) -> int:
        """How many weights are alive."""
        return sum(int(layer.sum()) for layer in self.layers.values())

    @property
    def total(self) -> int:
        """How many weights are prunable, alive or not."""
        return sum(layer.numel() for layer in self.layers.values())

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """How many weights of each layer are (alive, prunable), by its name."""
        return {name: (int(layer.sum()), layer.numel()) for name, layer in self.layers.items()}

    def prune(self, scores: Mapping[str, Tensor], rate: float, scope: str) -> "Mask":
        """The mask without the floor(rate * alive) lowest-scored alive weights.

        Ties go by position (layer order, then row-major), earlier first. The rate is taken as the decimal that was written, so
        that 0.29 of 100 is 29.

        Args:
            scores: For each layer by name a tensor of its shape; those of pruned weights are not looked at.
            rate: The share of the alive weights that goes, in [0, 1].
            scope: ``global`` for a share of all layers' weights together, ``layer`` for a share of each layer's.

        Returns:
            A new mask over the same layers.

        Raises:
            ValueError: For another rate or scope, scores of another shape, an alive weight's score that is not finite, or a
                mask without layers.
        """
        if scope not in SCOPES:
            raise ValueError(f"scope must be {' or '.join(SCOPES)}, got {scope!r}")
        if not 0 <= rate <= 1:
            raise ValueError(f"rate must be in [0, 1], got {rate}")
        if not self.layers:
            raise ValueError("layers must hold at least one prunable layer, got none")
        for name, layer in self.layers.items():
            if scores[name].shape != layer.shape:
                raise ValueError(
                    f"scores of {name} must have the layer's shape {tuple(layer.shape)}, got {tuple(scores[name].shape)}"
                )
        groups = [list(self.layers)] if scope == "global" else [[name] for name in self.layers]
        flat = {name: layer.flatten().clone() for name, layer in self.layers.items()}
        for names in groups:
            places = [(name, flat[name].nonzero().flatten()) for name in names]
            alive_scores = torch.cat([scores[name].detach().cpu().flatten()[at] for name, at in places])
            if not alive_scores.isfinite().all():
                raise ValueError("scores must be finite where a weight is alive, got NaN or infinity")
            count = math.floor(Fraction(str(rate)) * len(alive_scores))
            lowest = _lowest(alive_scores, count)
            for (name, at), goes in zip(places, lowest.split([len(at) for _, at in places]), strict=True):
                flat[name][at[goes]] = False
        return Mask({name: flat[name].view(layer.shape) for name, layer in self.layers.items()})

    def pack(self) -> Tensor:
        """The mask as one bit a weight, in layer order: a uint8 tensor of ceil(total / 8)."""
        bits = torch.cat([layer.flatten() for layer in self.layers.values()]).to(torch.uint8)
        bits = torch.nn.functional.pad(bits, (0, -len(bits) % 8)).view(-1, 8)
        return (bits << torch.arange(8, dtype=torch.uint8)).sum(1, dtype=torch.uint8)

    @classmethod
    def unpack(cls, packed: Tensor, weights: Mapping[str, Tensor]) -> "Mask":
        """The mask that :meth:`pack` packed.

        Args:
            packed: What it returned.
            weights: The prunable weights by name, of the same order and shapes.

        Raises:
            ValueError: Where the size doesn't fit the weights.
        """
        bits = (packed.view(-1, 1) >> torch.arange(8, dtype=torch.uint8) & 1).bool().flatten()
        total = sum(w.numel() for w in weights.values())
        if len(bits) != total + -total % 8:
            raise ValueError(
                f"packed must hold {total + -total % 8} bits for {total} prunable weights, got {len(bits)}"
            )
        pieces = bits[:total].split([w.numel() for w in weights.values()])
        return cls({name: piece.view(w.shape) for (name, w), piece in zip(weights.items(), pieces, strict=True)})

    def digest(self) -> str:
        """A hash of which weights are alive, in hexadecimal."""
        return hashlib.sha256(self.pack().numpy().tobytes()).hexdigest()


def _lowest(scores: Tensor, count: int) -> Tensor:
    """True for the ``count`` lowest scores; of equal ones the earlier. Several times as fast as sorting them all."""
    if count == 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    highest = scores.kthvalue(count).values
    lowest = scores < highest
    ties = (scores == highest).nonzero().flatten()
    lowest[ties[: count - int(lowest.sum())]] = True
    return lowest
