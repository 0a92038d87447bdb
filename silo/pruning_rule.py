"""Which weights are pruned at the end of a cycle, and the criteria by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from silo.prune_rate import Rate, rate_after
from silo.registry import Registry

if TYPE_CHECKING:
    from torch import nn

    from silo.criterion import Criterion

CRITERIA = Registry(
    {
        "magnitude": "silo.criterion:magnitude",
        "movement": "silo.criterion:movement",
        "movement-magnitude": "silo.criterion:movement_magnitude",
        "lamp": "silo.criterion:lamp",
        "gradient-weight": "silo.criterion:gradient_weight",
        "random": "silo.criterion:random",
    }
)


@dataclass(frozen=True)
class Pruning:
    """Which weights are pruned at the end of a cycle: the floor(rate * alive) that the criterion scores lowest.

    Args:
        criterion: Scores each layer's weights (:mod:`silo.criterion`).
        scope: ``global`` to compare all alive prunable weights together, ``layer`` those of each layer.
        rate: The share of the alive weights that goes, in [0, 1]; or one for cycle 0, 1, ..., of which the last goes on.
        norm: Whether normalization weights are prunable, too.
        first: Whether the first layer is prunable, too.
        head: Whether the classifier is prunable, too.
    """

    criterion: "Criterion"
    scope: str
    rate: Rate
    norm: bool
    first: bool
    head: bool

    def rate_after(self, cycle: int) -> float:
        """The share of the alive weights that goes after a cycle, from 0."""
        return rate_after(self.rate, cycle)

    def prunable(self, model: "nn.Module") -> "dict[str, nn.Parameter]":
        """The prunable weights of a model, by name."""
        from silo.mask import prunable_weights  # here, as it needs torch

        return prunable_weights(model, self.norm, self.first, self.head)
