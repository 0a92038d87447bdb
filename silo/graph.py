"""Lanes side by side on one GPU: the steps of all on a batch are one CUDA graph, each lane's on a stream of its own.

A small network's step is some 250 kernels, each of which takes the host longer to launch than the device to run. A graph is
launched at once, and its streams let the lanes' kernels share the device. Each lane keeps its ordinary model and kernels, so
that its numbers depend on no other lane.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from typing import Protocol, Self

import torch
from torch import Tensor, nn

from silo.data.split import Split
from silo.evaluation import accuracy
from silo.lane import EagerStepper, Lane, Start, Stepper
from silo.precision import reproducible
from silo.randomness import Purpose, forked, generator
from silo.recipe import Recipe

MOST_LANES = 16
USABLE = 0.85  # of the memory: the allocator rounds up, libraries need some of their own
WARM_UPS = 3  # steps before a capture: libraries choose kernels and allocate in the first

Step = Callable[[], None]


class Recorder(Protocol):
    """Records steps that do the same whenever they are run, so that they can be run again all at once."""

    def __call__(self, steps: Sequence[Step]) -> Step:
        """What runs all these steps, again and again. The call itself may run them any number of times."""
        ...


class CudaGraphs:
    """Records steps as one CUDA graph, each on a stream of its own."""

    def __init__(self) -> None:
        # taken at once, since torch gives them in turn out of 32: these are distinct; more lanes than streams share them
        self._main, *self._streams = (torch.cuda.Stream() for _ in range(1 + MOST_LANES))
        self._pool: tuple[int, int] | None = None

    def __call__(self, steps: Sequence[Step]) -> Step:
        """Capture the steps; returns the graph's replay."""
        for _ in range(WARM_UPS):
            self._fork(steps)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        # the loader threads of images that stream may go on meanwhile
        with torch.cuda.graph(graph, pool=self._pool, stream=self._main, capture_error_mode="thread_local"):
            self._fork(steps)
        self._pool = graph.pool()  # graphs run one after another, so that they can share their memory
        return graph.replay

    def _fork(self, steps: Sequence[Step]) -> None:
        main, streams = torch.cuda.current_stream(), list(islice(cycle(self._streams), len(steps)))
        for stream in streams:  # all first: only a stream that was forked can be joined
            stream.wait_stream(main)
        try:
            for step, stream in zip(steps, streams, strict=True):
                with torch.cuda.stream(stream):
                    step()
        finally:  # after an error, too: a capture that ends with a stream unjoined raises another one
            for stream in streams:
                main.wait_stream(stream)


class GraphStepper:
    """Steps of several lanes as one graph, recorded once for every number of lanes and batch size that comes.

    Lanes and graphs stay for the next trainings of the same kind of network, which are copied into them. A network must be all
    in its parameters and buffers: what its Python code does beside is done once, as it is recorded.

    Args:
        at_once: How many lanes step side by side, at most; at least 1.
        recorder: Makes what records steps; called once for each kind of network.
    """

    def __init__(self, at_once: int, recorder: Callable[[], Recorder] = CudaGraphs) -> None:
        self.at_once = at_once
        self._new_recorder = recorder
        self._kind: tuple | None = None

    def anew(self, at_once: int) -> Self:
        """A stepper of this kind for another number of lanes, with nothing recorded yet."""
        return type(self)(at_once, self._new_recorder)

    def lanes(self, starts: Sequence[Start], recipe: Recipe, device: torch.device) -> list[Lane]:
        """The kept lanes with the networks, masks and rates of these starts copied into them.

        Raises:
            ValueError: For more starts than ``at_once``.
        """
        if len(starts) > self.at_once:
            raise ValueError(f"starts must be at most {self.at_once}, got {len(starts)}")
        kind = _kind(starts[0], recipe, device)
        if kind != self._kind:
            # the former ones go first: their memory is needed
            self._lanes, self._graphs = [], {}
            self._kind, self._record = kind, self._new_recorder()
            # SGD's fused step on a GPU takes single precision alone
            self._rates = torch.zeros(self.at_once, dtype=torch.float32 if device.type == "cuda" else torch.float64)
            self._rates = self._rates.to(device)
        for lane, start in zip(self._lanes, starts, strict=False):
            lane.load(start)
        for start in starts[len(self._lanes) :]:
            self._lanes.append(Lane(start, recipe, device, rate=self._rates[len(self._lanes)]))
            self._lanes[-1].hold_momentum()
        lanes = self._lanes[: len(starts)]
        self._max_lrs = torch.tensor([lane.max_lr for lane in lanes], dtype=torch.float64, device=device)
        return lanes

    def step(self, lanes: Sequence[Lane], images: Tensor, labels: Tensor, factor: float) -> None:
        """Do one iteration of each lane, at ``factor`` times its max_lr."""
        self._rates[: len(lanes)] = self._max_lrs * factor
        sizes = len(lanes), len(labels)
        if sizes not in self._graphs:
            self._graphs[sizes] = self._recorded(lanes, images, labels)
        own_images, own_labels, replay = self._graphs[sizes]
        own_images.copy_(images)
        own_labels.copy_(labels)
        replay()

    def _recorded(self, lanes: Sequence[Lane], images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Step]:
        """(Images, labels) to copy a batch of this size to, and what then takes the steps; the lanes are as they were."""
        own = images.clone(), labels.clone()
        before = [[tensor.clone() for tensor in lane.tensors()] for lane in lanes]
        for lane in lanes:
            lane.optimizer.zero_grad(set_to_none=True)  # the recorded gradients have a place of their own
        replay = self._record([partial(_step, lane, *own) for lane in lanes])
        for lane, tensors in zip(lanes, before, strict=True):
            lane.restore(tensors)
        return *own, replay

    def __str__(self) -> str:
        return f"a CUDA graph of up to {self.at_once} lanes"


