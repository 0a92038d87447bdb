"""A training loop that is written by hand against the suite's engine: the same task in one process, one thread, in turns.

The hand-written loop is the fastest we could write: tensors in, whole batches augmented, channels_last, fused SGD, the mask by
one multiplication after every step. ResNet-20 trains one epoch on images of 32x32, cropped and flipped; digits-mlp's MLP
its 12 epochs on digits. A training evaluates its validation images after every epoch, and test where validation rose; a step is
one of a training that has a single image to evaluate on. Making the network is in both. Images that aren't
augmented can also be normalized ahead, as float32, which takes four times their memory: the engine does it for small ones.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.speed.images import cifar10, for_steps, of_digits
from benchmarks.speed.measure import PAIRS, Pair, Row, interleaved
from benchmarks.speed.plain_loop import train_plain
from benchmarks.speed.process import WORKER, processes
from benchmarks.speed.task import BATCH, Task, train_ours
from silo.data.augment import Augment

TITLE = "The engine / a loop written by hand: time"
IMAGES = 800
EPOCHS = 12  # digits-mlp's
MORE = 4  # times as many pairs of what takes a tenth of a second


def measure(path: Path | None, images: int = IMAGES, pairs: int = PAIRS) -> list[Row]:
    """Six rows, on CIFAR-10's images in a folder (None: made up) and on digits. Raises DataError where they aren't there."""
    resnet20 = Task("resnet20", cifar10(path, images), augment=Augment(crop=4, flip=True))
    mlp = Task("mlp", of_digits(), EPOCHS)
    rows = []
    with processes(1, WORKER) as alone:
        for name, task, ahead, repeats in (
            ("ResNet-20", resnet20, False, pairs),
            ("MLP", mlp, False, MORE * pairs),
            ("MLP, normalized ahead", mlp, True, MORE * pairs),
        ):
            steps = -(-len(task.data.train) // BATCH) * task.epochs
            steps_alone = replace(task, data=for_steps(task.data))
            for what, one, unit, count in (("a step", steps_alone, "ms", steps / 1000), ("a training", task, "s", 1)):
                (found,) = alone.together(in_turns, one, ahead, repeats)
                counted = [(ours / count, plain / count) for ours, plain in found]
                rows.append(Row.of("plain", f"{name}: {what}", unit, counted, "<= 1.05"))
    return rows


def in_turns(task: Task, ahead: bool, pairs: int) -> list[Pair]:
    """Time our training and the plain one in this process, in seconds."""
    return interleaved(partial(train_ours, task), partial(train_plain, task, ahead), pairs)
