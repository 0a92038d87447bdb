"""What a study takes of a disk and of a GPU's memory, by sizes that are known before anything is trained."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from oracle.experiment.spec import Experiment
from oracle.study.cell import DENSE, Cell
from oracle.study.data import image_shape, network
from oracle.study.environment import current_environment
from oracle.study.record import Layer, Record
from oracle.study.study import Study
from silo.data import FACTS
from silo.evaluation import batch_size
from silo.mask import Mask
from silo.memory import TrainingMemory, training_memory
from silo.outcome import Epoch, Outcome
from silo.restart import Restart, Weights
from silo.sample_shape import Size, sample_shape
from silo.stepping import USABLE, lanes_in

BLOCK = 4096  # bytes that a file takes at least
ATTEMPT = 300  # bytes of the log of attempts for a training: that it started and was recorded
CUDA, CPU = torch.device("cuda"), torch.device("cpu")
CONTEXT = 5 * 10**8  # bytes that CUDA and its libraries take in every process, about


@dataclass(frozen=True)
class FileSizes:
    """Bytes of what trainings leave in the run folder.

    Attributes:
        record: A record with its curve, and what the log says of it.
        checkpoint: Of a training under way.
        states: Of a state that a next cycle starts from, by the training's digest.
    """

    record: int
    checkpoint: int
    states: Mapping[str, int]


@dataclass(frozen=True)
class GpuMemory:
    """Bytes on a GPU, by the tensors' sizes.

    Attributes:
        training: What each lane takes.
        beside: What a worker takes beside its lanes: images, an evaluation, CUDA itself.
    """

    training: TrainingMemory
    beside: int

    def worker(self, lanes: int) -> int:
        """Of a worker with so many trainings side by side."""
        return lanes * self.training.total + self.beside

    def lanes(self, available: float) -> int:
        """How many trainings side by side a worker of so many bytes takes, by the rule that it goes by itself."""
        return lanes_in(available * USABLE, self.training.total, self.beside)


def file_sizes(study: Study) -> FileSizes | None:
    """Return the sizes of a study's files; None where the size of its images isn't known."""
    experiment, shape = study.experiment, image_shape(study.experiment, study.dataset)
    if shape is None:
        return None
    model = _on_meta(experiment, shape)
    weights, digest = model.state_dict(), study.data.digest
    mask = Mask.dense(experiment.pruning.prunable(model))
    steps = experiment.recipe.steps_per_epoch(study.data.training_images)
    restarts = {one.training_digest(digest): one.prune.restart.make() for one in experiment.variants}
    kept = {training: _carried(restart, weights, steps) for training, restart in restarts.items()}
    remembers = any(restart.remember_at(0, steps) is not None for restart in restarts.values())
    return FileSizes(
        record=_blocks(len(json.dumps(_pretended(experiment, mask).to_json()))) + ATTEMPT,
        checkpoint=_blocks(_bytes(weights) * (1 + experiment.recipe.optimizer.copies + (1 if remembers else 0))),
        states={training: _blocks(math.ceil(mask.total / 8) + size) for training, size in kept.items()},
    )


def gpu_memory(study: Study) -> GpuMemory | None:
    """Return what trainings take of a GPU; None where it can't be known without one."""
    experiment, shape = study.experiment, image_shape(study.experiment, study.dataset)
    if shape is None:
        return None
    model = _on_meta(experiment, shape)
    try:
        training = training_memory(model, shape, experiment.train.batch_size, experiment.recipe.optimizer)
    except Exception:  # the user's own network, which may look at numbers, or call for a GPU; a try on one tells
        return None
    channels, size, _ = shape
    if study.dataset is not None:
        images = study.dataset.bytes_in_memory
    else:
        streams = FACTS[experiment.data.source].size is None
        images = 0 if streams else study.data.images * math.prod(sample_shape(channels, size))
    # an activation, the one that it is made of, and a copy
    evaluation = 3 * training.image * min(batch_size(channels, size, CUDA), study.data.images)
    return GpuMemory(training, images + evaluation + CONTEXT)


def _on_meta(experiment: Experiment, shape: tuple[int, Size, int]) -> nn.Module:
    with torch.device("meta"):
        return network(experiment, *shape)


def _carried(restart: Restart, weights: Weights, steps_per_epoch: int) -> int:
    """Bytes of the weights that a cycle's end leaves for the next one."""
    remembered = weights if restart.remember_at(0, steps_per_epoch) is not None else None
    try:
        return _bytes(restart.carry(None, remembered, weights) or {})
    except Exception:  # the user's own restart, which may look at numbers; it carries no more than all weights
        return _bytes(weights)


def _pretended(experiment: Experiment, mask: Mask) -> Record:
    """A record as long as those of the study's trainings, with numbers of as many digits."""
    cell = Cell("0" * 20, max(experiment.oracle.seeds), experiment.prune.cycles - 1, 1 / 3, DENSE)
    epoch, percent = Epoch(1 / 3, 100 / 3, None), 100 / 3
    curve = tuple(replace(epoch, test=percent if n % 2 else None) for n in range(experiment.train.epochs))
    outcome = Outcome(False, len(curve), percent, percent, percent, percent, 10**4, curve)
    layers = tuple(Layer(name, layer.numel(), layer.numel()) for name, layer in mask.layers.items())
    here, flops = current_environment(CPU), 10**9
    return Record("0" * 20, cell, outcome, mask.total, mask.total, layers, "0" * 20, here, "eager", 1.0, flops)


def _bytes(tensors: Weights) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def _blocks(size: int) -> int:
    return math.ceil(size / BLOCK) * BLOCK
