"""What a training takes of a GPU's memory, by its tensors: counted by hand for networks whose tensors are few."""

import pytest
import torch
from torch import nn

from silo.memory import training_memory
from silo.optimizer import AdamW, Sgd


def on_meta(*layers):
    with torch.device("meta"):
        return nn.Sequential(*(make() for make in layers))


def test_every_tensor_that_is_kept_counts_once():
    """8 images of 8x8: a ReLU's result is kept by it and by the layer after it, flattened images are the images."""
    model = on_meta(nn.Flatten, lambda: nn.Linear(64, 32), nn.ReLU, lambda: nn.Linear(32, 10))
    memory = training_memory(model, (1, 8, 10), batch_size=8)
    weights = 64 * 32 + 32 + 32 * 10 + 10
    floats, labels, scalar = (
        8 * 64 + 8 * 32 + 8 * 10,
        8 * 8,
        4,
    )  # log_softmax's result and the weight that it is summed to
    assert memory.weights == 4 * 4 * weights
    assert memory.activations == pytest.approx(4 * floats + labels + 4 * 8 * 64, abs=scalar)
    assert memory.image == 4 * 64
    assert memory.total == memory.weights + memory.activations


def test_adamw_keeps_a_copy_of_the_weights_more_than_sgd():
    model = on_meta(nn.Flatten, lambda: nn.Linear(64, 10))
    sgd, adamw = (training_memory(model, (1, 8, 10), 8, optimizer).weights for optimizer in (Sgd(), AdamW()))
    assert adamw - sgd == 4 * (64 * 10 + 10)


def test_activations_grow_with_the_batch_and_weights_don_t():
    model = on_meta(lambda: nn.Conv2d(3, 8, 3, padding=1), lambda: nn.BatchNorm2d(8), nn.ReLU, nn.Flatten)
    one, many = (training_memory(model, (3, 16, 8 * 16 * 16), batch_size) for batch_size in (4, 8))
    assert one.weights == many.weights
    assert many.activations == pytest.approx(2 * one.activations, rel=0.01)
    assert one.image == many.image
    assert one.weights == 4 * 4 * (3 * 8 * 9 + 8 + 8 + 8) + 4 * (8 + 8) + 8  # batch norm's statistics once, its count


def test_it_fits_a_network_that_is_run():
    """The same as the storages that are kept on a CPU, by their addresses."""
    layers = [lambda: nn.Conv2d(3, 8, 3), nn.ReLU, nn.Flatten, lambda: nn.Linear(8 * 14 * 14, 10)]
    model, kept = nn.Sequential(*(make() for make in layers)), {}
    images, labels = torch.randn(4, 3, 16, 16), torch.zeros(4, dtype=torch.int64)
    own = {parameter.data_ptr() for parameter in model.parameters()}

    def keep(tensor):
        if tensor.data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = nn.functional.cross_entropy(model(images), labels)
    memory = training_memory(on_meta(*layers), (3, 16, 10), batch_size=4)
    assert memory.activations == sum(kept.values()) + max(kept.values())
    assert loss.isfinite()
