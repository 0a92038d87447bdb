"""Samples of floats: their shape, what they are normalized by, and that an image's laws hold for them, too."""

import copy

import numpy as np
import pytest
import torch
from pretended_gpu import here
from torch import nn

from silo.criterion import magnitude
from silo.cycle import Problem
from silo.data.augment import Augment
from silo.data.error import DataError
from silo.data.images import Dataset
from silo.data.normalize import Normalize
from silo.data.part import Part
from silo.data.samples import Samples
from silo.data.split import Carve, Pooled, split
from silo.engine import train_lanes
from silo.evaluation import batch_size
from silo.graph import GraphStepper
from silo.lane import Start
from silo.mask import Mask, prunable_weights
from silo.memory import training_memory
from silo.model import MODELS
from silo.pruning_rule import Pruning
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.restart import Reinit
from silo.run import train_trajectory
from silo.sample_shape import sample_shape, size_of
from silo.schedule import ConstantSchedule
from silo.shape import Constant

SHAPES = [(12,), (1, 40), (2, 40), (3, 8, 8), (3, 8, 5), (2, 4, 4, 4), (5, 1, 1)]


def samples(shape, n=60, scale=3.0):
    values = 7 + scale * torch.randn(n, *shape, generator=torch.Generator().manual_seed(1))
    return Samples(values, torch.arange(n) % 3)


