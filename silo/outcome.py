"""What a training gives: its curve by epoch, the state that is reported, and the weights it leaves."""

from dataclasses import dataclass

from silo.restart import Weights


@dataclass(frozen=True)
class Epoch:
    """One epoch of a cycle: its mean training loss, and the accuracies in percent after it.

    test  where it is chosen on validation, only where that rose, and at the end; with test-best, after every epoch: it is the
          released code's measurement before the next one. That before the first epoch has no place in the curve.
    """

    loss: float
    validation: float
    test: float | None


@dataclass(frozen=True)
class Outcome:
    """What a training gave. Accuracies are percent; None where it diverged (a loss or weight that is not finite).

    chosen_epoch counts the epochs trained before validation and test were measured, final_validation and final_test are those
    after the last. curve holds one Epoch for each that was finished.
    Chosen on validation it is the first epoch (from 1) after which validation was best. With test-best it is from 0, the
    cycle's start, to epochs - 1, the first state of best test accuracy; the final weights are never among these.
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
    """An outcome with the weights that pruning and the restart need, on the CPU: state_dicts, and None where not kept."""

    outcome: Outcome
    final: Weights
    epoch_before: Weights
    remembered: Weights | None


def chosen(at_start: tuple[float, float] | None, curve: list[Epoch]) -> tuple[int, float, float]:
    """(epochs trained before it, validation, test) of the state that is reported; at_start is measured for test-best alone."""
    states = [(epochs, epoch.validation, epoch.test) for epochs, epoch in enumerate(curve, 1)]
    if at_start is None:
        return max(states, key=lambda state: state[1])  # the first of equals
    return max([(0, *at_start), *states[:-1]], key=lambda state: state[2])
