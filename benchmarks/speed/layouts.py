"""On a GPU: what a lane-step takes by memory layout, batch norm's kernels, precision and hardware queues, with ever more lanes.

ResNet-20 as in the part ``gpu``. Each way is a process of its own, which ends after a while: a hang is a finding. In each the
engine trains eager and then with 1, 4, 12 and 16 lanes as one CUDA graph, and says whether the weights are bitwise those of
eager steps. The engine's own way, by silo.precision.LAYOUTS, is measured first; every other one is shown beside it.

    python -m benchmarks.speed.layouts nchw cudnn fp32 8 profile      one way alone, and its slowest kernels
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import torch
from torch.nn import functional

from benchmarks.speed.images import cifar10, for_steps
from benchmarks.speed.measure import Row, seconds
from benchmarks.speed.task import Task, recipe_of, start_of
from silo.data.augment import Augment
from silo.data.split import Split
from silo.engine import train_lanes
from silo.graph import CudaGraphs, GraphStepper, Recorder
from silo.lane import EAGER, Stepper
from silo.outcome import Trained
from silo.precision import LAYOUTS
from silo.recipe import Recipe

MEMORY_FORMATS = {"nhwc": torch.channels_last, "nchw": torch.contiguous_format}
TITLE = "On a GPU, layouts and kernels / the engine's own way: time of a lane-step"
LANES = (1, 4, 12, 16)
IMAGES = 4_000  # 2,400 of them train: 38 batches a pass
TURNS = 3  # passes that count, after one that doesn't
LIMIT = 60.0  # seconds that a way may take


@dataclass(frozen=True)
class Way:
    """One way to compute.

    Attributes:
        layout: ``nhwc`` (channels last) or ``nchw``.
        norm: Batch norm's kernels: ``cudnn``, where cuDNN has some for the layout, or ``native``, torch's own.
        precision: ``fp32``, ``tf32`` or ``bf16``.
        queues: The GPU's hardware queues, CUDA_DEVICE_MAX_CONNECTIONS, from 1 to 32; CUDA's default is 8.
    """

    layout: str
    norm: str
    precision: str
    queues: int = 8

    def __str__(self) -> str:
        queues = "" if self.queues == 8 else f", {self.queues} queues"
        return f"{self.layout}, {self.norm} batch norm, {self.precision}{queues}"


@dataclass(frozen=True)
class Found:
    """What a way was found to take.

    Attributes:
        way: The way.
        lanes: How many were side by side; 0 for eager steps of one.
        us: Microseconds a lane-step, a number for each turn.
        same: Whether all lanes' weights were finite, and bitwise those of eager steps in this way.
        gib: GiB that were taken from the device at most, by then.
        device: The device's name.
    """

    way: Way
    lanes: int
    us: tuple[float, ...]
    same: bool
    gib: float
    device: str

    @classmethod
    def of_json(cls, line: str) -> "Found":
        """What :meth:`to_json` wrote."""
        fields = json.loads(line)
        return cls(**{**fields, "way": Way(**fields["way"]), "us": tuple(fields["us"])})

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def engine_way(precision: str) -> Way:
    """The engine's own way on a GPU."""
    (layout,) = (name for name, it in MEMORY_FORMATS.items() if it is LAYOUTS["cuda", precision])
    return Way(layout, "cudnn", precision)


WAYS = [
    *(Way(layout, *how) for how in product(("cudnn", "native"), ("fp32", "tf32")) for layout in MEMORY_FORMATS),
    *(Way(layout, "cudnn", "bf16") for layout in MEMORY_FORMATS),
    Way("nhwc", "cudnn", "fp32", queues=32),
]


def measure(path: Path | None, kept: Path | None = None) -> list[Row]:
    """Measure every way that isn't known yet, and return a row for each way and number of lanes beside the engine's own.

    Args:
        path: Of no use: images are made up, since a step's time hangs on no pixel.
        kept: A file that gets what is found at once, a JSON line each; the ways that it holds of this device are known.
    """
    device = torch.cuda.get_device_name()
    found = [one for one in known_in(kept) if one.device == device] if kept else []
    ways = sorted(
        WAYS, key=lambda way: way != engine_way(way.precision)
    )  # what the others are shown beside comes first
    for way in ways:
        if not any(one.way == way for one in found):
            for one in measured_apart(way):
                found.append(one)
                if kept:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    with kept.open("a") as file:
                        file.write(one.to_json() + "\n")
    return rows_of(found)


def rows_of(found: Sequence[Found]) -> list[Row]:
    """A row for each way and number of lanes: its time beside that of the engine's own way in the same precision.

    The two are of different processes, one after the other: of a pair both have the same place in their process's turns.
    """
    by = {(one.way, one.lanes): one for one in found}
    rows = []
    for (way, lanes), one in by.items():
        own = by.get((engine_way(way.precision), lanes))
        if own is not None:
            steps = f"{lanes} lane{'s' if lanes > 1 else ''}" if lanes else "eager"
            what = f"{way}: {steps}{'' if one.same else ' (weights differ from eager)'}"
            rows.append(Row.of("layouts", what, "us a lane-step", list(zip(one.us, own.us, strict=False))))
    return rows


