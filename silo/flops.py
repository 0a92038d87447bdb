"""The floating-point operations of a forward pass, and how many of them a pruned network needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class ForwardFlops:
    """The floating-point operations (FLOPs) of one forward pass of one sample; a multiply-add is 2, as torch counts.

    Products of matrices and convolutions count (attention's, too); biases, normalization, activations and pooling don't.

    Attributes:
        dense: All of the dense network's.
        by_weight: Those that multiply by this weight, by its name; 2 for each output position of each of its numbers.
    """

    dense: int
    by_weight: Mapping[str, int]

    def masked(self, counts: Mapping[str, tuple[int, int]]) -> int:
        """The FLOPs of a pruned network, where those of its pruned weights are spared.

        Args:
            counts: (alive, prunable) of each prunable weight by name, as ``silo.mask.Mask.counts`` has them. Other weights
                count whole.
        """
        whole = {name: self.by_weight.get(name, 0) for name in counts}
        kept = sum(whole[name] * alive // prunable for name, (alive, prunable) in counts.items())
        return self.dense - sum(whole.values()) + kept


def forward_flops(model: nn.Module, weights: Mapping[str, Tensor], shape: tuple[int, ...]) -> ForwardFlops:
    """Count the FLOPs of one forward pass of one sample, in evaluation, with torch's FlopCounterMode.

    Args:
        model: The network, on any device; on ``meta`` nothing is computed. It is left in evaluation mode.
        weights: Those of its weights that are counted one by one, by name. What the network makes of a weight before it
            multiplies by that is no weight any more, and counts whole.
        shape: The sample's, channels first.

    Returns:
        What the dense network does, and by which of the weights.
    """
    counter = FlopCounterMode(display=False)
    by_weight = _ByWeight(counter, weights)
    with counter, by_weight:  # with gradients: without, attention takes a fused path that torch doesn't count
        model.eval()(torch.zeros(1, *shape, device=next(model.parameters()).device))
    return ForwardFlops(counter.get_total_flops(), by_weight.flops)


class _ByWeight(TorchDispatchMode):
    """Sees each operation before the counter does, and notes what it counts for those that take a weight or a view of it."""

    def __init__(self, counter: FlopCounterMode, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.counter = counter
        self.names = {weight.untyped_storage(): name for name, weight in weights.items()}
        self.flops = dict.fromkeys(weights, 0)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        before = self.counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        counted = self.counter.get_total_flops() - before
        if counted:
            storages = [arg.untyped_storage() for arg in args if isinstance(arg, Tensor)]
            for name in {self.names[storage] for storage in storages if storage in self.names}:
                self.flops[name] += counted
        return result
