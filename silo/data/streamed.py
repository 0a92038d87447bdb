"""Labelled images too many to hold in memory: decoded from their files batch by batch, in the order that is wanted."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from silo.data.augment import Augment
from silo.data.decode import file_status, open_rgb
from silo.data.error import DataError
from silo.data.part import Part


@dataclass(frozen=True)
class Job:
    """A batch to decode.

    Attributes:
        names: Its files' names below the root, bytes (n).
        seeds: A seed for each image's draws, int64 (n).
        augment: How to augment the images.
    """

    names: np.ndarray
    seeds: np.ndarray
    augment: Augment


class Decoder(TorchDataset):
    """Decodes a job; a loader worker holds nothing else."""

    def __init__(self, root: Path, size: int) -> None:
        self.root, self.size = root, size

    def __getitem__(self, job: Job) -> Tensor | DataError:
        """uint8 (n, 3, size, size). An error is handed back: raised in a worker it would become a page of traceback."""
        view, images = self._view(job.augment), []
        try:
            with torch.random.fork_rng(devices=[]):  # torchvision draws from the global generator
                for name, seed in zip(job.names, job.seeds, strict=True):
                    torch.default_generator.manual_seed(int(seed))
                    images.append(view(open_rgb(self.root / os.fsdecode(name))))
        except DataError as error:
            return error
        return torch.stack(images)

    def _view(self, augment: Augment) -> "torch.nn.Module":
        from torchvision import transforms  # heavy, and of no use to those whose images lie in memory

        if augment.area is None:
            steps = [transforms.Resize(round(self.size * 256 / 224)), transforms.CenterCrop(self.size)]
        else:
            steps = [transforms.RandomResizedCrop(self.size, augment.area, ratio=(3 / 4, 4 / 3))]
        flip = [transforms.RandomHorizontalFlip()] if augment.flip else []
        return transforms.Compose([*steps, *flip, transforms.PILToTensor()])


class Loader:
    """Loader workers, shared by all parts of a data set: the first reading starts them, and they live until ``close``.

    Args:
        root: The folder that the files lie below.
        size: Pixels a side of the images in a batch, at least 1.
        workers: How many processes decode, at most one a CPU core; with 0 this process does.
    """

    def __init__(self, root: Path, size: int, workers: int) -> None:
        self.root, self.size = root, size
        self.workers = min(workers, len(os.sched_getaffinity(0)))
        self.jobs: list[Job] = []
        self.close()

    def read(self, jobs: list[Job]) -> Iterator[Tensor]:
        """The jobs' batches, in order: uint8 (n, 3, size, size).

        Raises:
            DataError: For an unreadable file.
            RuntimeError: Within another reading.
        """
        if self.reading:
            raise RuntimeError("a source that streams must be read once at a time, got a second reading within one")
        self.reading, self.jobs[:] = True, jobs
        self.loader = self.loader or self._start()
        try:
            for pixels in self.loader:
                if isinstance(pixels, DataError):
                    raise pixels
                yield pixels
        finally:
            self.reading = False

    def close(self) -> None:
        """End the workers; a later reading starts new ones."""
        self.loader: DataLoader | None = None
        self.reading = False

    def _start(self) -> DataLoader:
        processes = {}
        if self.workers:
            # neither CUDA's nor Ray's threads survive a plain fork; a clean server, with what is slow to import, does
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["torchvision.transforms"])
            processes = {"multiprocessing_context": context, "persistent_workers": True}
        return DataLoader(
            Decoder(self.root, self.size),
            batch_size=None,  # a job is a whole batch
            sampler=self.jobs,
            num_workers=self.workers,
            generator=torch.Generator(),  # its own, else it would draw from the global one
            **processes,
        )


@dataclass(frozen=True)
class Streamed(Part):
    """Labelled images that stream: a :class:`silo.data.part.Part`.

    Args:
        loader: Decodes the files; shared by all parts of a data set.
        names: The files' names below the loader's root, bytes (n).
        file_sizes: The files' sizes in bytes, int64 (n).
        labels: int64 (n), from 0 to the number of classes - 1.
        augment: How the images are augmented where a generator is given.
    """

    loader: Loader
    names: np.ndarray
    file_sizes: np.ndarray
    labels: Tensor
    augment: Augment = Augment()

    channels = 3
    dtype = torch.uint8

    @classmethod
    def of(cls, loader: Loader, names: list[str], labels: Tensor) -> "Streamed":
        """The images of these names below the loader's root."""
        encoded = np.array([os.fsencode(name) for name in names])
        with ThreadPoolExecutor(16) as pool:  # a million files, maybe over a network
            sizes = pool.map(lambda some: _file_sizes(loader.root, some), np.array_split(encoded, 256))
            return cls(loader, encoded, np.concatenate(list(sizes)), labels)

    @property
    def size(self) -> int:
        """Pixels a side, as they come in a batch."""
        return self.loader.size

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor | slice) -> "Streamed":
        at = index.cpu().numpy() if isinstance(index, Tensor) else index
        return replace(self, names=self.names[at], file_sizes=self.file_sizes[at], labels=self.labels[index])

    def to(self, device: torch.device) -> "Streamed":
        """These images with their batches on a device."""
        return replace(self, labels=self.labels.to(device))

    def joined(self, other: "Streamed") -> "Streamed":
        """These images, then the other ones, which have the same loader."""
        return replace(
            self,
            names=np.concatenate([self.names, other.names]),
            file_sizes=np.concatenate([self.file_sizes, other.file_sizes]),
            labels=torch.cat([self.labels, other.labels]),
        )

    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(uint8 pixels, labels) of the images, batch by batch, the last as short as it comes.

        Args:
            batch_size: Images of a batch, at least 1.
            order: int64 indices of the images to read, in this order; None for all in their own.
            random: Draws, before anything is read, a seed for the augmentation of every position in the order; None gives the
                images as in evaluation.
        """
        order = torch.arange(len(self)) if order is None else order.cpu()
        augment, seeds = Augment(), torch.zeros(len(order), dtype=torch.int64)
        if random is not None:
            augment, seeds = self.augment, torch.randint(2**63 - 1, (len(order),), generator=random)
        indices = order.split(batch_size)
        jobs = [
            Job(self.names[index.numpy()], some.numpy(), augment)
            for index, some in zip(indices, seeds.split(batch_size), strict=True)
        ]
        for index, pixels in zip(indices, self.loader.read(jobs), strict=True):
            yield pixels.to(self.labels.device), self.labels[index.to(self.labels.device)]

    def check(self, augment: Augment) -> None:
        """Check that the images can be augmented so; raises DataError for a crop, which is for images in memory."""
        if augment.crop:
            raise DataError(f"augment.crop must be 0 where images stream (area is for them), got {augment.crop}")

    @contextmanager
    def augmented(self, augment: Augment) -> Iterator["Streamed"]:
        """The images ready to be read augmented; at the end the loader's workers go."""
        self.check(augment)
        try:
            yield replace(self, augment=augment)
        finally:
            self.loader.close()

    def moments(self) -> tuple[Tensor, Tensor]:
        """Raise DataError: nobody reads all pixels for it."""
        raise DataError("normalize must have mean and std where images stream, got none")

    def content(self) -> Iterator[bytes | np.ndarray]:
        """The files' names and sizes, and every label; not the pixels, which would take hours to read."""
        yield repr(self.names.tolist()).encode()
        yield np.ascontiguousarray(self.file_sizes)
        yield self.labels.contiguous().numpy()


def _file_sizes(root: Path, names: np.ndarray) -> np.ndarray:
    return np.array([file_status(root / os.fsdecode(name)).st_size for name in names], dtype=np.int64)
