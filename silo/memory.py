"""How much memory a training takes on a GPU, by the sizes of its tensors: what is known before there is a GPU to measure on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional

from silo.optimizer import Optimizer, Sgd
from silo.sample_shape import sample_shape

COPIES = 3  # of the weights: themselves, gradients, masks


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes in single precision. What libraries take for their own work, and what an allocator rounds up, is not in it.

    Attributes:
        weights: Of weights, gradients, the optimizer's copies, masks and buffers.
        activations: Of a batch and all that its forward pass keeps for the backward one, and of the largest gradient of these.
        image: The largest activation of one image.
    """

    weights: int
    activations: int
    image: int

    @property
    def total(self) -> int:
        """Of one training, its evaluation not counted."""
        return self.weights + self.activations


def training_memory(
    model: nn.Module, shape: Sequence[int], batch_size: int, optimizer: Optimizer = Sgd()
) -> TrainingMemory:
    """Go forward on the meta device, where nothing is computed, and sum up what is kept.

    Args:
        model: A network on the meta device; left in training mode.
        shape: (channels, size, classes) of its samples (:mod:`silo.sample_shape`).
        batch_size: At least 1.
        optimizer: What the network is trained by.

    Raises:
        Exception: Whatever a network raises that looks at numbers, which the meta device hasn't got.
    """
    channels, size, classes = shape
    images = torch.empty(batch_size, *sample_shape(channels, size), device="meta")
    labels = torch.empty(batch_size, dtype=torch.int64, device="meta")
    own = {_storage(tensor) for tensor in (*model.parameters(), *model.buffers())}
    kept = {_storage(images): _bytes(images)}

    def keep(tensor: Tensor) -> Tensor:
        if (storage := _storage(tensor)) not in own:
            kept[storage] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = functional.cross_entropy(model.train()(images), labels % classes)
    del loss  # until here: a storage that is gone may have its number taken by another
    largest = max(kept.values())
    weights = (COPIES + optimizer.copies) * sum(map(_bytes, model.parameters())) + sum(map(_bytes, model.buffers()))
    return TrainingMemory(weights, sum(kept.values()) + largest, math.ceil(largest / batch_size))


def _storage(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
