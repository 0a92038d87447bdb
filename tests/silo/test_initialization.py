"""How weights are drawn: the distributions, the order, and that the seed alone decides."""

import math

import pytest
import torch
from torch import nn

from silo.model import INITIALIZATIONS, MODELS
from silo.model.initialization import default, kaiming, released
from silo.randomness import Purpose, seeded


def big():
    """Layers large enough for statistics; the conv has a fan-in of 450 and a fan-out of 900."""
    layers = [nn.Conv2d(50, 100, 3), nn.BatchNorm2d(4000), nn.Linear(600, 4000), nn.LayerNorm(4000)]
    return nn.Sequential(*layers, nn.MultiheadAttention(400, 4))


DRAWN = [  # (rule, layer, parameter, mean, standard deviation)
    (kaiming, 0, "weight", 0, math.sqrt(2 / 450)),
    (kaiming, 0, "bias", 0, 0),
    (kaiming, 1, "weight", 1, 0),
    (kaiming, 1, "bias", 0, 0),
    (kaiming, 2, "weight", 0, math.sqrt(2 / 600)),
    (kaiming, 2, "bias", 0, 0),
    (kaiming, 3, "weight", 1, 0),
    (released, 0, "weight", 0, math.sqrt(2 / 1350)),
    (released, 0, "bias", 0, 1),
    (released, 1, "weight", 1, 0.02),
    (released, 1, "bias", 0, 0),
    (released, 2, "weight", 0, math.sqrt(2 / 4600)),
    (released, 2, "bias", 0, 1),
    (kaiming, 4, "in_proj_weight", 0, math.sqrt(2 / 400)),
    (kaiming, 4, "in_proj_bias", 0, 0),
    (kaiming, 4, "out_proj.weight", 0, math.sqrt(2 / 400)),
    (kaiming, 4, "out_proj.bias", 0, 0),
    (released, 4, "in_proj_weight", 0, math.sqrt(2 / 800)),  # three layers from 400 to 400, not one from 400 to 1200
    (released, 4, "in_proj_bias", 0, 1),
    (released, 4, "out_proj.weight", 0, math.sqrt(2 / 800)),
    (released, 4, "out_proj.bias", 0, 1),
]


@pytest.mark.parametrize(("rule", "layer", "name", "mean", "std"), DRAWN)
def test_how_weights_are_drawn(rule, layer, name, mean, std):
    model = big()
    with seeded(0, Purpose.INITIALIZATION):
        rule(model)
    values = model[layer].get_parameter(name).detach().double()
    errors = 5 / math.sqrt(values.numel())  # five standard errors
    assert values.mean().item() == pytest.approx(mean, abs=errors * std)
    assert values.std().item() == pytest.approx(std, rel=errors)
    if std:  # normal, and not just of this spread: 4.6% beyond two standard deviations (uniform: none)
        assert ((values - mean).abs() > 2 * std).double().mean().item() == pytest.approx(0.0455, abs=0.21 * errors)


# a network that still fits a test's time, of every class of networks
SMALL = {
    "mlp": ((1, 8, 10), {}),
    "small-cnn": ((1, 8, 10), {}),
    "cnn-1d": ((1, (40,), 10), {}),
    "resnet20": ((1, 8, 10), {}),
    "vgg19": ((3, 32, 10), {"classifier": "linear"}),
    "densenet40": ((1, 8, 10), {}),
    "mobilenetv2": ((3, 8, 10), {}),
    "resnet50": ((3, 32, 10), {}),
    "vit-small": ((3, 8, 10), {"width": 16, "depth": 2, "heads": 2}),
}


def test_every_network_is_small_here_but_the_large_sister_of_another():
    assert MODELS.keys() - SMALL.keys() == {"vit-b-16"}


def test_the_draws_come_module_by_module_weight_first():
    """To the bit: recorded results were trained from these draws."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 6), nn.LayerNorm(6), nn.Conv2d(4, 4, 1))
    with seeded(0, Purpose.INITIALIZATION):
        released(model)
    with seeded(0, Purpose.INITIALIZATION):
        for layer in model:
            if isinstance(layer, (nn.BatchNorm2d, nn.LayerNorm)):
                expected = [torch.normal(1, 0.02, layer.weight.shape), torch.zeros_like(layer.bias)]
            else:
                weight = nn.init.xavier_normal_(torch.empty_like(layer.weight))
                expected = [weight, torch.normal(0, 1, layer.bias.shape)]
            assert torch.equal(layer.weight, expected[0]) and torch.equal(layer.bias, expected[1])


@pytest.mark.parametrize("rule", [kaiming, released])
@pytest.mark.parametrize("name", SMALL)
def test_a_rule_sets_every_element_but_the_embeddings(name, rule):
    arguments, options = SMALL[name]
    model = MODELS[name](*arguments, **options)
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(7)
    with seeded(0, Purpose.INITIALIZATION):
        rule(model)
    left = {name for name, p in model.named_parameters() if (p == 7).any()}
    assert left == ({"class_token", "encoder.pos_embedding"} if name == "vit-small" else set())


@pytest.mark.parametrize("name", ["small-cnn", "vit-small"])
def test_default_leaves_all_as_it_was_built(name):
    arguments, options = SMALL[name]
    model = MODELS[name](*arguments, **options)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    default(model)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


HEAVY = {"vgg19", "resnet50"}  # many weights, of the same kinds of layers as others': one rule is enough


@pytest.mark.parametrize(
    ("name", "rule"),
    [(name, rule) for name in SMALL for rule in INITIALIZATIONS if name not in HEAVY or rule == "default"],
)
def test_the_seed_alone_decides(name, rule):
    arguments, options = SMALL[name]

    def drawn(seed):
        with seeded(seed, Purpose.INITIALIZATION):
            model = MODELS[name](*arguments, **options)
            INITIALIZATIONS[rule](model)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    first = drawn(0)
    torch.rand(7)
    assert torch.equal(first, drawn(0))
    assert not torch.equal(first, drawn(1))


@pytest.mark.parametrize("rule", INITIALIZATIONS.values(), ids=INITIALIZATIONS)
@pytest.mark.parametrize(
    "norm",
    [nn.BatchNorm2d(4, affine=False), nn.LayerNorm(4, elementwise_affine=False), nn.LayerNorm(4, bias=False)],
    ids=str,
)
def test_norms_that_lack_a_weight_or_a_bias_are_no_obstacle(rule, norm):
    with seeded(0, Purpose.INITIALIZATION):
        rule(nn.Sequential(norm))
    assert all(abs(weight - 1) < 0.2 for p in norm.parameters() for weight in p.tolist())
