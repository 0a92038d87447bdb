"""The released code's way of training against ours, at ResNet-20 on images of 32x32 in batches of 64, on the same cores.

Ours is as a sweep trains: one process a core, with one thread and the workers' allocator. The released way is one process
with as many threads as torch takes by default. Network, mask and images are the same. A step is one of a pass over the training
images; an epoch is such a pass with its evaluations, of images split 60/20/20: as released the test images before it and the
whole training set after it; ours validation, and test, which is measured where validation rose. What all processes do together
is counted, from a common start to the end of the last, and making the network with it.
"""

from functools import cache, partial
from pathlib import Path

from benchmarks.speed.images import cifar10, for_steps
from benchmarks.speed.measure import PAIRS, Row, interleaved
from benchmarks.speed.process import DEFAULT, WORKER, cores, processes
from benchmarks.speed.released_loop import ReleasedTraining
from benchmarks.speed.task import BATCH, Task, train_ours
from silo.data.augment import Augment

TITLE = "Ours / the released way: rate"
IMAGES = 1600  # of which 15 batches train: a pair takes some seconds


def measure(path: Path | None, images: int = IMAGES, pairs: int = PAIRS) -> list[Row]:
    """A row for a step and one for an epoch, on CIFAR-10's images in a folder (None: made up); raises DataError."""
    steps = -(-len(epoch_of(path, images).data.train) // BATCH)
    kinds = [("a step", "steps/s", steps, ">= 1.5", _our_steps, _released_steps)]
    kinds += [("an epoch", "epochs/s", 1, ">= 2", _our_epoch, _released_epoch)]
    rows = []
    with processes(cores(), WORKER) as ours, processes(1, DEFAULT) as released:
        for what, unit, done, goal, our_work, released_work in kinds:
            seconds = interleaved(
                partial(ours.together, our_work, path, images),
                partial(released.together, released_work, path, images),
                pairs,
            )
            rates = [(done * len(ours) / a, done * len(released) / b) for a, b in seconds]
            rows.append(Row.of("released", what, unit, rates, goal))
    return rows


@cache
def epoch_of(path: Path | None, images: int) -> Task:
    """One epoch of ResNet-20 on this many images, in the released proportions."""
    return Task("resnet20", cifar10(path, images), augment=Augment(crop=4, flip=True))


@cache
def _steps_of(path: Path | None, images: int) -> Task:
    epoch = epoch_of(path, images)
    return Task(epoch.network, for_steps(epoch.data), augment=epoch.augment)


def _our_steps(path: Path | None, images: int) -> None:
    train_ours(_steps_of(path, images))


def _our_epoch(path: Path | None, images: int) -> None:
    train_ours(epoch_of(path, images))


def _released_steps(path: Path | None, images: int) -> None:
    _released(path, images).steps()


def _released_epoch(path: Path | None, images: int) -> None:
    _released(path, images).epoch()


def _released(path: Path | None, images: int) -> ReleasedTraining:
    task = epoch_of(path, images)
    model, _ = task.start()  # whose zeros are its mask
    return ReleasedTraining(model, task.data)
