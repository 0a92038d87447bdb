"""The files of a publication that are read again: with the columns that publishing writes, and values that can be."""

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oracle.analysis.cells import CELL_COLUMNS, SKIPPED_COLUMNS
from oracle.error import InputError
from oracle.experiment.load import recorded_experiment
from oracle.experiment.spec import Experiment
from oracle.files import read_file, read_tree
from oracle.study.data_info import DataInfo
from oracle.study.record import Status

LAYER_COLUMNS = {"policy": "str", "cycle": "int64", "layer": "str", "alive": "float64", "prunable": "int64"}
COST_COLUMNS = {"who": "str", "trainings": "int64", "seconds": "float64", "search_trainings": "Int64"}
SIZE_COLUMNS = {"policy": "str", "cycle": "int64", "alive": "float64", "prunable": "int64", "flops": "float64"}
MEASURED = ("validation", "test", "final_validation", "final_test")
MAX_BYTES = 2**30  # of a table: a row of cells has 200


def read_study(path: Path) -> tuple[Experiment, DataInfo, str]:
    """Return the experiment that experiment.json holds, what is known of its data, and its origin.

    Raises:
        InputError: where it is none that publishing wrote.
    """
    with _reading(path):
        held = read_tree(path)
        if not isinstance(held, dict) or not {"origin", "experiment", "data"} <= held.keys():
            raise ValueError("no origin, experiment and data")
        if not isinstance(held["origin"], str) or not isinstance(held["data"], dict):
            raise ValueError("another origin or data")
        data = DataInfo.from_json(held["data"])
    return recorded_experiment(held, str(path)), data, held["origin"]


def read_environments(path: Path) -> list[dict[str, Any]]:
    """Return what environment.json holds; raises as :func:`read_study` does."""
    with _reading(path):
        held = read_tree(path)
        if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
            raise ValueError("no list of environments")
    return held


def read_cells(path: Path, cycles: int) -> pd.DataFrame:
    """Read the table that :func:`oracle.analysis.cells.cells_table` makes from its csv.

    Args:
        path: of cells.csv.
        cycles: how many the experiment has.

    Raises:
        InputError: where it is another table, or holds what no training leaves.
    """
    with _reading(path):
        cells = _read(path, CELL_COLUMNS)
        _check("status", cells.status.isin([Status.DONE, Status.DIVERGED, Status.FAILED]))
        _check("cycle", cells.cycle.between(0, cycles - 1))
        _check("seed", cells.seed >= 0)
        _check("max_lr", (cells.max_lr > 0) & np.isfinite(cells.max_lr))
        done, failed = cells.status == Status.DONE, cells.status == Status.FAILED
        for name in MEASURED:
            _check(name, cells[name].between(0, 100) | (cells[name].isna() & ~done))
        _check("chosen_epoch", (cells.chosen_epoch >= 0).fillna(False) | (cells.chosen_epoch.isna() & ~done))
        alive = (cells.alive >= 0) & (cells.alive <= cells.prunable)
        _check("alive", alive.fillna(False) | (cells.alive.isna() & failed))
        _check("weights_remaining", cells.weights_remaining.between(0, 100) | (cells.weights_remaining.isna() & failed))
        _check("id", cells.id.notna() & ~cells.id.duplicated())
    return cells.fillna(dict.fromkeys(("policies", "searches"), ""))


def read_skipped(path: Path) -> pd.DataFrame:
    """Read the table that :func:`oracle.analysis.cells.skipped_table` makes; raises as :func:`read_cells` does."""
    with _reading(path):
        skipped = _read(path, SKIPPED_COLUMNS)
        _check("seeds", skipped.seeds.map(lambda seeds: str(seeds).replace(" ", "").isdecimal()).astype(bool))
    return skipped


def read_layers(path: Path) -> pd.DataFrame:
    """Read the table that :func:`oracle.analysis.cells.layers_table` makes; raises as :func:`read_cells` does."""
    with _reading(path):
        layers = _read(path, LAYER_COLUMNS)
        _check("alive", layers.alive.between(0, layers.prunable))
    return layers


def read_sizes(path: Path) -> pd.DataFrame:
    """Read the table that :func:`oracle.analysis.cells.sizes_table` makes; raises as :func:`read_cells` does."""
    with _reading(path):
        sizes = _read(path, SIZE_COLUMNS)
        _check("alive", sizes.alive.between(0, sizes.prunable))
        _check("flops", (sizes.flops >= 0) & np.isfinite(sizes.flops) | sizes.flops.isna())
    return sizes


def read_costs(path: Path) -> pd.DataFrame:
    """Read the table that :func:`oracle.analysis.cost.costs_table` makes; raises as :func:`read_cells` does."""
    with _reading(path):
        costs = _read(path, COST_COLUMNS)
        _check("seconds", (costs.seconds >= 0) & np.isfinite(costs.seconds))
        _check("trainings", costs.trainings >= 0)
    return costs


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, OverflowError, RuntimeWarning) as error:  # pandas raises half a dozen kinds
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        expected = "a file that `silo-oracle publish` wrote"
        raise InputError(f"{path} must be {expected}, got one of another version, or damaged: {reason}") from error


def _read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    content = io.BytesIO(read_file(path, MAX_BYTES))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # of a number that no whole one can hold
        frame = pd.read_csv(content, dtype=dict(columns))
    if missing := [name for name in columns if name not in frame.columns]:
        raise ValueError(f"no column {', '.join(missing)}")
    return frame


def _check(column: str, holds: pd.Series) -> None:
    if not (good := holds.fillna(False).astype(bool)).all():
        raise ValueError(f"{column} is none that a training has in line {int(np.flatnonzero(~good)[0]) + 2}")
