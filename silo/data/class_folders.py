"""One folder a class: the layout PART/CLASS/*.jpg."""

from pathlib import Path

import torch
from torch import Tensor

from silo.data.decode import ENDINGS, is_image
from silo.data.error import DataError


def class_names(part: Path) -> tuple[str, ...]:
    """The class folders in alphabetical order; raises DataError where there is none."""
    names = tuple(sorted(entry.name for entry in part.iterdir() if entry.is_dir() and not entry.name.startswith(".")))
    if not names:
        raise DataError(f"path: {part}: no class folders there; one folder a class is allowed")
    return names


def no_other_classes(part: Path, classes: tuple[str, ...]) -> None:
    """Raises DataError where an evaluation part has a class that isn't trained."""
    if extra := sorted(set(class_names(part)) - set(classes)):
        raise DataError(f"path: {part / extra[0]}: a class that train/ doesn't have")


def labelled_names(part: Path, classes: tuple[str, ...]) -> tuple[list[str], Tensor]:
    """The images' names below part, CLASS/NAME, by class and name, and their labels (int64).

    Raises DataError where part, or a class folder in it, has no images.
    """
    found = {
        name: sorted(file.name for file in (part / name).iterdir() if is_image(file))
        for name in classes
        if (part / name).is_dir()
    }
    if not any(found.values()):
        raise DataError(f"path: {part}: no images there; {', '.join(ENDINGS)} are allowed")
    if empty := [name for name in found if not found[name]]:
        raise DataError(f"path: {part / empty[0]}: a class without images; {', '.join(ENDINGS)} are allowed")
    names = [f"{name}/{file}" for name in found for file in found[name]]
    labels = [label for label, name in enumerate(classes) for _ in found.get(name, ())]
    return names, torch.tensor(labels)
