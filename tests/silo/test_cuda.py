"""On a GPU: captured lanes against eager single runs, by the same kernels; skipped where there is none.

With SILO_DRY=1 on a CPU, where steps are recorded in this process and memory is made up: to see that the tests themselves run.
"""

import os
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from kept import CutOff, Kept, bits, same
from PIL import Image
from pretended_gpu import PretendedGpu, here
from torch import nn

from silo.data.augment import Augment
from silo.data.imagenet import imagenet
from silo.data.normalize import Normalize
from silo.data.split import Carve, Split, split
from silo.engine import train_lanes
from silo.gpu import CudaGpu
from silo.graph import CaptureError, CudaGraphs
from silo.graph import GraphStepper as RealGraphStepper
from silo.lane import EAGER, EagerStepper, Start
from silo.mask import Mask, prunable_weights
from silo.model import MODELS
from silo.optimizer import AdamW, Sgd
from silo.precision import LAYOUTS
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.shape import Constant, Cosine, Cyclical, WarmupStep
from silo.stepping import stepper_on

DRY = bool(os.environ.get("SILO_DRY"))
DEVICE = torch.device("cpu" if DRY else "cuda")
pytestmark = pytest.mark.skipif(not (DRY or torch.cuda.is_available()), reason="no CUDA GPU is visible here")
on_a_gpu_alone = pytest.mark.skipif(DRY, reason="of a GPU alone")

RATES = (0.003, 0.01, 0.03)
SHAPES = (WarmupStep("6it", {"3ep": 0.1}), Cosine(), Cyclical("2ep"))
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


def GraphStepper(at_once):
    return RealGraphStepper(at_once, here if DRY else CudaGraphs)


def chosen(start, data, recipe=RECIPE, at_once=None, share=1.0):
    return stepper_on(start, data, recipe, at_once, share, PretendedGpu() if DRY else CudaGpu(DEVICE))


def on_gpu(data, double=False):
    data = data.to(DEVICE)
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


def trained(given, data, stepper, recipe=RECIPE, **more):
    return train_lanes(given, data, recipe, seed=1, cycle=2, stepper=stepper, **more)


def all_same(some, others):
    return all(same(one, other) for one, other in zip(some, others, strict=True))


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
    found = chosen(starts(name)[0], data)
    assert isinstance(found, RealGraphStepper) and 1 <= found.at_once <= 16
    assert chosen(starts(name)[0], data, at_once=3).at_once == 3


class Waits(nn.Module):
    """A network whose step depends on a number that the host reads."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(x.flatten(1)) * (1.0 if x.mean().item() > 0 else 0.5)


@on_a_gpu_alone
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

    found = chosen(start(), data)
    assert found == EagerStepper(because=because)
    first, second = (trained([start(), start()], data, found) for _ in range(2))
    assert bits(first[0].final) == bits(first[1].final) == bits(second[0].final)


# ---- the engine's other ways through a graph

CROPS = replace(RECIPE, shape=WarmupStep("6it", {"3ep": 0.1}), augment=Augment(crop=1, flip=True))


@pytest.mark.parametrize("until", [1, 3])
def test_captured_lanes_that_were_cut_off_go_on_bitwise(few_digits, until):
    data, stepper = on_gpu(few_digits), GraphStepper(3)

    def given():
        return [replace(start, remember_at=4) for start in starts("small-cnn")]

    expected = trained(given(), data, GraphStepper(3), CROPS)
    kept = [Kept(), Kept(), Kept(until=until)]
    with pytest.raises(CutOff):
        trained(given(), data, stepper, CROPS, checkpoints=kept)
    for one in kept:
        one.until = None
    assert all_same(trained(given(), data, stepper, CROPS, checkpoints=kept), expected)
    assert all_same(trained(given(), data, GraphStepper(2), CROPS, checkpoints=kept), expected)


def test_lanes_of_other_shapes_share_a_graph(few_digits):
    data = on_gpu(few_digits)
    given = [replace(start, shape=shape) for start, shape in zip(starts("small-cnn"), SHAPES, strict=True)]
    expected = [
        trained([start], data, EAGER, replace(CROPS, shape=shape))[0]
        for start, shape in zip(starts("small-cnn"), SHAPES, strict=True)
    ]
    assert all_same(trained(given, data, GraphStepper(3), CROPS), expected)


def test_more_lanes_than_streams(few_digits):
    data, recipe, rates = on_gpu(few_digits), replace(CROPS, epochs=2), [0.01 + number / 1000 for number in range(20)]
    some = (0, 3, 16, 19)
    expected = [trained([starts("small-cnn", rates)[n]], data, GraphStepper(1), recipe)[0] for n in some]
    given = trained(starts("small-cnn", rates), data, GraphStepper(20), recipe)
    assert all_same([given[n] for n in some], expected)


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_other_precisions_captured_are_eager_ones(few_digits, precision):
    data, recipe = on_gpu(few_digits), replace(CROPS, precision=precision)
    given = [trained(starts("small-cnn"), data, stepper, recipe) for stepper in (GraphStepper(3), EAGER)]
    assert all_same(*given)


@pytest.mark.parametrize("optimizer", [AdamW(), Sgd(nesterov=True)], ids=["adamw", "nesterov"])
def test_other_optimizers_captured_are_eager_ones(few_digits, optimizer):
    """With smoothed labels and clipped gradients; nothing of such a step waits for the device."""
    momentum = 0.9 if isinstance(optimizer, Sgd) else 0.0
    recipe = replace(CROPS, optimizer=optimizer, momentum=momentum, label_smoothing=0.1, clip_norm=0.5)
    data, (start, *_) = on_gpu(few_digits), starts("small-cnn")
    assert isinstance(chosen(start, data, recipe, at_once=3), RealGraphStepper)
    given = [trained(starts("small-cnn"), data, stepper, recipe) for stepper in (GraphStepper(3), EAGER)]
    assert all_same(*given)


def test_the_other_layout_is_captured_as_well(few_digits, monkeypatch):
    monkeypatch.setitem(LAYOUTS, (DEVICE.type, "fp32"), torch.channels_last)
    data = on_gpu(few_digits)
    assert all_same(*(trained(starts("resnet20"), data, stepper, CROPS) for stepper in (GraphStepper(3), EAGER)))


@pytest.mark.parametrize(
    ("name", "options"), [("resnet20", {}), ("vgg19", {"classifier": "linear"}), ("vit-small", {}), ("densenet40", {})]
)
def test_the_papers_networks_captured_are_eager_ones(coloured, name, options):
    data, recipe = on_gpu(coloured(32, 24)), replace(CROPS, epochs=2, batch_size=16)

    def given():
        for number in range(2):
            with seeded(number, Purpose.INITIALIZATION):
                model = MODELS[name](3, 32, 10, **options)
            yield Start(model, Mask.dense(prunable_weights(model, True, True, True)), 0.003)

    assert all_same(*(trained([*given()], data, stepper, recipe) for stepper in (GraphStepper(2), EAGER)))


def test_nothing_warns(few_digits):
    """A stream of AccumulateGrad that is not its lane's, say."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(starts("small-cnn"), on_gpu(few_digits), GraphStepper(3), CROPS)


