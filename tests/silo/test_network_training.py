"""Every kind of network goes through the engine: channels last, pruned, with a dropout that is the cell's own."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from silo.engine import train
from silo.evaluation import accuracy
from silo.mask import Mask, prunable_weights
from silo.model import INITIALIZATIONS, MODELS
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.shape import Constant

RECIPE = Recipe(epochs=1, batch_size=16, momentum=0.0, weight_decay=0.0, shape=Constant())

TINY = {"width": 32, "depth": 2, "heads": 2}
NETWORKS = {  # name: (size of the images, options)
    "vgg19": (32, {"classifier": "linear"}),
    "densenet40": (8, {}),
    "mobilenetv2": (16, {}),
    "resnet50": (32, {}),
    "vit-small": (8, TINY),
}


def built(name, size, init="kaiming", **options):
    with seeded(0, Purpose.INITIALIZATION):
        model = MODELS[name](3, size, 10, **options)
        INITIALIZATIONS[init](model)
    return model


def dense(model):
    return Mask.dense(prunable_weights(model, norm=True, first=True, head=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_moves_every_parameter_and_no_pruned_weight(coloured, half, name):
    size, options = NETWORKS[name]
    model = built(name, size, **options)
    mask, before = half(model), {name: p.detach().clone() for name, p in model.named_parameters()}
    trained = train(model, coloured(size), RECIPE, 0.01, mask, seed=0, cycle=0)
    assert not trained.outcome.diverged and trained.outcome.steps == 1
    for layer, alive in mask.layers.items():
        assert (trained.final[layer][~alive] == 0).all()
        assert (trained.final[layer] != before[layer])[alive].any()
    for other in before.keys() - mask.layers.keys():
        assert (trained.final[other] != before[other]).any()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_layout_changes_nothing_but_rounding(name):
    size, options = NETWORKS[name]
    model = built(name, size, **options).eval()
    images = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0))
    plain = model(images)
    last = model.to(memory_format=torch.channels_last)(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, plain, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_s_output_in_evaluation_does_not_depend_on_the_others(name):
    """Right shapes are not all: a mixed-up axis has those."""
    size, options = NETWORKS[name]
    model = built(name, size, **options).eval()
    images = torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = model(images), torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)
    assert (together[0] - together[1]).abs().max() > 1e-3


def test_a_vision_transformer_learns_what_it_is_shown(coloured):
    """The smallest whole path: 16 images by heart, from its own initialization, whose classifier is 0."""
    model, data = built("vit-small", 8, "default", **TINY), coloured(8, images=16)
    assert accuracy(model, data.train, data) < 40
    train(model, data, replace(RECIPE, epochs=80, momentum=0.9), 0.03, dense(model), seed=0, cycle=0)
    assert accuracy(model, data.train, data) == 100


# ---- dropout


def trained_vit(data, dropout, seed=0, **changes):
    model = built("vit-small", 8, dropout=dropout, **TINY)
    return train(model, data, replace(RECIPE, epochs=2, **changes), 0.1, dense(model), seed=seed, cycle=0)


def distance(a, b):
    return max(float((a.final[name] - b.final[name]).abs().max()) for name in a.final)


def test_two_trainings_with_dropout_are_bitwise_equal_whatever_came_before(coloured):
    data = coloured(8, images=16)
    torch.manual_seed(1)
    first = trained_vit(data, 0.3, batch_size=6)
    torch.manual_seed(99)
    nn.functional.dropout(torch.ones(1000))
    second = trained_vit(data, 0.3, batch_size=6)
    assert first.outcome == second.outcome and first.outcome.steps == 6
    assert all(torch.equal(first.final[name], second.final[name]) for name in first.final)


def test_another_seed_drops_others(coloured):
    """A single image has but one order, so that dropout is all that the seed decides here."""
    data = coloured(8, images=1)
    assert distance(trained_vit(data, 0.0), trained_vit(data, 0.0, seed=1)) == 0
    assert distance(trained_vit(data, 0.3), trained_vit(data, 0.3, seed=1)) > 1e-3
    assert distance(trained_vit(data, 0.3), trained_vit(data, 0.0)) > 1e-3
