"""What a study has to know of its data: how much there is, its chance level, its digest; loaded, or known beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Self

import torch

from oracle.error import FieldError
from oracle.experiment.spec import Experiment
from oracle.hashing import digest
from oracle.study.data import network, split_of
from silo.data import FACTS
from silo.data.error import DataError
from silo.data.images import Dataset
from silo.data.split import split_sizes

NOT_LOADED = "not loaded"


@dataclass(frozen=True)
class DataInfo:
    """What a study knows of its data.

    Attributes:
        digest: hash of the images and labels; NOT_LOADED where only its sizes are known.
        location: hash of where the data lies and how it is split, which tells no path; None in folders of older versions.
        chance: accuracy, in percent, of naming one class always.
        classes: how many there are.
        images: how many there are in all.
        training_images: how many a seed trains on.
        validation_images: how many a seed is validated on.
        test_images: how many a seed is tested on.
    """

    digest: str
    location: str | None
    chance: float
    classes: int
    images: int
    training_images: int
    validation_images: int
    test_images: int

    def evaluated_on(self, part: str) -> int:
        """How many images a seed has in a part of the data, "validation" or "test"."""
        return {"validation": self.validation_images, "test": self.test_images}[part]

    def to_json(self) -> dict[str, Any]:
        """The same as study.json holds it."""
        return {JSON_NAMES.get(name, name): value for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Self:
        """What study.json holds.

        Raises:
            ValueError: where a field is missing or of another kind.
        """
        location = held.get(JSON_NAMES["location"])
        fields = {name: held.get(name) for name in cls.__dataclass_fields__} | {"location": location}
        for name, value in fields.items():
            kinds = (str, NoneType) if name == "location" else (str,) if name == "digest" else (int, float)
            if not isinstance(value, kinds):
                raise ValueError(f"data.{name} must be {' or '.join(kind.__name__ for kind in kinds)}, got {value!r}")
        return cls(**fields)


JSON_NAMES = {"location": "asked"}  # as run folders have always called it


def location_of(experiment: Experiment) -> str:
    """Return a hash of where the data lies and how it is split: equal for equal fields, and it tells no path."""
    return digest(experiment.data.model_dump(mode="json"))


def describe_data(experiment: Experiment, dataset: Dataset) -> DataInfo:
    """Describe data that is loaded.

    Raises:
        FieldError: where it doesn't fit the network or the split.
    """
    _check_network(experiment, dataset.channels, dataset.size, len(dataset.classes))
    one_split = split_of(experiment, dataset, experiment.oracle.seeds[0])
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
    _check_network(experiment, facts.channels, facts.size or experiment.data.size, facts.classes)
    train = min(facts.train, limit.train or facts.train)
    test = facts.test and min(facts.test, limit.test or facts.test)
    try:
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


def _check_network(experiment: Experiment, channels: int, size: int, classes: int) -> None:
    """Build the network without weights: one that doesn't take these images is refused before a training fails by it."""
    with torch.device("meta"):
        network(experiment, channels, size, classes)
