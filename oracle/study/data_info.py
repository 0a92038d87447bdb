"""What a study has to know of its data: how much there is, its chance level, its digest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Self

from oracle.experiment.spec import Experiment
from oracle.hashing import digest

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
            least = 1 if name in ("classes", "images", "training_images") else 0
            if int in kinds and (isinstance(value, bool) or not least <= value < math.inf):
                raise ValueError(f"data.{name} must be a number of at least {least}, got {value!r}")
        if not 0 < fields["chance"] <= 100:
            raise ValueError(f"data.chance must be a percentage above 0, got {fields['chance']}")
        return cls(**fields)


JSON_NAMES = {"location": "asked"}  # as run folders have always called it


def location_of(experiment: Experiment) -> str:
    """Return a hash of where the data lies and how it is split: equal for equal fields, and it tells no path."""
    return digest(experiment.data.model_dump(mode="json"))
