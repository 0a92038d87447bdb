"""On a GPU: the released way against ours, a lane-step, with ever more lanes; and how far the fastest is from what the device
could do.

ResNet-20 on images of 32x32, cropped and flipped, in batches of 64. The released way is one process that loads by PIL. Ours is
one process, eager with one lane, and then with 1, 2, 4, 8 and 16 lanes as one CUDA graph, in fp32 without TF32. A lane-step is
one iteration of one network; a pass over the training images is on the clock, with the last batch short, its graphs captured
before. The floors are of a step's arithmetic, at the rate of a large product in fp32, and of its bytes, at the rate of a large
copy: what autograd saves is written once and read once, and weights, gradients and momentum are read and written once.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed.images import cifar10, for_steps
from benchmarks.speed.measure import Row, seconds
from benchmarks.speed.released_loop import ReleasedTraining
from benchmarks.speed.task import BATCH, Task, recipe_of, start_of
from silo.data.augment import Augment
from silo.data.split import Split
from silo.engine import train_lanes
from silo.graph import GraphStepper
from silo.lane import EAGER, Start, Stepper
from silo.precision import layout, reproducible

TITLE = "On a GPU, ours / the released way: rate of lane-steps"
IMAGES, PAIRS = 4_000, 7  # 2,400 of them train: 38 batches a pass
LANES = (1, 2, 4, 8, 16)
GOAL = 10.0  # times the released way


def measure(path: Path | None, images: int = IMAGES, pairs: int = PAIRS, lanes: Sequence[int] = LANES) -> list[Row]:
    """A row for eager, one for every number of lanes, and one for each floor, on CIFAR-10's images in a folder (None: made up).

    Raises DataError where they aren't there.
    """
    device = torch.device("cuda")
    ways: list[tuple[str, Stepper, int]] = [("eager, 1 lane", EAGER, 1)]
    ways += [(f"a graph of {count} {'lane' if count == 1 else 'lanes'}", GraphStepper(count), count) for count in lanes]
    rows = rates(task_of(path, images), ways, pairs, device)
    fastest = max(rows, key=lambda row: row.ours)
    for name, floor in floors(task_of(path, images), device).items():
        us = [(1e6 / fastest.ours, 1e6 * floor)] * pairs
        rows.append(Row.of("gpu", f"{fastest.what} / the floor by {name}", "us a lane-step", us))
    return rows


def task_of(path: Path | None, images: int) -> Task:
    """One pass of ResNet-20 over the training images, with a single one to evaluate on."""
    return Task("resnet20", for_steps(cifar10(path, images)), augment=Augment(crop=4, flip=True))


def rates(task: Task, ways: Sequence[tuple[str, Stepper, int]], pairs: int, device: torch.device) -> list[Row]:
    """A row for each way (its name, how it steps, its lanes) beside the released one: all in turns, a first one not counted."""
    data, steps = task.data.to(device), -(-len(task.data.train) // BATCH)
    released = ReleasedTraining(task.start()[0].to(device), task.data)
    passes = {name: partial(_pass, task, data, stepper, lanes) for name, stepper, lanes in ways}
    rounds = [(seconds(released.steps), {name: seconds(one) for name, one in passes.items()}) for _ in range(pairs + 1)]
    rows = []
    for name, _, lanes in ways:
        rated = [(lanes * steps / ours[name], steps / theirs) for theirs, ours in rounds[1:]]
        goal = f">= {GOAL:g}" if lanes == max(count for *_, count in ways) else ""
        rows.append(Row.of("gpu", name, "lane-steps/s", rated, goal))
    return rows


def _pass(task: Task, data: Split, stepper: Stepper, lanes: int) -> None:
    train_lanes(_starts(task, lanes), data, recipe_of(task), seed=0, cycle=0, stepper=stepper)


@cache
def _starts(task: Task, lanes: int) -> list[Start]:
    return [start_of(task) for _ in range(lanes)]


def floors(task: Task, device: torch.device) -> dict[str, float]:
    """The least seconds that a step can take, by arithmetic and by bytes."""
    flops, moved = cost(task, device)
    a, b = torch.randn(2, 8192, 8192, device=device)
    big = torch.randn(2**28, device=device)
    copy = torch.empty_like(big)
    with reproducible():
        product = _fastest(lambda: a @ b) / (2 * 8192**3)
    copied = _fastest(lambda: copy.copy_(big)) / (2 * big.nbytes)
    return {"arithmetic": flops * product, "bytes": moved * copied}


def cost(task: Task, device: torch.device) -> tuple[int, int]:
    """The least floating-point operations and bytes of a step."""
    start, saved = start_of(task), {}
    model = start.model.to(device, memory_format=layout(device, "fp32")).train()
    pixels, labels = task.data.train.pixels[:BATCH].to(device), task.data.train.labels[:BATCH].to(device)

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        functional.cross_entropy(model(task.data.to(device).normalized(pixels)), labels).backward()
    weights = sum(p.nbytes for p in model.parameters())
    return counter.get_total_flops(), 2 * sum(saved.values()) + 6 * weights


def _fastest(do: Callable[[], object]) -> float:
    def done() -> None:
        do()
        torch.cuda.synchronize()

    return min(seconds(done) for _ in range(20))
