"""The gradient that the gradient-weight criterion judges by: of the mean loss over all training images, without chance."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from silo import ConstantSchedule, cycle, train_trajectory
from silo.data.augment import Augment
from silo.data.images import Images
from silo.data.split import Split
from silo.evaluation import gradients
from silo.pruning_rule import CRITERIA, Pruning
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.shape import Constant


def with_dropout():
    with seeded(0, Purpose.INITIALIZATION):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.ReLU(), nn.Dropout(0.5), nn.Linear(40, 10))


def at_once(model, data):
    """All images in one batch, by torch alone, in double precision."""
    model = model.double().eval()
    images = (data.train.pixels.double() - data.mean) / data.std
    loss = functional.cross_entropy(model(images), data.train.labels)
    return dict(zip(dict(model.named_parameters()), torch.autograd.grad(loss, list(model.parameters())), strict=True))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
def test_by_hand_with_a_short_last_batch(batch_size):
    """One pixel, x = 1, 2, -3 after normalization, labels 0, 0, 1, all weights 0: both classes have probability 1/2.

    Class 0: the mean of (1/2 - 1) * 1, (1/2 - 1) * 2, (1/2 - 0) * -3 is -1, its bias: the mean of -1/2, -1/2, 1/2 is -1/6;
    class 1: their negatives. The mean of the means of batches of 2 would be -9/8.
    """
    images = Images(torch.tensor([129, 130, 125], dtype=torch.uint8).view(3, 1, 1, 1), torch.tensor([0, 0, 1]))
    data = Split(images, images, images, torch.full((1, 1, 1), 128.0), torch.ones(1, 1, 1))
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    found = gradients(model, data, batch_size)
    assert found["1.weight"].flatten().tolist() == pytest.approx([-1, 1], abs=1e-12)
    assert found["1.bias"].tolist() == pytest.approx([-1 / 6, 1 / 6], abs=1e-12)


@pytest.mark.parametrize("batch_size", [64, 50, 149, 1000])
@pytest.mark.parametrize("name", ["mlp", "small-cnn"])
def test_batches_are_those_of_all_images_at_once(build, few_digits, name, batch_size):
    found, expected = gradients(build(name), few_digits, batch_size), at_once(build(name), few_digits)
    assert found.keys() == expected.keys()
    for parameter, gradient in found.items():
        torch.testing.assert_close(gradient, expected[parameter], rtol=1e-4, atol=1e-7)


def test_dropout_is_off(few_digits):
    found, expected = gradients(with_dropout().train(), few_digits, 64), at_once(with_dropout(), few_digits)
    assert all(torch.allclose(found[n], expected[n], rtol=1e-4, atol=1e-7) for n in expected)


def test_it_leaves_the_network_and_the_caller_s_random_state_as_they_were(build, few_digits):
    model = build("small-cnn")
    before, random = {n: t.clone() for n, t in model.state_dict().items()}, torch.random.get_rng_state()
    gradients(model.train(), few_digits, 64)
    assert all(torch.equal(tensor, before[n]) for n, tensor in model.state_dict().items())  # statistics included
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_it_repeats_to_the_bit_on_any_number_of_threads(build, few_digits):
    first = gradients(build("small-cnn"), few_digits, 64)
    torch.set_num_threads(4)
    second = gradients(build("small-cnn"), few_digits, 64)
    assert all(torch.equal(first[n], second[n]) for n in first)


# ---- in the loop


@pytest.fixture
def calls(monkeypatch):
    """The gradients that a cycle computes for its criterion."""
    made = []

    def counted(*arguments):
        made.append(gradients(*arguments))
        return made[-1]

    monkeypatch.setattr(cycle, "gradients", counted)
    return made


@pytest.mark.parametrize("criterion", CRITERIA)
def test_only_the_criterion_that_asks_pays_and_once_a_cycle(problem, calls, criterion):
    pruning = Pruning(CRITERIA[criterion], "global", 0.2, norm=True, first=True, head=True)
    list(train_trajectory(problem("small-cnn", pruning=pruning)[0], ConstantSchedule(0.1), cycles=3, seed=0))
    assert len(calls) == (3 if criterion == "gradient-weight" else 0)


def test_nothing_is_computed_for_a_cycle_that_diverged(problem, calls):
    pruning = Pruning(CRITERIA["gradient-weight"], "global", 0.2, norm=True, first=True, head=True)
    list(train_trajectory(problem(pruning=pruning)[0], ConstantSchedule(1e6), cycles=1, seed=0))
    assert calls == []


def test_the_gradient_is_that_of_the_trained_network_on_plain_images(problem, few_digits, calls):
    """Of each cycle's final weights under its mask, though the training augmented."""
    pruning = Pruning(CRITERIA["gradient-weight"], "layer", 0.3, norm=True, first=True, head=True)
    recipe = Recipe(2, 64, 0.9, 5e-4, Constant(), Augment(crop=1, flip=True))
    made, built = problem("small-cnn", pruning=pruning, recipe=recipe)
    before = None
    for result in train_trajectory(made, ConstantSchedule(0.1), cycles=2, seed=0):
        weights, expected = dict(built[-1].named_parameters()), gradients(built[-1], few_digits, 64)
        for name, alive in result.leaves.mask.layers.items():
            assert torch.equal(calls[-1][name], expected[name])
            scores, was = (expected[name] * weights[name]).abs(), before[name] if before else torch.ones_like(alive)
            gone = was & ~alive
            assert not gone.any() or scores[gone].max() <= scores[alive].min()
        before = result.leaves.mask.layers
