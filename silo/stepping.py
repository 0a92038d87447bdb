"""How a network's trainings step on a GPU: captured, with as many lanes as the memory holds, or eager, and why."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from silo.data.split import Split
from silo.evaluation import evaluate_blank
from silo.gpu import CudaGpu, Gpu
from silo.graph import MOST_LANES, WARM_UPS, CaptureError, GraphStepper
from silo.lane import EagerStepper, Lane, Start, Stepper
from silo.precision import layout, reproducible
from silo.randomness import Purpose, forked, generator
from silo.recipe import Recipe

USABLE = 0.85  # of the memory: other processes and libraries take some, a driver keeps graphs there
WAITS = "called a synchronizing CUDA operation"  # what torch says of a step that makes the host wait


def stepper_on(
    start: Start, data: Split, recipe: Recipe, at_once: int | None, share: float, gpu: Gpu | None = None
) -> Stepper:
    """The stepper for this network's trainings on the GPU that the data is on, where the network is tried.

    What is promised was done: one lane and two are recorded on whole batches and on the short last one, and evaluated. Of that
    the memory of a lane is known, whatever it consists of: graphs, warm-up, the workspaces that libraries keep for a stream.

    Args:
        start: A network as trainings start with it.
        data: The split, on a GPU.
        recipe: How the network is trained.
        at_once: How many lanes step side by side, at most; None for as many as the memory holds, up to 16.
        share: The share of the GPU's memory to use for that, in (0, 1].
        gpu: The GPU; None for the CUDA device that the data is on.

    Returns:
        A GraphStepper, or an EagerStepper that says why where the network's steps can't be captured: one lane at a time.

    Raises:
        torch.AcceleratorError: Where the device is lost.
    """
    gpu = gpu or CudaGpu(data.mean.device)
    with reproducible(recipe.precision), data.augmented(recipe.augment) as augmented:
        images, labels = _first_batch(augmented, recipe)
        try:
            because = _hindrance(_copy(start), images, labels, recipe, gpu)
        except Exception as error:
            if not gpu.answers():
                raise
            # its trainings will say what is wrong, each in its record
            because = f"tried on a batch, the network's step failed by {type(error).__name__}"
        if because:
            return EagerStepper(because=because)
        return _fitting(start, augmented, recipe, at_once, share, gpu)


def _hindrance(start: Start, images: Tensor, labels: Tensor, recipe: Recipe, gpu: Gpu) -> str:
    """Why the network's steps must not be captured; empty where nothing is known of it."""
    lane = Lane(start, recipe, images.device)
    if draws(lane.model, images):
        return "the network draws random numbers in training"
    lane.hold_buffers()
    try:
        for _ in range(WARM_UPS):
            with gpu.no_waiting():
                lane.step(images, labels)
    except RuntimeError as error:
        if WAITS not in str(error):
            raise
        return "the network's step waits for the device"
    return ""


def _fitting(start: Start, data: Split, recipe: Recipe, at_once: int | None, share: float, gpu: Gpu) -> Stepper:
    """A stepper for as many lanes as fit, at most ``at_once``, once one or two of them have been recorded."""

    def peak(lanes: int) -> int:
        return gpu.peak(lambda: _record([_copy(start)] * lanes, data, recipe, gpu))

    try:
        first = peak(1)
    except CaptureError as error:
        return EagerStepper(because=f"it can't be captured ({error})")
    except torch.OutOfMemoryError:
        return EagerStepper(because="the memory doesn't hold a captured step")
    if at_once is not None:
        return GraphStepper(at_once, gpu.recorder)
    try:
        second = peak(2) - first
    except (CaptureError, torch.OutOfMemoryError):
        return GraphStepper(1, gpu.recorder)
    evaluation = gpu.peak(lambda: evaluate_blank(_on_device(start, data, recipe), data, recipe.precision))
    room = gpu.room(share) * USABLE - max(0, first - second)
    return GraphStepper(lanes_in(room, second, evaluation), gpu.recorder)


def _record(starts: Sequence[Start], data: Split, recipe: Recipe, gpu: Gpu) -> None:
    """Record what a training of these lanes would, and take a step of each kind."""
    stepper, device = GraphStepper(len(starts), gpu.recorder), data.mean.device
    lanes = stepper.lanes([_copy(start) for start in starts], recipe, device)
    stepper.prepare(lanes, data, recipe)
    (rates,) = stepper.table([[0.0] * len(lanes)])
    for size in recipe.batch_sizes(len(data.train)):
        blank = data.blank(size, layout(device, recipe.precision))
        stepper.step(lanes, blank, torch.zeros(size, dtype=torch.int64, device=device), rates)


def _first_batch(data: Split, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Normalized images and labels of one batch, read to the end: images that stream are read once at a time."""
    order = torch.arange(min(recipe.batch_size, len(data.train)))
    ((pixels, labels),) = data.train.batches(recipe.batch_size, order, generator(0, Purpose.TRIAL))
    return data.normalized(pixels, layout(data.mean.device, recipe.precision)), labels


def _copy(start: Start) -> Start:
    """A start whose network is another one: lanes train theirs in place."""
    return Start(copy.deepcopy(start.model), start.mask, start.max_lr)


def _on_device(start: Start, data: Split, recipe: Recipe) -> nn.Module:
    return Lane(_copy(start), recipe, data.mean.device).model


def lanes_in(room: float, step_bytes: int, evaluation_bytes: int) -> int:
    """How many lanes fit into ``room`` bytes, from 1 to 16: they step all at once, and are evaluated one after another."""
    return max(1, min(MOST_LANES, int((room - evaluation_bytes) // max(1, step_bytes))))


def draws(model: nn.Module, images: Tensor) -> bool:
    """Whether the network, as it is in training, draws from torch's global generators: as dropout does.

    Side by side its lanes would draw one after the other, and a lane's numbers depend on the others.
    """

    def states() -> list[Tensor]:
        cpu = torch.get_rng_state()
        return [cpu, torch.cuda.get_rng_state(images.device)] if images.is_cuda else [cpu]

    with forked(), torch.no_grad():
        before = states()
        model.train()(images)
        return any(not torch.equal(a, b) for a, b in zip(before, states(), strict=True))
