"""A GPU that is none: it records steps in this process, and its memory is a sum."""

from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Operations(TorchDispatchMode):
    """Notes every operation that is done inside, with the tensors that it read and wrote."""

    def __init__(self):
        super().__init__()
        self.noted = []

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        result = operation(*arguments, **(options or {}))
        self.noted.append((operation, arguments, options or {}, result))
        return result


def here():
    """Records steps as a CUDA graph does: what runs again is their operations, on the same memory, and none of their Python.

    The steps are done before, as a capture's warm-up does them, and once more to be noted, where a capture does nothing.
    """

    def record(steps):
        for step in steps:
            step()
        with _Operations() as seen:
            for step in steps:
                step()
        return lambda: again(seen.noted)

    return record


@torch.no_grad()
def again(noted):
    for operation, arguments, options, result in noted:
        for target, source in zip(_tensors(result), _tensors(operation(*arguments, **options)), strict=True):
            if target.untyped_storage().data_ptr() != source.untyped_storage().data_ptr():
                target.copy_(source)  # views and what was changed in place lie where they lay


def _tensors(result):
    return [one for one in tree_leaves(result) if isinstance(one, torch.Tensor)]


class PretendedGpu:
    """Stands for silo.gpu.Gpu.

    Args:
        free: bytes of the whole device, nobody has any of them.
        lane: bytes of a recorded lane; once: bytes beside the lanes; evaluation: bytes of an evaluation.
        fails: what a recording raises, by how many lanes it has and the how many-th of its recorder it is.
        lost: whether nothing answers any more once a recording has failed.

    Attributes:
        recorded: how many lanes each recording had.
        waiting: whether the host may wait for the device.
    """

    def __init__(self, free=10**9, lane=100, once=50, evaluation=30, fails=lambda lanes, count: None, lost=False):
        self.free, self.lane, self.once, self.evaluation = free, lane, once, evaluation
        self.fails, self.lost = fails, lost
        self.recorded, self.waiting, self.failed = [], True, False

    def recorder(self):
        count, record = 0, here()

        def recording(steps):
            nonlocal count
            count += 1
            self.recorded.append(len(steps))
            if (error := self.fails(len(steps), count)) is not None:
                self.failed = True
                raise error
            return record(steps)

        return recording

    @contextmanager
    def no_waiting(self):
        self.waiting = False
        try:
            yield
        finally:
            self.waiting = True

    def wait(self):
        """What a network does that reads a number of the device."""
        if not self.waiting:
            raise RuntimeError("called a synchronizing CUDA operation")

    def answers(self):
        return not (self.lost and self.failed)

    def peak(self, do):
        before = len(self.recorded)
        do()
        lanes = max(self.recorded[before:], default=0)
        return self.once + self.lane * lanes if lanes else self.evaluation

    def room(self, share):
        return self.free * share


def lost():
    """What torch raises of a device that is gone."""
    return torch.AcceleratorError("CUDA error: unspecified launch failure")