def measured_apart(way: Way, limit: float = LIMIT) -> Iterator[Found]:
    """What a process of its own finds of a way; what it has found counts even where it is ended, or fails, then."""
    command = [sys.executable, "-m", "benchmarks.speed.layouts", way.layout, way.norm, way.precision, str(way.queues)]
    environment = {**os.environ, "CUDA_DEVICE_MAX_CONNECTIONS": str(way.queues)}
    try:
        done = subprocess.run(command, env=environment, timeout=limit, capture_output=True, check=False)
        out, end = done.stdout, "" if done.returncode == 0 else done.stderr.decode().strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired as error:
        out, end = error.stdout or b"", f"it hangs, or is too slow: ended after {limit:g} s"
    if end:
        print(f"{way}: {end}", file=sys.stderr, flush=True)
    yield from (Found.of_json(line) for line in out.decode().splitlines() if line.startswith("{"))


def measured(
    way: Way,
    device: torch.device,
    lanes: Sequence[int] = LANES,
    images: int = IMAGES,
    recorder: Callable[[], Recorder] = CudaGraphs,
) -> Iterator[Found]:
    """What is found of a way in this process."""
    task = Task("resnet20", for_steps(cifar10(None, images)), augment=Augment(crop=4, flip=True))
    data, recipe = task.data.to(device), replace(recipe_of(task), precision=way.precision)
    reference = None
    with computed(way):
        for count in (0, *lanes):
            stepper = GraphStepper(count, recorder) if count else EAGER
            times, trained = _passes(task, data, recipe, stepper, max(1, count))
            weights = [torch.cat([w.flatten().double() for w in one.final.values()]) for one in trained]
            reference = weights[0] if reference is None else reference
            same = all(torch.equal(one, reference) and bool(one.isfinite().all()) for one in weights)
            gib = torch.cuda.max_memory_reserved() / 2**30 if device.type == "cuda" else 0.0
            lane_steps = max(1, count) * recipe.steps_per_epoch(len(data.train))
            name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
            yield Found(way, count, tuple(1e6 * time / lane_steps for time in times), same, gib, name)


def _passes(task: Task, data: Split, recipe: Recipe, stepper: Stepper, lanes: int) -> tuple[list[float], list[Trained]]:
    """Seconds of each pass but the first, and what the last one trained."""
    times, trained = [], []

    def once() -> None:
        trained[:] = train_lanes(starts, data, recipe, seed=0, cycle=0, stepper=stepper)

    for _ in range(TURNS + 1):
        starts = [start_of(task) for _ in range(lanes)]
        times.append(seconds(once))
    return times[1:], trained


@contextmanager
def computed(way: Way) -> Iterator[None]:
    """Compute so inside the block: the engine's layout is another one, and batch norm goes without cuDNN where it is native."""
    before, batch_norm = dict(LAYOUTS), functional.batch_norm

    def native(*arguments: object, **options: object) -> torch.Tensor:
        enabled = torch._C._get_cudnn_enabled()
        torch._C._set_cudnn_enabled(False)
        try:
            return batch_norm(*arguments, **options)
        finally:
            torch._C._set_cudnn_enabled(enabled)

    LAYOUTS.update(dict.fromkeys(LAYOUTS, MEMORY_FORMATS[way.layout]))
    functional.batch_norm = native if way.norm == "native" else batch_norm
    try:
        yield
    finally:
        LAYOUTS.update(before)
        functional.batch_norm = batch_norm


def slowest_kernels(way: Way, device: torch.device, lanes: int = 12) -> str:
    """A table of the kernels that take the most of a way's steps."""
    from torch.profiler import ProfilerActivity, profile

    task = Task("resnet20", for_steps(cifar10(None, 64 * 20 * 5 // 3)), augment=Augment(crop=4, flip=True))
    data, recipe, stepper = task.data.to(device), replace(recipe_of(task), precision=way.precision), GraphStepper(lanes)
    with computed(way):
        _passes(task, data, recipe, stepper, lanes)
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            train_lanes([start_of(task) for _ in range(lanes)], data, recipe, seed=0, cycle=0, stepper=stepper)
    return seen.key_averages().table(sort_by="cuda_time_total", row_limit=25, max_name_column_width=90)


def main(arguments: Sequence[str]) -> None:
    """Measure one way and print what is found; with ``profile`` after it, its slowest kernels, too."""
    layout, norm, precision, queues, *more = arguments
    way, device = Way(layout, norm, precision, int(queues)), torch.device("cuda")
    for found in measured(way, device):
        print(found.to_json(), flush=True)
    if "profile" in more:
        print(slowest_kernels(way, device), flush=True)


def known_in(file: Path) -> list[Found]:
    """What a file of JSON lines holds; nothing where there is none."""
    return [Found.of_json(line) for line in file.read_text().splitlines()] if file.exists() else []


if __name__ == "__main__":
    main(sys.argv[1:])
