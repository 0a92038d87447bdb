"""Whether the parts of an experiment fit together: what no part can tell alone."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oracle.experiment.example_network import example_network
from oracle.experiment.message import inner_error, shown
from oracle.experiment.number import GREATEST_MAX_LR, LEAST_MAX_LR
from oracle.experiment.redaction import first_private
from silo.number import is_finite
from silo.schedule import Schedule

if TYPE_CHECKING:
    from oracle.experiment.spec import Experiment

MAX_TRAININGS, PLANNED_BYTES = 10**6, 1700  # of a study, and how much memory each takes as it is planned


def check(experiment: "Experiment") -> None:
    """Raise ValueError, with the field first, for the first thing that doesn't fit."""
    for part in (_baselines, _size, _range_tests, _precision, _prunable, _paths):
        part(experiment)


def _baselines(experiment: "Experiment") -> None:
    """Each baseline's own schedule has a max_lr at every cycle."""
    for name, baseline in experiment.baselines.items():
        if baseline.max_lr is None:
            continue
        field = f"policies.baselines.{name}.max_lr"
        try:
            schedule = experiment.baseline_schedule(name)
        except (TypeError, ValueError) as error:  # of a record: another is made once when it is validated
            given = shown(baseline.max_lr.model_dump(mode="json"))
            raise ValueError(f"{field} must be a schedule, got {given}: {error}") from error
        _check_schedule(schedule, field, baseline.max_lr.options, experiment.prune.cycles)


def _size(experiment: "Experiment") -> None:
    """The study is of a size that can be planned."""
    cycles, seeds, values = experiment.prune.cycles, len(experiment.oracle.seeds), len(experiment.oracle.grid.values())
    trainings = cycles * seeds * (values + 1 + len(experiment.baselines))
    trainings += sum(
        experiment.search_trainings(name) for name, one in experiment.baselines.items() if one.max_lr is None
    )
    if trainings > MAX_TRAININGS:
        baselines = f" and {len(experiment.baselines)} baselines" if experiment.baselines else ""
        given = f"{trainings} ({cycles} cycles, {seeds} seeds, {values} values{baselines})"
        memory = f"a plan of them takes {math.ceil(trainings * PLANNED_BYTES / 1e9)} GB"
        fields = "prune.cycles, oracle.seeds and oracle.grid"
        raise ValueError(f"{fields} must ask for at most {MAX_TRAININGS} trainings, got {given}: {memory}")


def _range_tests(experiment: "Experiment") -> None:
    """A range test, which goes up by epochs, has rates to choose among."""
    tested = [name for name, baseline in experiment.baselines.items() if baseline.range_test is not None]
    if tested and experiment.train.epochs < 2:
        why = f"policies.baselines.{tested[0]}.range_test chooses among as many rates"
        raise ValueError(f"train.epochs must be at least 2, got {experiment.train.epochs}: {why}")


def _precision(experiment: "Experiment") -> None:
    """The device has the precision."""
    if experiment.train.precision == "tf32" and experiment.compute.gpus_per_trial == 0:
        raise ValueError('train.precision must be fp32 or bf16 where compute.gpus_per_trial is 0, got "tf32"')


def _prunable(experiment: "Experiment") -> None:
    """Something of the network is prunable; of a record's, which isn't imported, it was."""
    if experiment.is_recorded:
        return
    network = example_network(experiment.model)
    if network is not None and not experiment.pruning.prunable(network):
        prunable = shown(experiment.prune.prunable.model_dump())
        raise ValueError(f"prune.prunable must leave something to prune in this network, got {prunable}")


def _paths(experiment: "Experiment") -> None:
    """Trainings are the same on every machine: what identifies them holds no path of one."""
    parts = experiment.model_dump(mode="json", include={"model", "train", "prune", "policies"})
    parts["data"] = experiment.data.model_dump(mode="json", include={"split", "augment", "normalize"})
    for name, part in parts.items():
        if private := first_private(part, name):
            field, value = private
            why = "a path of one machine, or a URL with a user, can't be part of what identifies a training"
            raise ValueError(f"{field} must be a path from the folder you are in, got {shown(value)}: {why}")


def _check_schedule(schedule: Schedule, field: str, options: Sequence[str], cycles: int) -> None:
    """Raise ValueError where a schedule has no max_lr, or an impossible one, at one of the cycles."""
    for cycle in range(cycles):
        try:
            max_lr = schedule.max_lr(cycle)
        except Exception as error:  # an imported one may raise any
            if inner := inner_error(error, options):
                raise ValueError(f"{field}.{inner}") from error
            given = f"{type(error).__name__} at cycle {cycle}: {error}"
            raise ValueError(f"{field} must have a value at every cycle, got {given}") from error
        if not is_finite(max_lr) or not LEAST_MAX_LR <= max_lr <= GREATEST_MAX_LR:
            within = f"at least {LEAST_MAX_LR} and at most {GREATEST_MAX_LR} at every cycle"
            raise ValueError(f"{field} must be {within}, got {max_lr!r} at cycle {cycle}")
