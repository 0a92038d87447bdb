"""The trainings of a study as one table, a row a finished training; weights alive by layer; the networks' sizes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from oracle.experiment.spec import Experiment
from oracle.plan.snapshot import Training
from oracle.plan.steps import Role, Skipped
from oracle.stats.paired import Accuracies
from oracle.study.record import Layer, Status

CELL_COLUMNS = {
    "cycle": "int64",
    "seed": "int64",
    "max_lr": "float64",
    "candidate": "bool",
    "silo": "bool",
    "chain": "bool",
    "policies": "str",
    "searches": "str",
    "status": "str",
    **dict.fromkeys(("validation", "test", "final_validation", "final_test"), "float64"),
    **dict.fromkeys(("chosen_epoch", "alive", "prunable"), "Int64"),
    "weights_remaining": "float64",
    "id": "str",
    "start": "str",
    "leaves": "str",
}
SKIPPED_COLUMNS = {"cycle": "int64", "max_lr": "float64", "seeds": "str", "why": "str"}
FLAGS = (Role.CANDIDATE, Role.SILO, Role.CHAIN)


def cells_table(trainings: Iterable[Training]) -> pd.DataFrame:
    """Return one row for each finished training of the study, sorted by cycle, seed and max_lr.

    Columns: status: done, diverged or failed (with no numbers); accuracies and weights_remaining in percent; candidate, silo
    and chain: as what the study requests it (oracle.plan.steps.Role); policies, searches: of which baselines' trajectories it
    is, and for whose max_lr it was tried (names with a space between).
    """
    rows = [_row(training) for training in trainings if training.status is not Status.MISSING]
    frame = pd.DataFrame(rows, columns=list(CELL_COLUMNS)).astype(CELL_COLUMNS)
    return frame.sort_values(["cycle", "seed", "max_lr", "start", "id"], ignore_index=True)


def _row(training: Training) -> dict[str, Any]:
    cell, record = training.cell, training.record
    row = {
        "cycle": cell.cycle,
        "seed": cell.seed,
        "max_lr": cell.max_lr,
        "id": cell.id,
        "start": cell.start,
        **{role.value: role in training.roles for role in FLAGS},
        "policies": " ".join(training.policies),
        "searches": " ".join(training.searches),
        "status": training.status.value,
    }
    if record is None:
        return row
    measured = ("validation", "test", "final_validation", "final_test", "chosen_epoch")
    return {
        **row,
        **{name: getattr(record.outcome, name) for name in measured},
        "alive": record.alive,
        "prunable": record.prunable,
        "weights_remaining": 100 * record.alive / record.prunable,
        "leaves": record.leaves,
    }


def skipped_table(skipped: Sequence[Skipped]) -> pd.DataFrame:
    """Return what the Oracle's search didn't try: cycle, max_lr, seeds (with a space between), why; empty where it is
    exhaustive.
    """
    rows = [(step.cycle, step.max_lr, " ".join(map(str, step.seeds)), step.why) for step in skipped]
    return pd.DataFrame(rows, columns=list(SKIPPED_COLUMNS)).astype(SKIPPED_COLUMNS)


def accuracies(cells: pd.DataFrame, chosen_on: str) -> Accuracies:
    """Return a cycle's accuracies, in percent, by (max_lr, seed); None where a training diverged or failed.

    Args:
        cells: the cycle's rows of the table of cells.
        chosen_on: the column that is read, "validation" or "test".
    """
    rows = zip(*(cells[name].tolist() for name in ("max_lr", "seed", "status", chosen_on)), strict=True)
    return {(value, seed): accuracy if status == Status.DONE else None for value, seed, status, accuracy in rows}


def of_baseline(cells: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """Return the rows whose ``column`` (policies or searches) names the baseline."""
    return cells[cells[column].map(lambda names: name in names.split()).astype(bool)]  # of no rows it would be no bools


def layers_table(cells: pd.DataFrame, layers: Mapping[str, Sequence[Layer]], experiment: Experiment) -> pd.DataFrame:
    """Return how many weights each layer of each policy's own trajectory kept: policy, cycle, layer (in network order), alive
    (mean over seeds), prunable. It is the mask that the cycle trained under.

    Args:
        cells: as :func:`cells_table` makes it.
        layers: weights alive by layer, by the id of a recorded training.
        experiment: names the baselines.
    """
    rows = [
        (policy, row.cycle, *layer) for policy, row in _of_trajectories(cells, experiment) for layer in layers[row.id]
    ]
    frame = pd.DataFrame(rows, columns=["policy", "cycle", "layer", "alive", "prunable"])
    by = frame.groupby(["policy", "cycle", "layer"], sort=False)
    return by.agg(alive=("alive", "mean"), prunable=("prunable", "first")).reset_index()


def sizes_table(cells: pd.DataFrame, flops: Mapping[str, int | None], experiment: Experiment) -> pd.DataFrame:
    """Return how large the networks of each policy's own trajectory were, under the masks that the cycle trained with.

    Columns: policy, cycle, alive and prunable (weights), flops (of one forward pass of one sample, see silo.flops; NaN where it
    isn't known of every seed); means over seeds.

    Args:
        cells: as :func:`cells_table` makes it.
        flops: by the id of a recorded training, as far as they are known.
        experiment: names the baselines.
    """
    rows = [
        (policy, row.cycle, row.alive, row.prunable, flops.get(row.id))
        for policy, row in _of_trajectories(cells, experiment)
    ]
    frame = pd.DataFrame(rows, columns=["policy", "cycle", "alive", "prunable", "flops"])
    by = frame.astype({"flops": "float64"}).groupby(["policy", "cycle"], sort=False)
    sizes = by.agg(alive=("alive", "mean"), prunable=("prunable", "first"), flops=("flops", "mean"))
    return sizes.assign(flops=sizes.flops.where(by.flops.count() == by.size())).reset_index()


def _of_trajectories(cells: pd.DataFrame, experiment: Experiment) -> Iterator[tuple[str, Any]]:
    """Yield (policy, row) for each training of a policy's own trajectory that is recorded; SILO's first."""
    own = {"SILO": cells[cells.chain]}
    own |= {name: of_baseline(cells, "policies", name) for name in experiment.baselines}
    for policy, rows in own.items():
        for row in rows[rows.status != Status.FAILED].itertuples():
            yield policy, row
