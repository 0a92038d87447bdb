"""Images in one folder for each class: the layout PART/CLASS/*.jpg."""

from pathlib import Path

import torch
from torch import Tensor

from silo.data.decode import ENDINGS, is_image
from silo.data.error import DataError


def class_names(part: Path) -> tuple[str, ...]:
    """The names of the class folders in a part, in alphabetical order; raises DataError where there is none."""
    names = tuple(sorted(entry.name for entry in part.iterdir() if entry.is_dir() and not entry.name.startswith(".")))
    if not names:
        raise DataError(f"path must hold one folder for each class in {str(part)!r}, got none")
    return names


def no_other_classes(part: Path, classes: tuple[str, ...]) -> None:
    """Check that an evaluation part has no class that isn't trained; raises DataError."""
    if extra := sorted(set(class_names(part)) - set(classes)):
        raise DataError(f"path must hold classes that train/ has, too, got {str(part / extra[0])!r}")


def labelled_names(part: Path, classes: tuple[str, ...]) -> tuple[list[str], Tensor]:
    """The images' names below a part, CLASS/NAME, by class and name, and their labels (int64, the class's place).

    Raises DataError where the part, or a class folder in it, has no images.
    """
    found = {
        name: sorted(file.name for file in (part / name).iterdir() if is_image(file))
        for name in classes
        if (part / name).is_dir()
    }
    if not any(found.values()):
        raise DataError(f"path must hold images ({', '.join(ENDINGS)}) in {str(part)!r}, got none")
    if empty := [name for name in found if not found[name]]:
        raise DataError(
            f"path must hold images ({', '.join(ENDINGS)}) of every class, got none in {str(part / empty[0])!r}"
        )
    names = [f"{name}/{file}" for name in found for file in found[name]]
    labels = [label for label, name in enumerate(classes) for _ in found.get(name, ())]
    return names, torch.tensor(labels)
