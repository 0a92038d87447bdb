"""The data of an experiment: loaded and looked at, described, split for a seed; and the network for such images."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from oracle.error import FieldError
from oracle.experiment.message import InnerFieldError, inner_error
from oracle.experiment.spec import Experiment
from oracle.study.data_check import checked
from oracle.study.data_info import NOT_LOADED, DataInfo, location_of
from silo.data import FACTS
from silo.data.decode import check_size
from silo.data.error import DataError
from silo.data.images import Dataset, Images
from silo.data.part import Part
from silo.data.split import Split, limited, split, split_sizes
from silo.sample_shape import Size


def load_dataset(experiment: Experiment) -> Dataset:
    """Return the experiment's data, cut to its limit.

    Raises:
        FieldError: where the data is missing or damaged.
    """
    limit = experiment.data.limit
    try:
        return limited(checked(experiment.data.make()), limit.train, limit.test)
    except DataError as error:
        raise FieldError(f"data.{error}") from error
    except ValueError as error:  # an imported source may raise any
        inner = error if isinstance(error, InnerFieldError) else inner_error(error, experiment.data.options)
        raise FieldError(f"data.{inner}" if inner else f"data: {error}") from error
    except OSError as error:  # of a folder that may not be read, a name too long
        raise FieldError(f"data must be readable, got {error.filename!r} ({error.strerror})") from error
    except RuntimeError as error:  # pathlib's, of ~ where there is no home folder
        raise FieldError(f"data must be readable, got an error: {error}") from error


def network(experiment: Experiment, channels: int, size: Size, classes: int) -> nn.Module:
    """Return the experiment's network for samples of so many channels and this size, as its constructor draws it.

    Raises:
        FieldError: where it doesn't take such samples.
    """
    try:
        return experiment.model.make(channels, size, classes)
    except ValueError as error:
        raise FieldError(f"model must fit this data, got {experiment.model.name}: {error}") from error


def split_of(experiment: Experiment, dataset: Dataset, seed: int) -> Split:
    """Return the split of one seed.

    Raises:
        FieldError: where the data can't be split, normalized or augmented as the experiment says.
    """
    try:
        dataset.train.check(experiment.recipe.augment)
        return split(dataset, experiment.data.split.make(), experiment.data.normalize.make(), seed)
    except DataError as error:
        raise FieldError(f"data.{error}") from error


def image_shape(experiment: Experiment, dataset: Dataset | None) -> tuple[int, Size, int] | None:
    """Return the samples' channels and size, and how many classes; None where the data is neither loaded nor known."""
    if dataset is not None:
        return dataset.channels, dataset.size, len(dataset.classes)
    if experiment.data.source not in FACTS:
        return None
    facts = FACTS[experiment.data.source]
    return facts.channels, facts.size or experiment.data.size, facts.classes


def describe_data(experiment: Experiment, dataset: Dataset) -> DataInfo:
    """Describe data that is loaded.

    Raises:
        FieldError: where it doesn't fit the network or the split.
    """
    _check_network(experiment, *image_shape(experiment, dataset))
    one_split = split_of(experiment, dataset, experiment.oracle.seeds[0])
    if dataset.chance == 100:
        (label,) = one_split.train.labels.unique().tolist()
        raise FieldError(f"data must hold images of at least two classes, got only {dataset.classes[label]!r}")
    return DataInfo(
        digest=dataset.digest(),
        location=location_of(experiment),
        chance=dataset.chance,
        classes=len(dataset.classes),
        images=sum(count or 0 for count in dataset.sizes),
        training_images=len(one_split.train),
        validation_images=len(one_split.validation),
        test_images=len(one_split.test),
    )


def known_data(experiment: Experiment) -> DataInfo | None:
    """Describe a well-known data set without a look at it; None where its source is of no fixed size.

    Raises:
        FieldError: where it doesn't fit the network or the split.
    """
    if experiment.data.source not in FACTS:
        return None
    facts, limit = FACTS[experiment.data.source], experiment.data.limit
    if facts.size is None:
        try:
            check_size(experiment.data.size)
        except DataError as error:
            raise FieldError(f"data.{error}") from error
    _check_network(experiment, *image_shape(experiment, None))
    train = min(facts.train, limit.train or facts.train)
    test = facts.test and min(facts.test, limit.test or facts.test)
    try:
        _check_augment(experiment, train)
        of_train, of_validation, of_test = split_sizes(experiment.data.split.make(), train, test)
    except DataError as error:
        raise FieldError(f"data.{error}") from error
    return DataInfo(
        digest=NOT_LOADED,
        location=location_of(experiment),
        chance=100 / facts.classes,
        classes=facts.classes,
        images=train + (test or 0),
        training_images=of_train,
        validation_images=of_validation,
        test_images=of_test,
    )


def _check_augment(experiment: Experiment, count: int) -> None:
    """Check that so many images of a known source can be augmented as requested; raises DataError."""
    if FACTS[experiment.data.source].size is None:  # they stream
        from silo.data.streamed import Loader, Streamed

        none = np.empty(0)
        part: Part = Streamed(Loader(Path(), experiment.data.size, 0), none, none, torch.empty(0))
    else:
        channels, size, _ = image_shape(experiment, None)
        without_numbers = torch.empty(count, channels, size, size, dtype=torch.uint8, device="meta")
        part = Images(without_numbers, torch.empty(count, device="meta"))
    part.check(experiment.recipe.augment)


def _check_network(experiment: Experiment, channels: int, size: Size, classes: int) -> None:
    """Build the network without weights: one that doesn't take these samples is refused before a training fails by it."""
    with torch.device("meta"):
        network(experiment, channels, size, classes)
