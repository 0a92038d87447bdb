"""Lanes side by side on one GPU: the steps of all on a batch are one CUDA graph, each lane's on a stream of its own.

A small network's step is some 250 kernels, each of which takes the host longer to launch than the device to run. A graph is
launched at once, and its streams let the lanes' kernels share the device. Each lane keeps its ordinary model and kernels, so
that its numbers depend on no other lane.
"""

import gc
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from typing import Protocol, Self

import torch
from torch import Tensor

from silo.data.split import Split
from silo.evaluation import evaluate_blank
from silo.lane import Lane, Start
from silo.precision import layout
from silo.recipe import Recipe

MOST_LANES = 16
WARM_UPS = 3  # steps before a capture: libraries choose kernels and allocate in the first

Step = Callable[[], None]


class CaptureError(RuntimeError):
    """Why steps can't be captured, on a device that goes on working: they can be done eager."""


class Recorder(Protocol):
    """Records steps that do the same whenever they are run, so that they can be run again all at once."""

    def __call__(self, steps: Sequence[Step]) -> Step:
        """What runs all these steps, again and again. The call itself may run them any number of times.

        Raises:
            CaptureError: Where they can't be recorded.
            torch.OutOfMemoryError: Where there is no room for it.
        """
        ...


class CudaGraphs:
    """Records steps as one CUDA graph, each on a stream of its own. All graphs of one recorder share their memory."""

    def __init__(self) -> None:
        # taken at once, since torch gives them in turn out of 32: these are distinct; more lanes than streams share them
        self._main, *self._streams = (torch.cuda.Stream() for _ in range(1 + MOST_LANES))
        self._pool: tuple[int, int] | None = None

    def __call__(self, steps: Sequence[Step]) -> Step:
        """Capture the steps; returns the graph's replay.

        Raises:
            CaptureError: Where they can't be captured, and the device goes on working.
            torch.OutOfMemoryError: Where the memory doesn't hold their graph.
            torch.AcceleratorError: Where the device is lost.
        """
        try:
            self._warm_up(steps)
            return self._capture(steps)
        except Exception as error:
            _renew_generator()
            # a capture that ends after an error in it raises another one, with the first as its context
            if (full := _cause(error, torch.OutOfMemoryError)) is not None:
                raise torch.OutOfMemoryError(str(full)) from error
            if not answers():
                raise
            raise CaptureError(_text(error)) from error

    def _warm_up(self, steps: Sequence[Step]) -> None:
        """Do each step by itself on the stream that it is captured on, where libraries get what they need of their own.

        One after another: what a step caches on its stream no other stream can use, so that lanes that warm up side by side
        would take the memory of all their graphs a second time.
        """
        gc.collect()  # an error's traceback, in a cycle with it, may hold the graphs that were too large
        for step, stream in zip(steps, self._streams_of(steps), strict=True):
            for _ in range(WARM_UPS):
                self._fork([step], [stream])
            torch.cuda.synchronize()
            torch.cuda.empty_cache()

    def _capture(self, steps: Sequence[Step]) -> Step:
        graph = torch.cuda.CUDAGraph()
        # the outer block: torch 2.11 leaves the capture's stream the current one where the capture fails at its end.
        # thread_local: the loader threads of images that stream may go on meanwhile
        with (
            torch.cuda.stream(torch.cuda.current_stream()),
            torch.cuda.graph(graph, pool=self._pool, stream=self._main, capture_error_mode="thread_local"),
        ):
            self._fork(steps, self._streams_of(steps))
        self._pool = graph.pool()  # graphs run one after another, so that they can share their memory
        return graph.replay

    def _streams_of(self, steps: Sequence[Step]) -> list[torch.cuda.Stream]:
        """The stream of each step, always the same: memory that was freed on one stream no other stream reuses."""
        return list(islice(cycle(self._streams), len(steps)))

    def _fork(self, steps: Sequence[Step], streams: Sequence[torch.cuda.Stream]) -> None:
        main = torch.cuda.current_stream()
        for stream in streams:  # all first: only a stream that was forked can be joined
            stream.wait_stream(main)
        try:
            for step, stream in zip(steps, streams, strict=True):
                with torch.cuda.stream(stream):
                    step()
        finally:  # after an error, too: a capture that ends with a stream unjoined raises another one
            for stream in streams:
                main.wait_stream(stream)


