"""How a network's trainings step on a GPU, chosen by trying: on a pretended one, whose captures and memory are made up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from pretended_gpu import PretendedGpu, lost
from torch import nn

from silo.data.augment import Augment
from silo.data.imagenet import imagenet
from silo.data.normalize import Normalize
from silo.data.split import Carve, split
from silo.graph import MOST_LANES, CaptureError, GraphStepper
from silo.lane import EagerStepper, Start
from silo.mask import Mask, prunable_weights
from silo.recipe import Recipe
from silo.shape import Constant
from silo.stepping import USABLE, lanes_in, stepper_on

RECIPE = Recipe(epochs=2, batch_size=64, momentum=0.9, weight_decay=5e-4, shape=Constant())  # 150 images: 64, 64, 22


def start_with(model):
    return Start(model, Mask.dense(prunable_weights(model, True, True, True)), 0.1)


@pytest.fixture
def chosen(build, few_digits):
    """The stepper that is chosen, by default for the small network on a few digits."""

    def choose(gpu, at_once=None, share=1.0, model=None, data=few_digits, recipe=RECIPE):
        return stepper_on(start_with(model or build("small-cnn")), data, recipe, at_once, share, gpu)

    return choose


def eager(because):
    return EagerStepper(because=because)


# ---- as many lanes as were found to fit


@pytest.mark.parametrize(
    ("free", "share", "lanes"),
    [
        (10_000, 1.0, MOST_LANES),
        (1_000, 1.0, 7),  # 850 - 50 - 30 are 7 lanes of 100
        (1_000, 0.5, 3),
        (100, 1.0, 1),  # one was recorded, whatever the sum says
    ],
)
def test_lanes_are_what_the_memory_holds_of_what_one_more_was_seen_to_take(chosen, free, share, lanes):
    found = chosen(PretendedGpu(free=free), share=share)
    assert (type(found), found.at_once) == (GraphStepper, lanes)
    assert lanes == lanes_in(share * free * USABLE - 50, 100, 30)


@pytest.mark.parametrize(
    ("batch_size", "recorded"),
    [(64, [1, 1, 2, 2]), (75, [1, 2]), (1000, [1, 2])],
    ids=["a short last batch", "none", "a short one alone"],
)
def test_one_lane_and_two_are_tried_on_every_size_of_batch(chosen, batch_size, recorded):
    gpu = PretendedGpu()
    chosen(gpu, recipe=replace(RECIPE, batch_size=batch_size))
    assert gpu.recorded == recorded


def test_lanes_that_are_requested_are_tried_and_not_measured(chosen):
    gpu = PretendedGpu(free=1)
    assert chosen(gpu, at_once=20).at_once == 20
    assert gpu.recorded == [1, 1]


def test_the_network_that_is_tried_stays_as_it_is(few_digits, build):
    model, expected = build("small-cnn"), build("small-cnn").state_dict()
    stepper_on(start_with(model), few_digits, RECIPE, None, 1.0, PretendedGpu())
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def test_what_is_chosen_records_anew(chosen, few_digits, build):
    gpu = PretendedGpu()
    found = chosen(gpu)
    tried = len(gpu.recorded)
    lanes = found.lanes([start_with(build("small-cnn"))] * 3, RECIPE, torch.device("cpu"))
    found.prepare(lanes, few_digits, RECIPE)
    assert gpu.recorded[tried:] == [3, 3]


# ---- where it can't be captured


@pytest.mark.parametrize("which", [1, 2], ids=["the whole batch", "the short one"])
def test_a_capture_that_fails_means_eager_and_says_why(chosen, which):
    error = CaptureError("RuntimeError: cuFFT plans are made here")
    gpu = PretendedGpu(fails=lambda lanes, count: error if count == which else None)
    assert chosen(gpu) == eager("it can't be captured (RuntimeError: cuFFT plans are made here)")
    assert chosen(gpu, at_once=4) == eager("it can't be captured (RuntimeError: cuFFT plans are made here)")


@pytest.mark.parametrize("error", [CaptureError("two streams"), torch.OutOfMemoryError("CUDA out of memory")])
def test_where_two_lanes_fail_one_is_promised(chosen, error):
    found = chosen(PretendedGpu(fails=lambda lanes, count: error if lanes == 2 else None))
    assert (type(found), found.at_once) == (GraphStepper, 1)


def test_where_no_graph_fits_steps_are_eager(chosen):
    error = torch.OutOfMemoryError("CUDA out of memory")
    assert chosen(PretendedGpu(fails=lambda *_: error)) == eager("the memory doesn't hold a captured step")


def test_a_device_that_is_lost_is_no_reason_to_go_on(chosen):
    with pytest.raises(torch.AcceleratorError):
        chosen(PretendedGpu(fails=lambda *_: lost(), lost=True))


class Reads(nn.Module):
    """A network whose step does something to the device first, such as waiting for it."""

    def __init__(self, first):
        super().__init__()
        self.first, self.head = [first], nn.Linear(64, 10)

    def forward(self, x):
        if self.training and torch.is_grad_enabled():
            self.first[0]()
        return self.head(x.flatten(1))

    def __deepcopy__(self, memo):
        copied = Reads(self.first[0])
        copied.load_state_dict(self.state_dict())
        return copied


def test_only_an_error_that_says_so_is_called_waiting(chosen):
    gpu = PretendedGpu()
    assert chosen(gpu, model=Reads(gpu.wait)) == eager("the network's step waits for the device")

    def fails():
        raise RuntimeError("expected scalar type Float but found Half")

    assert chosen(gpu, model=Reads(fails)) == eager("tried on a batch, the network's step failed by RuntimeError")
    assert gpu.recorded == [] and gpu.waiting


def test_an_error_of_a_lost_device_ends_the_trial(chosen):
    gpu = PretendedGpu(lost=True)

    def fails():
        gpu.failed = True
        raise lost()

    with pytest.raises(torch.AcceleratorError):
        chosen(gpu, model=Reads(fails))


def test_a_network_that_draws_is_not_tried_further(chosen):
    gpu = PretendedGpu()
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
    assert chosen(gpu, model=model) == eager("the network draws random numbers in training")
    assert gpu.recorded == []


# ---- images that stream


@pytest.fixture(scope="module", params=[0, 1], ids=["decoded here", "a loader"])
def streaming(request, tmp_path_factory):
    """24 images of two classes that are decoded as they are read; 12 train."""
    root = tmp_path_factory.mktemp("imagenet")
    for part in ("train", "val"):
        for name in "ab":
            (root / part / name).mkdir(parents=True)
            for number in range(12):
                pixels = np.random.default_rng(number).integers(0, 255, (40, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{number}.jpg")
    source = imagenet(str(root), 32, loaders=request.param)
    return split(source, Carve(0.5), Normalize((0.5,) * 3, (0.2,) * 3), 0)


def test_images_that_stream_are_tried_by_one_batch(chosen, streaming):
    """Read to its end: the evaluation of the trial once met a reading that was open, and nothing that streams could begin."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 30 * 30, 2))
    recipe = replace(RECIPE, batch_size=8, augment=Augment(area=(0.5, 1.0), flip=True))
    read, loader = [], streaming.train.loader
    real = loader.read
    loader.read = lambda jobs: read.append([len(job.names) for job in jobs]) or real(jobs)
    try:
        gpu = PretendedGpu()
        assert chosen(gpu, model=network, data=streaming, recipe=recipe).at_once == MOST_LANES
    finally:
        del loader.read
    assert read == [[8]] and gpu.recorded == [1, 1, 2, 2]
    assert not loader.reading
