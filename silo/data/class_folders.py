"""Images in one folder for each class: the layout PART/CLASS/*.jpg; and what such a folder holds beside them."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from silo.data.decode import ENDINGS, is_image
from silo.data.error import DataError

FOLDERS_NAMED = 3  # of those that hold what is left out


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

    Hidden files are none.

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


def left_out(root: Path, folders: list[Path], read: set[str], parts: tuple[str, ...]) -> str:
    """What is said of the files that are not read: how many there are in which folders; empty where there is none.

    Hidden files and folders are what a system or an editor leaves, and not counted.

    Args:
        root: The data's folder, from which files and folders are named.
        folders: Those below it to look through, at any depth.
        read: The files that are read, such as ``train/CLASS/NAME``.
        parts: The names of the folders that hold class folders.
    """
    found = [(place, name) for folder in folders for place, name in _visible_files(root, folder)]
    unread = [(place, name) for place, name in found if f"{place}/{name}" not in read]
    if not unread:
        return ""
    counts = Counter(place for place, _ in unread)
    places = [f"{count} in {place!r}" for place, count in counts.most_common(FOLDERS_NAMED)]
    if more := len(counts) - len(places):
        places.append(f"others in {more} more")
    files = "1 file is" if len(unread) == 1 else f"{len(unread)} files are"
    known = f"read are {', '.join(ENDINGS)} in {' and '.join(f'{part}/CLASS' for part in parts)}"
    return f"{files} left out, such as {'/'.join(unread[0])!r}: {', '.join(places)}; {known}"


def _visible_files(root: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """All files below a folder: the folder that each lies in, named from the root, and its name. Links that lead back end."""
    seen = set()
    for place, names, files in os.walk(folder, followlinks=True):
        here = os.path.realpath(place)
        names[:] = [] if here in seen else sorted(name for name in names if not name.startswith("."))
        if here not in seen:
            seen.add(here)
            yield from ((os.path.relpath(place, root), name) for name in sorted(files) if not name.startswith("."))