def dataset(shape, test=None):
    return Dataset(samples(shape), test, tuple("abc"))


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_and_size_are_the_shape(shape):
    data = dataset(shape)
    assert data.channels == shape[0] and sample_shape(data.channels, data.size) == shape
    assert size_of(shape) == data.size == (shape[1] if len(shape) == 3 and shape[1] == shape[2] else shape[1:])
    assert data.bytes_in_memory == 60 * 4 * np.prod(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_split_is_normalized_by_its_training_samples_channel_by_channel(shape):
    parts = split(dataset(shape), Pooled(), Normalize(), 0)
    values = parts.train.values.double().transpose(0, 1).flatten(1)  # channels, samples and positions
    assert values.mean(1).abs().max() < 1e-6 and (values.std(1, correction=0) - 1).abs().max() < 1e-6
    pool = split(dataset(shape), Pooled(), Normalize((0.0,), (1.0,)), 0)
    before = pool.test.values
    assert torch.equal(parts.test.values, (before - parts.mean) / parts.std)
    assert torch.equal(pool.normalized(before), before)  # a batch of floats is normalized already


def test_given_constants_are_on_the_values_own_scale_and_one_may_stand_for_all():
    values = samples((2, 5)).values
    by_channel = split(dataset((2, 5)), Pooled(), Normalize((1.0, 2.0), (2.0, 4.0)), 0)
    assert by_channel.mean.flatten().tolist() == [1, 2] and by_channel.std.shape == (2, 1)
    data = Dataset(samples((2, 5)), samples((2, 5)), tuple("abc"))
    assert torch.equal(split(data, Carve(), Normalize((1.0,), (2.0,)), 0).test.values, (values - 1) / 2)
    with pytest.raises(DataError, match=r"^normalize must .*2 here.*, got 3$"):
        split(data, Carve(), Normalize((1.0,) * 3, (2.0,) * 3), 0)


def test_a_constant_feature_is_centred_and_not_blown_up():
    values = torch.cat([torch.full((60, 1), 0.1), samples((1,), scale=1e-6).values - 7], 1)
    _, std = Samples(values, torch.zeros(60).long()).moments()
    assert std[0] == 1 and 0 < std[1] < 2e-6
    parts = split(Dataset(Samples(values, torch.arange(60) % 2), None, ("a", "b")), Pooled(), Normalize(), 0)
    assert parts.train.values[:, 0].abs().max() == 0 and parts.test.values[:, 1].abs().max() > 1


def test_batches_and_parts_follow_their_order():
    data = samples((2, 5))
    order = torch.tensor([5, 3, 59, 0, 4])
    batches = [*data.batches(2, order)]
    assert [len(labels) for _, labels in batches] == [2, 2, 1]
    assert torch.equal(torch.cat([values for values, _ in batches]), data.values[order])
    assert torch.equal(data[order].labels, data.labels[order]) and len(data[3:7].joined(data[:2])) == 6
    assert torch.equal(torch.cat([values for values, _ in data.batches(7)]), data.values)


def test_the_digest_tells_shapes_and_values():
    flat, signal = samples((12,)), samples((12,)).values.view(60, 3, 4)
    other = flat.values.clone()
    other[-1, -1] += 1e-6
    parts = [flat, Samples(signal, flat.labels), Samples(other, flat.labels), Samples(flat.values, 2 - flat.labels)]
    assert len({Dataset(part, None, tuple("abc")).digest() for part in parts}) == 4


@pytest.mark.parametrize("augment", [Augment(crop=4), Augment(flip=True), Augment(area=(0.5, 1.0))])
def test_samples_are_not_augmented(augment):
    with pytest.raises(
        DataError, match=r"^augment\.(crop|flip|area) must be (0|false|null) .*, got (4|true|\[0.5, 1.0\])$"
    ):
        samples((2, 5)).check(augment)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_engine_prunes_and_trains_a_perceptron_on_any_shape(shape):
    size = size_of(shape)
    problem = Problem(
        build=lambda: MODELS["mlp"](shape[0], size, 3, hidden=(8,)),
        data=lambda seed: split(dataset(shape), Pooled(), Normalize(), seed),
        recipe=Recipe(epochs=1, batch_size=16, momentum=0.9, weight_decay=0.0, shape=Constant()),
        pruning=Pruning(magnitude, "global", 0.5, norm=False, first=True, head=True),
        restart=Reinit(),
    )
    alive = [result.alive for result in train_trajectory(problem, ConstantSchedule(0.1), cycles=2, seed=0)]
    assert alive == [8 * np.prod(shape) + 24, 4 * np.prod(shape) + 12]
    with torch.device("meta"):
        memory = training_memory(problem.build(), (shape[0], size, 3), 16)
    assert memory.weights > 4 * alive[0]
    assert batch_size(shape[0], size, torch.device("cpu")) == 64 * 3 * 32 * 32 // np.prod(shape)


def test_a_network_of_volumes_trains():
    """Its convolutions have weights of five dimensions, which no layout for images fits."""
    problem = Problem(
        build=lambda: nn.Sequential(nn.Conv3d(2, 3, 3), nn.Flatten(), nn.Linear(24, 3)),
        data=lambda seed: split(dataset((2, 4, 4, 4)), Pooled(), Normalize(), seed),
        recipe=Recipe(epochs=1, batch_size=16, momentum=0.9, weight_decay=0.0, shape=Constant()),
        pruning=Pruning(magnitude, "global", 0.5, norm=False, first=True, head=True),
        restart=Reinit(),
    )
    assert next(iter(train_trajectory(problem, ConstantSchedule(0.01), cycles=1, seed=0))).outcome.steps == 3


@pytest.mark.parametrize("name", sorted({*MODELS} - {"mlp", "cnn-1d"}))
@pytest.mark.parametrize("channels, size", [(3, (40,)), (12, ()), (3, (32, 24))])
def test_networks_of_images_refuse_other_samples(name, channels, size):
    with torch.device("meta"), pytest.raises(ValueError, match=r"\Asize must .*, got \(.*\)\Z"):
        MODELS[name](channels, size, 10)


def test_a_part_says_what_it_lacks():
    class Silent(Part):
        labels, channels, size, dtype = torch.zeros(3).long(), 4, (), torch.float32

    with pytest.raises(TypeError, match=r"abstract methods.*batches.*content.*joined"):
        Silent()
    methods = ("__len__", "__getitem__", "to", "joined", "batches", "content")
    part = type("Whole", (Silent,), dict.fromkeys(methods, lambda self, *arguments: 3))()
    with pytest.raises(DataError, match=r"^normalize must have mean and std .*, got none$"):
        part.moments()
    with pytest.raises(DataError, match=r"^source must .* normalized, got Whole of torch.float32$"):
        part.normalized(torch.zeros(4), torch.ones(4))
    with part.augmented(Augment()) as ready:
        assert ready is part


@pytest.mark.parametrize("shape", [(1, 40), (2, 4, 4, 4)])
def test_recorded_lanes_give_what_each_gives_alone(shape):
    data = split(dataset(shape), Pooled(), Normalize(), 0)
    recipe = Recipe(epochs=2, batch_size=16, momentum=0.9, weight_decay=5e-4, shape=Constant())

    def starts():
        with seeded(0, Purpose.INITIALIZATION):
            convolution = nn.Conv1d(1, 4, 5) if len(shape) == 2 else nn.Conv3d(2, 4, 3)
            model = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
            model(data.train.values[:1])
        mask = Mask.dense(prunable_weights(model, norm=False, first=True, head=True))
        return [Start(copy.deepcopy(model), mask, rate) for rate in (0.01, 0.03, 0.1)]

    recorded = train_lanes(starts(), data, recipe, seed=0, cycle=0, stepper=GraphStepper(3, here))
    alone = [train_lanes([start], data, recipe, seed=0, cycle=0)[0] for start in starts()]
    assert [one.outcome for one in recorded] == [one.outcome for one in alone]
    for one, other in zip(recorded, alone, strict=True):
        assert all(torch.equal(one.final[name], other.final[name]) for name in one.final)
