"""The Oracle's interval beside SILO's max_lr, a row a cycle, from the table of cells."""

from typing import Any

import pandas as pd

from oracle.analysis.cells import skipped_table
from oracle.analysis.measured import measured
from oracle.experiment.spec import Experiment
from oracle.stats.informative import why_uninformative
from oracle.stats.interval import SLACK, Interval, find_interval
from oracle.study.data_info import DataInfo
from oracle.study.record import Status

MEASURED = ("validation", "test", "test_std", "final_test", "final_test_std")


def comparison_table(
    cells: pd.DataFrame, experiment: Experiment, data: DataInfo, skipped: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return one row for each pruning cycle of the experiment, from :func:`cells_table` and :func:`skipped_table` alone.

    Accuracies in percent: best_*, silo_* over the seeds that every grid value has (``seeds`` many; where the Oracle searches,
    those that its best value was tried in); chain_* over all seeds, of SILO's own chain; final_test is that of the last epoch's
    weights. Values are chosen, and the gap measured, by experiment.chosen_on: validation accuracy, or, as
    released, test accuracy. gap: points that SILO lies below the best (none where it diverged: then it is not within the
    tolerance). informative: False where the cycle can't tell (``why``: incomplete, failed trainings, every value diverged,
    collapsed, flat). Of equally good values the middle of their longest run counts as the best.

    Args:
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        experiment: whose cycles, grid, seeds and tolerance are compared.
        data: its chance level, and how many images a seed has.
        skipped: what the Oracle's search didn't try; None where it is exhaustive.
    """
    skipped = skipped_table([]) if skipped is None else skipped
    cells_of, skipped_of = (dict(iter(frame.groupby("cycle"))) for frame in (cells, skipped))
    rows = [
        _cycle_row(cells_of.get(cycle, cells[:0]), experiment, data, cycle, skipped_of.get(cycle, skipped[:0]))
        for cycle in range(experiment.prune.cycles)
    ]
    frame = pd.DataFrame(rows).astype({"within_tolerance": "boolean"})
    texts = {"why", "position"}
    numbers = [name for name in frame if frame[name].dtype == object and name not in texts]
    return frame.astype(dict.fromkeys(numbers, float))


def _cycle_row(
    cells: pd.DataFrame, experiment: Experiment, data: DataInfo, cycle: int, skipped: pd.DataFrame
) -> dict[str, Any]:
    grid = list(experiment.oracle.grid.values())
    silo_max_lr = experiment.schedule.max_lr(cycle)
    candidates, silo, chain = cells[cells.candidate], cells[cells.silo], cells[cells.chain]
    measurement = measured(cells, experiment, skipped)
    tolerance = experiment.oracle.tolerance
    interval = find_interval(list(measurement.means), list(measurement.means.values()), tolerance)
    seeds = measurement.all_seeds if interval is None else measurement.seeds[interval.best]

    row: dict[str, Any] = {
        "cycle": cycle,
        "weights_remaining": cells.weights_remaining.max(),
        "seeds": len(seeds),
        "best_max_lr": None,
        **dict.fromkeys((*(f"best_{part}" for part in MEASURED), "low", "high", "edge_low", "edge_high")),
        "open_low": False,
        "open_high": False,
        "decades": None,
        "informative": False,
        "why": "incomplete" if not seeds else "failed trainings" if _failed(cells) else "every value diverged",
        "silo_max_lr": silo_max_lr,
        "position": "",
        **_accuracies("silo", silo[silo.seed.isin(seeds)], len(seeds)),
        **_accuracies("chain", chain, len(experiment.oracle.seeds)),
        "gap": None,
        "within_tolerance": None,
    }
    if interval is None:
        return row
    best = _accuracies(
        "best", candidates[candidates.seed.isin(seeds) & (candidates.max_lr == interval.best)], len(seeds)
    )
    images = len(seeds) * data.evaluated_on(experiment.chosen_on)
    why = why_uninformative(interval, grid, data.chance, images, _failed(cells))
    row |= {
        **best,
        "best_max_lr": interval.best,
        "low": interval.low,
        "high": interval.high,
        "open_low": interval.open_low,
        "open_high": interval.open_high,
        "edge_low": interval.edge_low,
        "edge_high": interval.edge_high,
        "decades": interval.decades,
        "informative": why == "",
        "why": why,
        "position": _position(interval, silo_max_lr, grid),
    }
    if measurement.silo is not None:
        row["gap"] = interval.accuracy - measurement.silo
        row["within_tolerance"] = row["gap"] <= tolerance + SLACK
    elif (silo[silo.seed.isin(seeds)].status == Status.DIVERGED).any():
        row["within_tolerance"] = False
    return row


def _position(interval: Interval, silo_max_lr: float, grid: list[float]) -> str:
    """Where SILO lies by the interval; past an end that a search left open within the grid it is "beyond what was tried"."""
    position = interval.position(silo_max_lr)
    within = grid[0] <= silo_max_lr <= grid[-1]
    return "beyond what was tried" if position == "beyond grid" and within else position


def _failed(cells: pd.DataFrame) -> bool:
    return bool((cells[cells.candidate | cells.silo].status == Status.FAILED).any())


def _accuracies(who: str, cells: pd.DataFrame, expected: int) -> dict[str, float | None]:
    """Means over the seeds of what is measured, and the test's standard deviation; None unless all ``expected`` are done."""
    if expected == 0 or len(cells) != expected or (cells.status != Status.DONE).any():
        return dict.fromkeys(f"{who}_{part}" for part in MEASURED)
    means = {f"{who}_{part}": float(cells[part].mean()) for part in ("validation", "test", "final_test")}
    deviations = {
        f"{who}_{part}_std": float(cells[part].std()) if expected > 1 else None for part in ("test", "final_test")
    }
    return means | deviations


def proposals(comparison: pd.DataFrame, experiment: Experiment) -> list[float]:
    """Grid values to add where an interval is open: two beyond that end, by the grid's ratio; none for collapsed cycles."""
    spec, grid = experiment.oracle.grid, experiment.oracle.grid.values()
    if len(grid) < 2:
        return []
    # the ratio of the spaced values; a plain list has none but its mean one
    ratio = (
        (spec.high / spec.low) ** (1 / (spec.points - 1))
        if spec.points
        else (grid[-1] / grid[0]) ** (1 / (len(grid) - 1))
    )
    conclusive = _conclusive(comparison)
    below = (
        [grid[0] / ratio**step for step in (2, 1)] if (conclusive.open_low & (conclusive.low <= grid[0])).any() else []
    )
    above = (
        [grid[-1] * ratio**step for step in (1, 2)]
        if (conclusive.open_high & (conclusive.high >= grid[-1])).any()
        else []
    )
    return [float(f"{value:.4g}") for value in (*below, *above)]


def stopped_short(comparison: pd.DataFrame, experiment: Experiment) -> bool:
    """Whether some interval is open within the grid: the search tried none of the values beyond it."""
    grid, conclusive = experiment.oracle.grid.values(), _conclusive(comparison)
    within = (conclusive.open_low & (conclusive.low > grid[0])) | (conclusive.open_high & (conclusive.high < grid[-1]))
    return bool(within.any())


def _conclusive(comparison: pd.DataFrame) -> pd.DataFrame:
    """The cycles whose open ends say something."""
    return comparison[~comparison.why.isin(["collapsed", "incomplete"])]
