"""On a GPU: captured lanes against eager single runs, by the same kernels; skipped where there is none."""

from dataclasses import replace

import pytest
import torch
from kept import bits
from torch import nn

from silo.data.split import Split
from silo.engine import train_lanes
from silo.graph import GraphStepper
from silo.lane import EAGER, EagerStepper, Start
from silo.mask import Mask, prunable_weights
from silo.model import MODELS
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.shape import Constant
from silo.stepping import stepper_on

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is visible here")

RATES = (0.003, 0.01, 0.03)
# 150 images: four batches of 32 and one of 22; 4 epochs are 20 steps
RECIPE = Recipe(epochs=4, batch_size=32, momentum=0.9, weight_decay=5e-4, shape=Constant())


class Attends(nn.Module):
    """Attention over an image's rows, as transformers have it."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Linear(8, 16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        rows = self.rows(x.squeeze(1))
        return self.head((rows + self.attention(rows, rows, rows, need_weights=False)[0]).mean(1))


NETWORKS = {name: lambda name=name: MODELS[name](1, 8, 10) for name in ("mlp", "small-cnn", "resnet20", "densenet40")}
NETWORKS["attention"] = Attends


def on_gpu(data, double=False):
    data = data.to(torch.device("cuda"))
    parts = (data.train, data.validation, data.test)
    return Split(*parts, data.mean.double(), data.std.double()) if double else data


def starts(name, rates=RATES, dtype=torch.float32):
    def start(number, rate):
        with seeded(number, Purpose.INITIALIZATION):
            model = NETWORKS[name]().to(dtype)
        weights = prunable_weights(model, norm=False, first=True, head=True)
        random = torch.Generator().manual_seed(number)
        return Start(model, Mask({n: torch.rand(w.shape, generator=random) < 0.7 for n, w in weights.items()}), rate)

    return [start(number, rate) for number, rate in enumerate(rates)]


def trained(given, data, stepper, recipe=RECIPE):
    return train_lanes(given, data, recipe, seed=1, cycle=2, stepper=stepper)


@pytest.mark.parametrize("name", NETWORKS)
def test_lanes_in_float64_are_single_runs(few_digits, name):
    data = on_gpu(few_digits, double=True)
    expected = trained(starts(name, dtype=torch.float64), data, EAGER)
    for one, other in zip(trained(starts(name, dtype=torch.float64), data, GraphStepper(3)), expected, strict=True):
        for weights, others in zip(one.final.values(), other.final.values(), strict=True):
            torch.testing.assert_close(weights, others, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_step_in_fp32_is_a_single_run_s(few_digits, name):
    data, recipe = on_gpu(few_digits), replace(RECIPE, epochs=1, batch_size=1000)
    expected = trained(starts(name), data, EAGER, recipe)
    for one, other in zip(trained(starts(name), data, GraphStepper(3), recipe), expected, strict=True):
        for weights, others in zip(one.final.values(), other.final.values(), strict=True):
            torch.testing.assert_close(weights, others, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_number_depends_on_the_pack(few_digits, name):
    """Bitwise, in single precision: alone and captured, in packs of two and three, again in what was kept, and eager."""
    data, kept = on_gpu(few_digits), GraphStepper(3)
    ways = [trained(starts(name), data, stepper) for stepper in (GraphStepper(1), GraphStepper(2), kept, kept, EAGER)]
    first = [bits(one.final) for one in ways[0]]
    for way in ways[1:]:
        assert [bits(one.final) for one in way] == first
        assert [one.outcome for one in way] == [one.outcome for one in ways[0]]


def test_a_lane_that_diverges_leaves_the_others_untouched(few_digits):
    data = on_gpu(few_digits)
    expected = trained(starts("small-cnn"), data, GraphStepper(3))
    given = trained(starts("small-cnn", (0.003, 1e30, 0.03)), data, GraphStepper(3))
    assert [one.outcome.diverged for one in given] == [False, True, False]
    for number in (0, 2):
        assert bits(given[number].final) == bits(expected[number].final)


@pytest.mark.parametrize("name", NETWORKS)
def test_as_many_lanes_as_fit(few_digits, name):
    data = on_gpu(few_digits)
    found = stepper_on(starts(name)[0], data, RECIPE, None, 1.0)
    assert isinstance(found, GraphStepper) and 1 <= found.at_once <= 16
    assert stepper_on(starts(name)[0], data, RECIPE, 3, 1.0).at_once == 3


class Waits(nn.Module):
    """A network whose step depends on a number that the host reads."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(x.flatten(1)) * (1.0 if x.mean().item() > 0 else 0.5)


@pytest.mark.parametrize(
    ("model", "because"),
    [
        (lambda: Waits(), "the network's step waits for the device"),
        (
            lambda: nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10)),
            "the network draws random numbers in training",
        ),
    ],
    ids=["waits", "dropout"],
)
def test_what_cannot_be_captured_is_trained_eager_and_says_why(few_digits, model, because):
    data = on_gpu(few_digits)

    def start():
        with seeded(0, Purpose.INITIALIZATION):
            made = model()
        return Start(made, Mask.dense(prunable_weights(made, True, True, True)), 0.1)

    found = stepper_on(start(), data, RECIPE, None, 1.0)
    assert found == EagerStepper(because=because)
    first, second = (trained([start(), start()], data, found) for _ in range(2))
    assert bits(first[0].final) == bits(first[1].final) == bits(second[0].final)
