"""The result of a training: its curve by epoch, the state that is reported, and the weights it leaves.

The names of Epoch's and Outcome's fields are keys of recorded trainings.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from silo.restart import Weights


@dataclass(frozen=True)
class Epoch:
    """One epoch of a cycle.

    Attributes:
        loss: Mean training loss over the epoch's images.
        validation: Accuracy after it, in percent.
        test: Accuracy after it, in percent. Where the state is chosen on validation, only where that rose, and at the end, else
            None. With test-best, after every epoch: it is the released code's measurement before the next one. That before the
            first epoch has no place in the curve.
    """

    loss: float
    validation: float
    test: float | None


@dataclass(frozen=True)
class Outcome:
    """The measurements of a training. Accuracies are in percent, and None where it diverged.

    Attributes:
        diverged: Whether a loss or a weight became infinite or NaN; the training ended there.
        chosen_epoch: How many epochs were trained before the reported state. Chosen on validation it is the first epoch (from
            1) after which validation was best. With test-best it is from 0, the cycle's start, to epochs - 1, the first state
            of best test accuracy; the final weights are never among these.
        validation: Accuracy of the reported state.
        test: Accuracy of the reported state.
        final_validation: Accuracy after the last epoch.
        final_test: Accuracy after the last epoch.
        steps: Iterations done.
        curve: One Epoch for each that was finished.
    """

    diverged: bool
    chosen_epoch: int | None
    validation: float | None
    test: float | None
    final_validation: float | None
    final_test: float | None
    steps: int
    curve: tuple[Epoch, ...]


@dataclass(frozen=True)
class Trained:
    """An outcome with the weights that pruning and the restart need: state_dicts on the CPU.

    Attributes:
        outcome: What was measured.
        final: The weights after the last iteration.
        epoch_before: The weights one epoch before that; empty where the training diverged.
        remembered: The weights at the iteration to remember; None where there is none, or the training diverged.
    """

    outcome: Outcome
    final: "Weights"
    epoch_before: "Weights"
    remembered: "Weights | None"


def chosen(at_start: tuple[float, float] | None, curve: list[Epoch]) -> tuple[int, float, float]:
    """(epochs trained before it, validation, test) of the state that is reported.

    Args:
        at_start: (validation, test) accuracy before the first epoch, for test-best; None chooses on validation.
        curve: The finished epochs, at least one.
    """
    states = [(epochs, epoch.validation, epoch.test) for epochs, epoch in enumerate(curve, 1)]
    if at_start is None:
        return max(states, key=lambda state: state[1])  # the first of equals
    return max([(0, *at_start), *states[:-1]], key=lambda state: state[2])
