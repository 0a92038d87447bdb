"""From an experiment to silo's objects: the data set, and the problem that a worker trains on."""

from functools import lru_cache

import torch
from torch import nn

from oracle.error import FieldError
from oracle.experiment.import_path import target_of
from oracle.experiment.spec import Experiment
from silo.cycle import Problem
from silo.data.error import DataError
from silo.data.images import Dataset, Images
from silo.data.split import Split, limited, split
from silo.model.initialization import INITIALIZATIONS

SPLITS_KEPT = 2**28  # bytes: a split is a copy of the images, and every worker has its own


def load_dataset(experiment: Experiment) -> Dataset:
    """The experiment's data, cut to its limit.

    Raises FieldError where the data is missing or damaged.
    """
    limit = experiment.data.limit
    try:
        return limited(_whole(experiment.data.make()), limit.train, limit.test)
    except DataError as error:
        raise FieldError(f"data.{error}") from error
    except ValueError as error:  # of an imported source
        raise FieldError(f"data: {error}") from error


def _whole(dataset: Dataset) -> Dataset:
    """The data set, its tensors looked at: an imported source may give any. Raises DataError."""
    for name, part in (("train", dataset.train), ("test", dataset.test)):
        if isinstance(part, Images):
            pixels, labels = part.pixels, part.labels
            if pixels.dtype != torch.uint8 or pixels.dim() != 4 or pixels.shape[2] != pixels.shape[3]:
                given = f"{pixels.dtype} of {tuple(pixels.shape)}"
                raise DataError(f"source: {name} pixels: {given}: torch.uint8 of (n, channels, size, size) is allowed")
            if labels.dtype != torch.int64 or labels.shape != (len(pixels),):
                given = f"{labels.dtype} of {tuple(labels.shape)}"
                raise DataError(f"source: {name} labels: {given}: torch.int64 of ({len(pixels)},) is allowed")
            if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(dataset.classes):
                given = f"{int(labels.min())} to {int(labels.max())}"
                raise DataError(f"source: {name} labels: {given}: 0 to {len(dataset.classes) - 1} are allowed")
    return dataset


def _pixels(dataset: Dataset) -> int:
    parts = (dataset.train, dataset.test)
    return sum(part.pixels.nbytes for part in parts if isinstance(part, Images))


def device(experiment: Experiment) -> torch.device:
    """CUDA where the experiment gives its trainings GPUs; raises FieldError where there is none."""
    gpus = experiment.compute.gpus_per_trial
    if gpus > 0 and not torch.cuda.is_available():
        raise FieldError(f"compute.gpus_per_trial must be 0 where no CUDA GPU is visible, got {gpus:g}")
    return torch.device("cuda" if gpus > 0 else "cpu")


def network(experiment: Experiment, channels: int, size: int, classes: int) -> nn.Module:
    """The experiment's network for images of channels x size x size, as its constructor draws it.

    Raises FieldError where it doesn't take such images.
    """
    try:
        return experiment.model.make(channels, size, classes)
    except ValueError as error:
        raise FieldError(f"model: {experiment.model.name} for this data: {error}") from error


def problems(experiment: Experiment, dataset: Dataset, data_digest: str, on: torch.device) -> dict[str, Problem]:
    """What a worker trains on, by the digest of its training: the study's own and every baseline's.

    The splits of the last few seeds stay on the device, as far as they are small.
    """

    def build() -> nn.Module:
        model = network(experiment, dataset.channels, dataset.size, len(dataset.classes))
        target_of(INITIALIZATIONS, experiment.model.init)(model)
        return model

    @lru_cache(maxsize=max(1, min(4, SPLITS_KEPT // (_pixels(dataset) + 1))))
    def data(seed: int) -> Split:
        return split_of(experiment, dataset, seed).to(on)

    return {
        one.training_digest(data_digest): Problem(build, data, one.recipe, one.pruning, one.prune.restart.make())
        for one in (experiment, *map(experiment.under, experiment.baselines))
    }


def split_of(experiment: Experiment, dataset: Dataset, seed: int) -> Split:
    """The split of one seed; raises FieldError where the data can't be split, normalized or augmented as asked."""
    try:
        dataset.train.check(experiment.recipe.augment)
        return split(dataset, experiment.data.split.make(), experiment.data.normalize.make(), seed)
    except DataError as error:
        raise FieldError(f"data.{error}") from error
