"""Accuracies of values that were tried in different seeds, compared as if each had been tried in all of them.

Candidates of one (cycle, seed) share initialization, order and augmentation: an accuracy is a value's effect, a seed's, and
noise. Both effects are fitted by least squares. Values and seeds must hang together: each value shares a seed with another.
"""

from collections.abc import Mapping

import numpy as np

DIGITS = 9  # of what is solved for: later ones are another machine's linear algebra
Accuracies = Mapping[tuple[float, int], float | None]  # percent, by (value, seed); None: diverged, failed


def paired_means(accuracies: Accuracies) -> dict[float, float | None]:
    """Return the mean of each value over all seeds, in percent; None for a value with a None.

    Where every value was tried in every seed these are the plain means.
    """
    values, table = table_of(accuracies)
    means = means_of(table)
    return {value: float(mean) if np.isfinite(mean) else None for value, mean in zip(values, means, strict=True)}


def table_of(accuracies: Accuracies) -> tuple[list[float], np.ndarray]:
    """Return the values, rising, and their accuracies by value and seed: NaN: not tried; -inf: diverged or failed."""
    values, seeds = (sorted({cell[part] for cell in accuracies}) for part in (0, 1))
    rows, columns = ({key: i for i, key in enumerate(keys)} for keys in (values, seeds))
    table = np.full((len(values), len(seeds)), np.nan)
    for (value, seed), accuracy in accuracies.items():
        table[rows[value], columns[seed]] = -np.inf if accuracy is None else accuracy
    return values, table


def means_of(table: np.ndarray) -> np.ndarray:
    """Return the mean of each value over all seeds, in percent.

    Args:
        table: (k, J) accuracies; NaN: not tried; -inf: diverged.

    Returns:
        (k,) means; -inf for a value with a -inf; NaN for one that was tried in no seed.
    """
    means = np.where(np.isneginf(table).any(axis=1), -np.inf, np.nan)
    known = np.isfinite(means) | np.isnan(means)
    rows = np.flatnonzero(known & ~np.isnan(table).all(axis=1))
    used = table[rows][:, ~np.isnan(table[rows]).all(axis=0)] if len(rows) else table[rows]
    if not used.size:
        return means
    if not np.isnan(used).any():
        means[rows] = [sum(row.tolist()) / len(row) for row in used]
        return means
    effects, _, _ = _fit(used)
    of_values, of_seeds = effects[: len(rows)], effects[len(rows) :]
    means[rows] = np.round(of_values + of_seeds.mean(), DIGITS)
    return means


def residuals_of(table: np.ndarray) -> tuple[float, int]:
    """Return what neither value nor seed explains: the sum of squared residuals (points), and its degrees of freedom.

    Args:
        table: (k, J) accuracies; NaN: not tried. Values with a -inf (diverged) say nothing.
    """
    table = table[~np.isneginf(table).any(axis=1)]
    table = table[~np.isnan(table).all(axis=1)]
    table = table[:, ~np.isnan(table).all(axis=0)]
    if not table.size:
        return 0.0, 0
    if np.isnan(table).any():
        _, squares, df = _fit(table)
        return squares, df
    values, seeds = table.shape
    left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    return float((left**2).sum()), (values - 1) * (seeds - 1)


def _fit(table: np.ndarray) -> tuple[np.ndarray, float, int]:
    """The effects (the values', then the seeds'), and what these leave: squares and degrees of freedom."""
    rows, columns = np.nonzero(~np.isnan(table))
    values, seeds = table.shape
    cells = np.arange(len(rows))
    design = np.zeros((len(rows), values + seeds))
    design[cells, rows] = 1
    design[cells, values + columns] = 1
    observed = table[rows, columns]
    effects, _, rank, _ = np.linalg.lstsq(design, observed, rcond=None)
    return effects, float(((observed - design @ effects) ** 2).sum()), len(rows) - int(rank)