def _renew_generator() -> None:
    """Give torch's global generator on the device another state with the same numbers to come.

    One that was there in a capture that failed goes on as if it were in it: whatever draws from it then raises.
    """
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    generator.graphsafe_set_state(generator.clone_state())


def answers() -> bool:
    """Whether the current CUDA device goes on working: one that is lost raises at every call, whatever was the cause."""
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return False
    return True


def _cause(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    """The first error of this kind among an error and those that it was raised in the handling of; None where there is none."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _text(error: BaseException) -> str:
    """The error that began it, in one line: its type and the first line of its message."""
    while (earlier := error.__cause__ or error.__context__) is not None:
        error = earlier
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


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
            # a fused step on a GPU takes single precision alone
            self._rates = torch.zeros(self.at_once, dtype=torch.float32 if device.type == "cuda" else torch.float64)
            self._rates = self._rates.to(device)
        for lane, start in zip(self._lanes, starts, strict=False):
            lane.load(start)
        for start in starts[len(self._lanes) :]:
            self._lanes.append(Lane(start, recipe, device, rate=self._rates[len(self._lanes)]))
            self._lanes[-1].hold_buffers()
        return self._lanes[: len(starts)]

    def prepare(self, lanes: Sequence[Lane], data: Split, recipe: Recipe) -> None:
        """Record what is yet to be recorded for the training's batches, and evaluate once.

        All memory that the training needs is taken before its first step: where that is short, no epoch is lost.

        Raises:
            CaptureError: Where the steps can't be recorded.
            torch.OutOfMemoryError: Where the memory holds fewer lanes.
        """
        sizes = [size for size in recipe.batch_sizes(len(data.train)) if (len(lanes), size) not in self._graphs]
        if not sizes:
            return
        self._rates.zero_()
        for size in sizes:
            blank = data.blank(size, layout(data.mean.device, recipe.precision))
            labels = torch.zeros(size, dtype=torch.int64, device=data.mean.device)
            self._graphs[len(lanes), size] = self._recorded(lanes, blank, labels)
        evaluate_blank(lanes[0].model, data, recipe.precision)

    def table(self, rates: Sequence[Sequence[float]]) -> Tensor:
        """The rates on the device, all at once: a number that comes from the host waits for it at every step."""
        return torch.tensor(rates, dtype=torch.float64).to(self._rates.device)

    def step(self, lanes: Sequence[Lane], images: Tensor, labels: Tensor, rates: Tensor) -> None:
        """Do one iteration of each lane, at the rates of a row of the table."""
        self._rates[: len(lanes)] = rates
        own_images, own_labels, replay = self._graphs[len(lanes), len(labels)]
        own_images.copy_(images)
        own_labels.copy_(labels)
        replay()

    def _recorded(self, lanes: Sequence[Lane], images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Step]:
        """(Images, labels) to copy a batch of this size to, and what then takes the steps; the lanes are as they were."""
        with torch.no_grad():  # a copy that remembers its weight would bind the weight's gradient to this stream
            before = [[tensor.clone() for tensor in lane.tensors()] for lane in lanes]
        for lane in lanes:
            lane.model.train()  # an evaluation left it otherwise, and what is recorded stays what it was
            lane.optimizer.zero_grad(set_to_none=True)  # the recorded gradients have a place of their own
        replay = self._record([partial(_step, lane, images, labels) for lane in lanes])
        for lane, tensors in zip(lanes, before, strict=True):
            lane.restore(tensors)
        return images, labels, replay

    def __str__(self) -> str:
        return f"a CUDA graph of up to {self.at_once} lanes"


def _step(lane: Lane, images: Tensor, labels: Tensor) -> None:
    lane.loss += lane.step(images, labels) * len(labels)


def _kind(start: Start, recipe: Recipe, device: torch.device) -> tuple:
    """Everything that a recorded step has fixed, but for the number of lanes and the batch size."""
    tensors = {**dict(start.model.named_parameters()), **dict(start.model.named_buffers())}
    shapes = tuple((name, tensor.dtype, tensor.shape) for name, tensor in tensors.items())
    constants = recipe.momentum, recipe.weight_decay, recipe.precision
    constants += recipe.optimizer, recipe.label_smoothing, recipe.clip_norm
    return str(start.model), shapes, tuple(start.mask.layers), constants, device
