"""The cells of a study as one table, a row a finished training; and how many weights each layer kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from oracle.plan.steps import Request, Skipped
from oracle.plan.trajectories import Trajectories

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


def cells_table(chains: Trajectories) -> pd.DataFrame:
    """One row for each finished training of the study, sorted by cycle, seed and max_lr.

    status: done, diverged or failed (with no numbers); accuracies and weights_remaining in percent; candidate, silo and
    chain: as what the study asks for it (see oracle.plan.steps.Request); policies, searches: of which baselines' chains it is,
    and for whose max_lr it was tried (names with a space between).
    """
    wanted: dict[str, list[Request]] = {}
    for step in chains.steps():
        if isinstance(step, Request):
            wanted.setdefault(step.cell.id, []).append(step)
    rows = [row for asked in wanted.values() if (row := _cell_row(chains, asked)) is not None]
    frame = pd.DataFrame(rows, columns=list(CELL_COLUMNS)).astype(CELL_COLUMNS)
    return frame.sort_values(["cycle", "seed", "max_lr", "start", "id"], ignore_index=True)


def _cell_row(chains: Trajectories, asked: list[Request]) -> dict[str, Any] | None:
    cell = asked[0].cell
    row = {
        "cycle": cell.cycle,
        "seed": cell.seed,
        "max_lr": cell.max_lr,
        "id": cell.id,
        "start": cell.start,
        **{flag: any(getattr(one, flag) for one in asked) for flag in ("candidate", "silo", "chain")},
        "policies": " ".join(sorted({one.policy for one in asked} - {""})),
        "searches": " ".join(sorted({one.search for one in asked} - {""})),
    }
    record = chains.store.record(cell.id)
    if record is None:
        return None if chains.store.failure(cell.id) is None else {**row, "status": "failed"}
    outcome = record["outcome"]
    measured = ("validation", "test", "final_validation", "final_test", "chosen_epoch")
    return {
        **row,
        "status": "diverged" if outcome["diverged"] else "done",
        **{name: outcome[name] for name in measured},
        "alive": record["alive"],
        "prunable": record["prunable"],
        "weights_remaining": 100 * record["alive"] / record["prunable"],
        "leaves": record["leaves"],
    }


def skipped_table(chains: Trajectories) -> pd.DataFrame:
    """What the Oracle's search didn't try: cycle, max_lr, seeds (with a space between), why; empty where it is exhaustive."""
    return skipped_frame([step for step in chains.steps() if isinstance(step, Skipped)])


def skipped_frame(steps: Sequence[Skipped]) -> pd.DataFrame:
    """The same from the steps that told it."""
    rows = [(step.cycle, step.max_lr, " ".join(map(str, step.seeds)), step.why) for step in steps]
    return pd.DataFrame(rows, columns=list(SKIPPED_COLUMNS)).astype(SKIPPED_COLUMNS)


def read_cells(path: Path) -> pd.DataFrame:
    """The table as :func:`cells_table` gave it, from its csv."""
    cells = pd.read_csv(path, dtype=CELL_COLUMNS)
    return cells.fillna(dict.fromkeys(("policies", "searches"), ""))


def read_skipped(path: Path) -> pd.DataFrame:
    """The table as :func:`skipped_table` gave it, from its csv."""
    return pd.read_csv(path, dtype=SKIPPED_COLUMNS)


def accuracies(cells: pd.DataFrame, chosen_on: str) -> dict[tuple[float, int], float | None]:
    """Of a cycle's rows: percent by (max_lr, seed); None where it diverged or failed."""
    told = zip(*(cells[name].tolist() for name in ("max_lr", "seed", "status", chosen_on)), strict=True)
    return {(value, seed): accuracy if status == "done" else None for value, seed, status, accuracy in told}


def of_baseline(cells: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """The rows whose ``column`` (policies or searches) names the baseline."""
    return cells[cells[column].map(lambda names: name in names.split()).astype(bool)]  # of no rows it would be no bools


def layers_table(cells: pd.DataFrame, chains: Trajectories) -> pd.DataFrame:
    """How many weights each layer of each policy's own chain kept: policy, cycle, layer (in network order), alive (mean over
    seeds), prunable. It is the mask that the cycle trained under.
    """
    own = {"SILO": cells[cells.chain]}
    own |= {name: of_baseline(cells, "policies", name) for name in chains.experiment.baselines}
    rows = [
        (policy, row.cycle, layer, alive, prunable)
        for policy, of_policy in own.items()
        for row in of_policy[of_policy.status != "failed"].itertuples()
        for layer, alive, prunable in chains.store.whole_record(row.id)["layers"]
    ]
    frame = pd.DataFrame(rows, columns=["policy", "cycle", "layer", "alive", "prunable"])
    by = frame.groupby(["policy", "cycle", "layer"], sort=False)
    return by.agg(alive=("alive", "mean"), prunable=("prunable", "first")).reset_index()