def _step(lane: Lane, images: Tensor, labels: Tensor) -> None:
    lane.loss += lane.step(images, labels) * len(labels)


def _kind(start: Start, recipe: Recipe, device: torch.device) -> tuple:
    """Everything that a recorded step has fixed, but for the number of lanes and the batch size."""
    tensors = {**dict(start.model.named_parameters()), **dict(start.model.named_buffers())}
    shapes = tuple((name, tensor.dtype, tensor.shape) for name, tensor in tensors.items())
    constants = recipe.momentum, recipe.weight_decay, recipe.precision
    return str(start.model), shapes, tuple(start.mask.layers), constants, device


def stepper_on(start: Start, data: Split, recipe: Recipe, at_once: int | None, share: float) -> Stepper:
    """The stepper for this network's trainings on the GPU that the data is on, which the start is moved to and tried on.

    Args:
        start: A network as trainings start with it; it is spent.
        data: The split, on a GPU.
        recipe: How the network is trained.
        at_once: How many lanes step side by side, at most; None for as many as the memory holds, up to 16.
        share: The share of the GPU's memory to use for that, in (0, 1].

    Returns:
        A GraphStepper, or an EagerStepper that says why where the network's steps can't be captured: one lane at a time.
    """
    device = data.mean.device
    with reproducible(recipe.precision), data.augmented(recipe.augment) as augmented:
        batches = augmented.train.batches(recipe.batch_size, random=generator(0, Purpose.TRIAL))
        pixels, labels = next(iter(batches))
        images = data.normalized(pixels)
        held = torch.cuda.memory_allocated(device)
        lane = Lane(start, recipe, device)
        if draws(lane.model, images):
            return EagerStepper(because="the network draws random numbers in training")
        lane.hold_momentum()
        try:
            for _ in range(WARM_UPS):
                _step_without_waiting(lane, images, labels)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError | torch.AcceleratorError):
                raise
            return EagerStepper(because="the network's step waits for the device")
        if at_once is not None:
            return GraphStepper(at_once)
        torch.cuda.reset_peak_memory_stats(device)
        _step_without_waiting(lane, images, labels)
        step_bytes = torch.cuda.max_memory_allocated(device) - held
        # while a step is recorded: what it was before, and the gradients of the warm-up
        step_bytes += sum(tensor.nbytes for tensor in [*lane.tensors(), *lane.model.parameters()])
        torch.cuda.reset_peak_memory_stats(device)
        accuracy(lane.model, max(data.validation, data.test, key=len), data, precision=recipe.precision)
        evaluation_bytes = torch.cuda.max_memory_allocated(device) - held
        free, total = torch.cuda.mem_get_info(device)
        room = (min(free + torch.cuda.memory_reserved(device), share * total) - held) * USABLE
        return GraphStepper(lanes_in(room, step_bytes, evaluation_bytes))


def lanes_in(room: float, step_bytes: int, evaluation_bytes: int) -> int:
    """How many lanes fit into ``room`` bytes, from 1 to 16: they step all at once, and are evaluated one after another."""
    return max(1, min(MOST_LANES, int((room - evaluation_bytes) // step_bytes)))


def _step_without_waiting(lane: Lane, images: Tensor, labels: Tensor) -> None:
    """Do one step; raises RuntimeError where it makes the host wait for the device, which a capture forbids."""
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        lane.step(images, labels)
    finally:
        torch.cuda.set_sync_debug_mode(before)


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
