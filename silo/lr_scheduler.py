"""A torch LRScheduler, so that anybody's own pruning loop can follow SILO."""

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from silo.number import is_finite, is_whole
from silo.schedule import Schedule
from silo.shape import Constant, Shape

IDENTITY = (
    "cycle",
    "max_lr",
    "shape",
    "steps_per_epoch",
    "epochs",
    "ratios",
)  # in which a state must be this scheduler's
PROGRESS = ("last_epoch", "_step_count", "_last_lr")


class PruningCycleLR(LRScheduler):
    """The learning rate of one pruning cycle: lr(t) = schedule.max_lr(cycle) * shape.factor(t) * ratio of the group.

    Make one at the start of each cycle and call ``step()`` after every ``optimizer.step()``: it counts iterations, and t = 1 is
    in force from the start. After the cycle's last iteration the rate stays; the first step beyond it warns.

    The group with the largest ``lr`` (``initial_lr``, where another scheduler has set that) gets max_lr; the others keep their
    ratio to it: groups at 1e-3 and 1e-4 are trained at max_lr * factor(t) and a tenth of that. One group alone, or groups that
    are all at 0, get max_lr, whatever their ``lr`` was.

    Its state is plain numbers and strings, which ``torch.load`` reads by default, and goes on in a scheduler made alike.

    Args:
        optimizer: The optimizer whose rates are set.
        schedule: The max_lr of each cycle, such as a SiloSchedule.
        cycle: The pruning cycle, from 0, which trains the dense network.
        shape: The factor of max_lr within the cycle; by default 1 at every iteration.
        steps_per_epoch: Iterations (steps of the optimizer) of an epoch, at least 1; every shape but Constant needs it.
        epochs: Epochs of the cycle, at least 1; every shape but Constant needs them.
        last_epoch: As torch's schedulers take it: the number of iterations done, less one, where the groups hold their
            ``initial_lr``; -1 for a start. A state goes on without it.

    Raises:
        ValueError: For a schedule without max_lr, a shape without factor, a cycle that the schedule doesn't know or has no
            rate for, lengths that are no whole numbers of at least 1, or a shape that needs the lengths and has them not.
        KeyError: torch's, where last_epoch is given and a group has no ``initial_lr``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        cycle: int,
        shape: Shape | None = None,
        steps_per_epoch: int | None = None,
        epochs: int | None = None,
        last_epoch: int = -1,
    ) -> None:
        _must_have("schedule", schedule, "max_lr", "SiloSchedule(...)")
        if shape is not None:
            _must_have("shape", shape, "factor", 'WarmupStep("5ep")')
        max_lr = schedule.max_lr(cycle)
        if not (is_finite(max_lr) and max_lr > 0):
            raise ValueError(f"schedule must have a finite max_lr above 0 at cycle {cycle}, got {max_lr!r}")
        self.max_lr, self.cycle = float(max_lr), int(cycle)
        self.shape = Constant() if shape is None else shape
        needed = not isinstance(self.shape, Constant)
        self.steps_per_epoch = _length("steps_per_epoch", steps_per_epoch, self.shape if needed else None)
        self.epochs = _length("epochs", epochs, self.shape if needed else None)
        self._has_warned = False
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of the coming iteration, one for each parameter group."""
        done, length = self.last_epoch, self._length
        if (groups := len(self.optimizer.param_groups)) != len(self.base_lrs):
            made = "make the scheduler once all groups are added"
            raise ValueError(f"optimizer must have {len(self.base_lrs)} parameter groups, got {groups}: {made}")
        if done > length and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"cycle {self.cycle} has {length} iterations ({self.steps_per_epoch} an epoch, {self.epochs} epochs), but "
                f"step() was called {done} times: the learning rate stays at the last iteration's",
                UserWarning,
                stacklevel=4,
            )
        factor = self.shape.factor(min(done + 1, length), self.steps_per_epoch or 1, self.epochs or 1)
        return [self.max_lr * factor * ratio for ratio in self.ratios]

    @property
    def ratios(self) -> list[float]:
        """What each parameter group gets of the largest one's rate, from 0 to 1."""
        rates = [float(rate) for rate in self.base_lrs]
        return [rate / max(rates) if max(rates) else 1.0 for rate in rates]

    def state_dict(self) -> dict[str, Any]:
        """Return where the cycle is, and what it is: numbers, strings, None and lists of numbers alone."""
        state = {name: getattr(self, name) for name in (*IDENTITY, *PROGRESS)}
        state["shape"] = _words(self.shape)
        state["_last_lr"] = [float(lr) for lr in state["_last_lr"]]
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state.

        Args:
            state_dict: Of a scheduler made by the same arguments, of an optimizer whose groups have the same ratios.

        Raises:
            ValueError: For any other state; the scheduler is then as it was.
        """
        own = self.state_dict()
        if missing := [name for name in own if name not in state_dict]:
            raise ValueError(f"state_dict must be that of a PruningCycleLR, got one without {', '.join(missing)}")
        for name in IDENTITY:
            if not _same(own[name], state_dict[name]):
                raise ValueError(f"state_dict must be of {name} {own[name]!r}, got {state_dict[name]!r}")
        self.__dict__.update({name: state_dict[name] for name in PROGRESS})

    @property
    def _length(self) -> float:
        """The iterations of the cycle; without end where they are not known."""
        return (
            float("inf") if self.steps_per_epoch is None or self.epochs is None else self.steps_per_epoch * self.epochs
        )


def _must_have(name: str, value: Any, method: str, example: str) -> None:
    if not callable(getattr(value, method, None)):
        raise ValueError(f"{name} must have a method {method}, such as {example}, got {value!r}")


def _length(name: str, value: int | None, needed_by: Shape | None) -> int | None:
    """A length of the cycle as an int; None where it isn't known."""
    if value is None:
        if needed_by is not None:
            raise ValueError(f"{name} must be given where shape is {type(needed_by).__name__}, got None")
        return None
    if not is_whole(value) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _same(own: Any, other: Any) -> bool:
    """Whether two values are equal: rates but for rounding, in which another machine's logarithms may differ."""
    if isinstance(own, list) and isinstance(other, list):
        return len(own) == len(other) and all(map(_same, own, other))
    if isinstance(own, float) and isinstance(other, float):
        return math.isclose(own, other, rel_tol=1e-9)
    return own == other


def _words(shape: Shape) -> str:
    """A shape with its values, in words that are the same in every process."""
    kind = f"{type(shape).__module__}.{type(shape).__qualname__}"
    held = repr(shape) if is_dataclass(shape) else ", ".join(f"{name}={value!r}" for name, value in vars(shape).items())
    return f"{kind}: {re.sub(' at 0x[0-9a-f]+', '', held)}"
