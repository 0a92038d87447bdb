"""What a study has to know of its data: how much there is, its chance level, its digest; loaded, or known beforehand."""

from typing import Any

import torch

from oracle.error import FieldError
from oracle.experiment.spec import Experiment
from oracle.hashing import digest
from oracle.run.problem import network, split_of
from silo.data import FACTS
from silo.data.error import DataError
from silo.data.images import Dataset
from silo.data.split import split_sizes

NOT_LOADED = "not loaded"


def asked(experiment: Experiment) -> str:
    """A hash of where the data lies and how it is split: the same question has the same answer, and tells no path."""
    return digest(experiment.data.model_dump(mode="json"))


def described(experiment: Experiment, dataset: Dataset) -> dict[str, Any]:
    """Of the data itself. Raises FieldError where it doesn't fit the network or the split."""
    _fits(experiment, dataset.channels, dataset.size, len(dataset.classes))
    one_split = split_of(experiment, dataset, experiment.oracle.seeds[0])
    return {
        "digest": dataset.digest(),
        "asked": asked(experiment),
        "chance": dataset.chance,
        "classes": len(dataset.classes),
        "images": sum(count or 0 for count in dataset.sizes),
        "training_images": len(one_split.train),
        "validation_images": len(one_split.validation),
        "test_images": len(one_split.test),
    }


def known_data(experiment: Experiment) -> dict[str, Any] | None:
    """Of a well-known set, without a look at it; None where its source is of no fixed size.

    Raises FieldError where it doesn't fit the network or the split.
    """
    if experiment.data.source not in FACTS:
        return None
    facts, limit = FACTS[experiment.data.source], experiment.data.limit
    _fits(experiment, facts.channels, facts.size or experiment.data.size, facts.classes)
    train = min(facts.train, limit.train or facts.train)
    test = facts.test and min(facts.test, limit.test or facts.test)
    try:
        of_train, of_validation, of_test = split_sizes(experiment.data.split.make(), train, test)
    except DataError as error:
        raise FieldError(f"data.{error}") from error
    return {
        "digest": NOT_LOADED,
        "asked": asked(experiment),
        "chance": 100 / facts.classes,
        "classes": facts.classes,
        "images": train + (test or 0),
        "training_images": of_train,
        "validation_images": of_validation,
        "test_images": of_test,
    }


def _fits(experiment: Experiment, channels: int, size: int, classes: int) -> None:
    with torch.device("meta"):  # a network that doesn't take these images is told before a cell fails by it
        network(experiment, channels, size, classes)
