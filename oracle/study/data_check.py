"""A look at what a source returned: one of the user's own may return anything."""

from typing import Any

import torch
from torch import Tensor

from silo.data.error import DataError
from silo.data.images import Dataset, Images
from silo.data.part import Part
from silo.data.samples import Samples
from silo.sample_shape import sample_shape

NEEDED = ("labels", "channels", "size", "dtype", "__len__", "__getitem__", "to", "joined", "batches")
NEEDED += ("check", "augmented", "moments", "normalized", "content")  # most of which silo.data.part.Part has already


def checked(dataset: Dataset) -> Dataset:
    """Return the data set, once its parts were looked at.

    Raises:
        DataError: where one isn't what the engine trains on, or the two aren't alike.
    """
    parts = {"train": dataset.train} if dataset.test is None else {"train": dataset.train, "test": dataset.test}
    for name, part in parts.items():
        if isinstance(part, Images):
            _check_images(name, part)
        elif isinstance(part, Samples):
            _check_samples(name, part)
        elif problem := _problem_of_own(part):
            given = f"one of class {type(part).__name__} {problem}"
            raise DataError(f"source must give {name} samples as a silo.data.part.Part, got {given}")
        elif part.dtype not in (torch.uint8, torch.float32):
            raise DataError(f"source must give {name} samples of torch.uint8 or torch.float32, got {part.dtype}")
        _check_labels(name, part, len(dataset.classes))
    kinds = {name: (type(part), part.dtype, sample_shape(part.channels, part.size)) for name, part in parts.items()}
    if len(set(kinds.values())) > 1:
        given = " and ".join(f"{kind.__name__} of {dtype} and {shape}" for kind, dtype, shape in kinds.values())
        raise DataError(f"source must give train and test samples of one class, dtype and shape, got {given}")
    return dataset


def _problem_of_own(part: Any) -> str:
    """What a part of a class of the user's own lacks, or raises; empty where it has all."""
    missing = []
    for need in NEEDED:
        try:
            getattr(part, need)
        except AttributeError:
            missing.append(need)
        except Exception as error:  # a property of theirs may raise any
            return f"whose {need} raises {type(error).__name__}: {error}"
    return f"without {', '.join(missing)}" if missing else ""


def _check_images(name: str, part: Images) -> None:
    pixels = part.pixels
    if not _is(pixels, torch.uint8) or pixels.dim() != 4 or pixels.shape[2] != pixels.shape[3]:
        must = "torch.uint8 of (n, channels, size, size)"
        raise DataError(f"source must give {name} pixels as {must}, got {_kind(pixels)}")


def _check_samples(name: str, part: Samples) -> None:
    values = part.values
    if not _is(values, torch.float32) or values.dim() < 2 or 0 in values.shape[1:]:
        must = "torch.float32 of (n, channels, ...)"
        raise DataError(f"source must give {name} values as {must}, got {_kind(values)}")
    if not (finite := values.isfinite().flatten(1).all(1)).all():
        at = int((~finite).nonzero()[0])
        bad = values[at].flatten()
        given = f"{bad[~bad.isfinite()][0].item()} in sample {at} ({int((~finite).sum())} such samples)"
        raise DataError(f"source must give {name} values that are finite, got {given}")


def _check_labels(name: str, part: Part, classes: int) -> None:
    # of the samples themselves where they lie in memory: such a part's own length is that of its labels
    held = part.pixels if isinstance(part, Images) else part.values if isinstance(part, Samples) else part
    labels, count = part.labels, len(held)
    if not _is(labels, torch.int64) or labels.shape != (count,):
        raise DataError(f"source must give {name} labels as torch.int64 of ({count},), got {_kind(labels)}")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        given = f"{int(labels.min())} to {int(labels.max())}"
        raise DataError(f"source must give {name} labels from 0 to {classes - 1}, got {given}")


def _is(tensor: Any, dtype: torch.dtype) -> bool:
    return isinstance(tensor, Tensor) and tensor.dtype == dtype


def _kind(tensor: Any) -> str:
    """What it is, in words."""
    return f"{tensor.dtype} of {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else f"a {type(tensor).__name__}"