class Hungry(nn.Module):
    """A network whose step takes 3 GiB for a moment."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        taken = self.head.weight.new_zeros(2**28).add(1).exp().mean() * 0 if self.training else 0
        return self.head(x.flatten(1)) + taken


def hungry(count):
    for number in range(count):
        with seeded(number, Purpose.INITIALIZATION):
            model = Hungry()
        yield Start(model, Mask.dense(prunable_weights(model, True, True, True)), 0.01)


@pytest.fixture
def eight_gib():
    """The device as if it had no more."""
    torch.cuda.empty_cache()
    share = 8 * 2**30 / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(share)
    yield share
    torch.cuda.set_per_process_memory_fraction(1.0)


@on_a_gpu_alone
def test_memory_that_runs_out_in_a_capture_leaves_a_process_that_trains_on(few_digits, eight_gib):
    data = on_gpu(few_digits)
    alone = trained([*hungry(1)], data, EAGER)
    stepper = GraphStepper(8)
    with pytest.raises(torch.OutOfMemoryError):
        trained([*hungry(8)], data, stepper)
    stepper = stepper.anew(1)
    torch.cuda.empty_cache()
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    assert all_same(trained([*hungry(1)], data, stepper), alone)


@on_a_gpu_alone
def test_as_many_lanes_are_promised_as_then_train(few_digits, eight_gib):
    """Of 3 GiB each: what the trial measured is what a pack takes, its short last batch and its evaluation included."""
    data = on_gpu(few_digits)
    found = chosen(next(hungry(1)), data, share=eight_gib)
    assert 1 <= found.at_once <= 2
    trained([*hungry(found.at_once)], data, found)


class Fails(nn.Module):
    """A network that can't be captured: it copies from the host's pageable memory."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(x.flatten(1)) * torch.ones(10).to(x.device)


@on_a_gpu_alone
def test_after_a_capture_that_failed_the_process_trains_eager(few_digits):
    data = on_gpu(few_digits)

    def start():
        with seeded(0, Purpose.INITIALIZATION):
            model = Fails()
        return Start(model, Mask.dense(prunable_weights(model, True, True, True)), 0.01)

    with pytest.raises(CaptureError):
        trained([start()], data, GraphStepper(1))
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    found = chosen(start(), data)
    assert isinstance(found, EagerStepper) and found.because
    assert all_same(*(trained([start()], data, found) for _ in range(2)))
    with seeded(0, Purpose.DROPOUT):
        nn.functional.dropout(torch.ones(10, device=DEVICE))  # the device's generator goes on, too


def test_images_that_stream_can_be_tried_and_trained(tmp_path):
    for part in ("train", "val"):
        for name in "ab":
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(12):
                pixels = np.random.default_rng(number).integers(0, 255, (40, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / name / f"{number}.jpg")
    source = imagenet(str(tmp_path), 32, loaders=0)
    data = split(source, Carve(0.5), Normalize((0.5,) * 3, (0.2,) * 3), 0).to(DEVICE)
    recipe = replace(RECIPE, augment=Augment(area=(0.5, 1.0), flip=True), batch_size=8, epochs=2)

    def given():
        with seeded(0, Purpose.INITIALIZATION):
            model = MODELS["resnet20"](3, 32, 2)
        return [Start(model, Mask.dense(prunable_weights(model, True, True, True)), 0.01)]

    found = chosen(given()[0], data, recipe)
    assert isinstance(found, RealGraphStepper)
    assert all_same(trained(given(), data, found, recipe), trained(given(), data, EAGER, recipe))
