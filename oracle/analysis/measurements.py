"""The accuracies that a study's verdicts are computed from, out of the table of cells."""

import numpy as np
import pandas as pd

from oracle.experiment.spec import Experiment
from oracle.stats.measurements import Measurements
from oracle.study.data_info import DataInfo
from oracle.study.measurements import PARTS, measurements_of
from oracle.study.record import Status


def measurements(
    cells: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment, data: DataInfo
) -> Measurements | None:
    """Return the accuracies of the informative cycles, as :func:`oracle.study.measurements.measurements_of` has them.

    Args:
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: whose grid, seeds and tolerance they are.
        data: how many images a seed trains on and is evaluated on.

    Returns:
        None where there is no informative cycle, or fewer than two seeds that have all.
    """
    rows = comparison[comparison.informative.astype(bool)]
    cycles, values = rows.cycle.tolist(), list(experiment.oracle.grid.values())
    seeds = experiment.oracle.seeds
    candidates = cells[cells.candidate & cells.max_lr.isin(values)]
    silo = {part: _table(cells[cells.silo], part, cycles, seeds, "cycle") for part in PARTS}
    by_cycle = {
        part: np.array(
            [_table(candidates[candidates.cycle == cycle], part, values, seeds, "max_lr") for cycle in cycles]
        )
        for part in PARTS
    }
    return measurements_of(by_cycle, silo, cycles, rows.weights_remaining.to_numpy(float) / 100, experiment, data)


def _table(cells: pd.DataFrame, part: str, keys: list, seeds: tuple[int, ...] | list[int], key: str) -> np.ndarray:
    """Accuracies by key and seed; NaN: no training; -inf: it diverged or failed."""
    table = np.full((len(keys), len(seeds)), np.nan)
    rows, columns = ({name: i for i, name in enumerate(names)} for names in (keys, seeds))
    for name, seed, status, accuracy in zip(cells[key], cells.seed, cells.status, cells[part], strict=True):
        if name in rows and seed in columns:
            table[rows[name], columns[seed]] = accuracy if status == Status.DONE else -np.inf
    return table
