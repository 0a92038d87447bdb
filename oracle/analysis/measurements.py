"""The accuracies that a study's verdicts are computed from, out of the table of cells."""

import numpy as np
import pandas as pd

from oracle.experiment.spec import Experiment
from oracle.stats.measurements import Measurements
from oracle.study.data_info import DataInfo
from oracle.study.record import Status


def measurements(
    cells: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment, data: DataInfo
) -> Measurements | None:
    """Return the accuracies of the informative cycles, in the seeds in which all was measured that was in any.

    A search that gives the better values more seeds than others leaves fewer such seeds, or none: what it measured is
    chosen by its luck, and no interval would hold.

    Args:
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: whose grid, seeds and tolerance they are.
        data: how many images a seed trains on and is evaluated on.

    Returns:
        None where there is no informative cycle, or fewer than two such seeds.
    """
    rows = comparison[comparison.informative.astype(bool)]
    cycles, values = rows.cycle.tolist(), list(experiment.oracle.grid.values())
    if not cycles:
        return None
    seeds = experiment.oracle.seeds
    candidates = cells[cells.candidate & cells.max_lr.isin(values)]
    silo = {part: _table(cells[cells.silo], part, cycles, seeds, "cycle") for part in PARTS}
    by_cycle = {
        part: np.array(
            [_table(candidates[candidates.cycle == cycle], part, values, seeds, "max_lr") for cycle in cycles]
        )
        for part in PARTS
    }
    missing = np.isnan(by_cycle["test"])
    holes = missing & ~missing.all(axis=2, keepdims=True)
    own = np.flatnonzero(~(holes.any(axis=(0, 1)) | np.isnan(silo["test"]).any(axis=0)))
    if len(own) < 2:
        return None
    chosen_on = experiment.chosen_on
    return Measurements(
        cycles=np.array(cycles),
        density=rows.weights_remaining.to_numpy(float) / 100,
        values=np.array(values),
        chosen=by_cycle[chosen_on][:, :, own],
        tested=by_cycle["test"][:, :, own],
        silo=rows.silo_max_lr.to_numpy(float),
        silo_chosen=silo[chosen_on][:, own],
        silo_tested=silo["test"][:, own],
        tolerance=experiment.oracle.tolerance,
        chance=data.chance,
        overlap_chosen=overlap(experiment, data, chosen_on),
        overlap_tested=overlap(experiment, data, "test"),
    )


PARTS = ("validation", "test")


def overlap(experiment: Experiment, data: DataInfo, part: str) -> float:
    """Return how many images of a part of the data seeds share, per training image; official test images are fixed: 0."""
    fixed = part == "test" and experiment.data.split.kind == "carve"
    return 0.0 if fixed else data.evaluated_on(part) / data.training_images


def _table(cells: pd.DataFrame, part: str, keys: list, seeds: tuple[int, ...] | list[int], key: str) -> np.ndarray:
    """Accuracies by key and seed; NaN: no training; -inf: it diverged or failed."""
    table = np.full((len(keys), len(seeds)), np.nan)
    rows, columns = ({name: i for i, name in enumerate(names)} for names in (keys, seeds))
    for name, seed, status, accuracy in zip(cells[key], cells.seed, cells.status, cells[part], strict=True):
        if name in rows and seed in columns:
            table[rows[name], columns[seed]] = accuracy if status == Status.DONE else -np.inf
    return table
