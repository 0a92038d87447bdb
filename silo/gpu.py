"""What is asked of a GPU before networks are trained on it: what waits, how much memory things take, how much there is."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import torch

from silo.graph import CudaGraphs, Recorder, answers


class Gpu(Protocol):
    """A GPU, or what stands for one in a test."""

    def recorder(self) -> Recorder:
        """A new recorder of steps on this device."""
        ...

    def no_waiting(self) -> AbstractContextManager[None]:
        """A context in which the host can't wait for the device: what would wait raises RuntimeError."""
        ...

    def answers(self) -> bool:
        """Whether the device goes on working."""
        ...

    def peak(self, do: Callable[[], object]) -> int:
        """Do it, and return how many bytes it took from the device at its peak. What it leaves is given back."""
        ...

    def room(self, share: float) -> float:
        """How many bytes this process may yet take, where a share of the device, in (0, 1], is its own."""
        ...


class CudaGpu:
    """The CUDA device that is given, which must be the current one."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def recorder(self) -> Recorder:
        """A new recorder of CUDA graphs, with streams of its own."""
        return CudaGraphs()

    @contextmanager
    def no_waiting(self) -> Iterator[None]:
        """A context in which whatever makes the host wait for the device raises RuntimeError, as a capture would."""
        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode(before)

    def answers(self) -> bool:
        """Whether the device goes on working."""
        return answers()

    def peak(self, do: Callable[[], object]) -> int:
        """Do it, and return the bytes that the allocator took from the device at its peak, all that it rounds up included."""
        self._give_back()
        before = torch.cuda.memory_reserved(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        try:
            do()
            return torch.cuda.max_memory_reserved(self._device) - before
        finally:
            self._give_back()

    def room(self, share: float) -> float:
        """How many bytes this process may yet take: what is free, or of its share of the device what it doesn't hold."""
        free, total = torch.cuda.mem_get_info(self._device)
        return min(free, share * total - torch.cuda.memory_reserved(self._device))

    def _give_back(self) -> None:
        gc.collect()
        torch.cuda.synchronize(self._device)
        torch.cuda.empty_cache()
