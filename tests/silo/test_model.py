"""Networks: sizes by hand, shapes, and how their weights are drawn."""

import math

import pytest
import torch
from torch import nn

from silo.model import MODELS
from silo.model.initialization import INITIALIZATIONS, kaiming, released
from silo.randomness import seeded

COUNTS = [  # (name, channels, size, classes, options, parameters)
    ("resnet20", 3, 32, 10, {}, 272_474),
    ("resnet20", 1, 8, 10, {}, 272_474 - 2 * 9 * 16),
    ("resnet20", 3, 32, 100, {}, 272_474 + 90 * 65),
    ("mlp", 1, 8, 10, {}, 65 * 100 + 101 * 100 + 101 * 10),
    ("mlp", 3, 32, 10, {"hidden": (300, 100)}, 3073 * 300 + 301 * 100 + 101 * 10),
    ("mlp", 1, 8, 3, {"hidden": ()}, 65 * 3),
    ("small-cnn", 1, 8, 10, {}, 9 * 16 + 32 + 9 * 16 * 32 + 64 + 9 * 32 * 64 + 128 + 65 * 10),
    ("small-cnn", 3, 32, 5, {"width": 4}, 9 * 3 * 4 + 8 + 9 * 4 * 8 + 16 + 9 * 8 * 16 + 32 + 17 * 5),
]


@pytest.mark.parametrize(("name", "channels", "size", "classes", "options", "count"), COUNTS)
def test_parameters_and_output(name, channels, size, classes, options, count):
    model = MODELS[name](channels, size, classes, **options)
    assert sum(p.numel() for p in model.parameters()) == count
    assert model(torch.zeros(4, channels, size, size)).shape == (4, classes)


def test_resnet20_is_twenty_layers_deep_and_halves_twice():
    model = MODELS["resnet20"](3, 32, 10)
    weighted = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len([m for m in weighted if getattr(m, "kernel_size", None) != (1, 1)]) == 20
    assert len([m for m in weighted if getattr(m, "kernel_size", None) == (1, 1)]) == 2  # shortcuts
    sizes = []
    pool = next(i for i, module in enumerate(model) if isinstance(module, nn.AdaptiveAvgPool2d))
    x = torch.zeros(1, 3, 32, 32)
    for block in model[:pool]:
        x = block(x)
        sizes.append(tuple(x.shape[1:]))
    assert sizes == [(16, 32, 32)] * 6 + [(32, 16, 16)] * 3 + [(64, 8, 8)] * 3


def test_a_resnet_block_adds_its_input():
    """With its last batch norm at zero, a block without a shortcut layer is relu(x)."""
    block = MODELS["resnet20"](3, 32, 10)[3]
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x.relu())


@pytest.mark.parametrize(("name", "option"), [("mlp", {"hidden": (10, 0)}), ("small-cnn", {"width": 0})])
def test_bad_widths(name, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        MODELS[name](1, 8, 10, **option)


def big():
    """Layers large enough for statistics; the conv has a fan-in of 450 and a fan-out of 900."""
    return nn.Sequential(nn.Conv2d(50, 100, 3), nn.BatchNorm2d(4000), nn.Linear(600, 4000), nn.LayerNorm(4000))


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
]


@pytest.mark.parametrize(("rule", "layer", "name", "mean", "std"), DRAWN)
def test_how_weights_are_drawn(rule, layer, name, mean, std):
    model = big()
    with seeded(0, "initialization"):
        rule(model)
    values = getattr(model[layer], name).detach().double()
    errors = 5 / math.sqrt(values.numel())  # five standard errors
    assert values.mean().item() == pytest.approx(mean, abs=errors * std)
    assert values.std().item() == pytest.approx(std, rel=errors)
    if std:  # normal, and not just of this spread: 4.6% beyond two standard deviations (uniform: none)
        assert ((values - mean).abs() > 2 * std).double().mean().item() == pytest.approx(0.0455, abs=0.21 * errors)


@pytest.mark.parametrize("rule", INITIALIZATIONS.values(), ids=INITIALIZATIONS)
@pytest.mark.parametrize("name", MODELS)
def test_the_seed_alone_decides(name, rule):
    def drawn(seed):
        with seeded(seed, "initialization"):
            model = MODELS[name](1, 8, 10)
            rule(model)
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
    with seeded(0, "initialization"):
        rule(nn.Sequential(norm))
    assert all(abs(weight - 1) < 0.2 for p in norm.parameters() for weight in p.tolist())
