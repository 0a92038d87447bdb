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
    by_value: dict[float, list[float | None]] = {}
    for (value, _), accuracy in sorted(accuracies.items()):
        by_value.setdefault(value, []).append(accuracy)
    means: dict[float, float | None] = dict.fromkeys(by_value)
    known = {cell: accuracy for cell, accuracy in accuracies.items() if None not in by_value[cell[0]]}
    if not known:
        return means
    values, seeds, effects, *_ = _fit(known)
    if len(known) == len(values) * len(seeds):
        return means | {value: sum(by_value[value]) / len(seeds) for value in values}
    return means | {
        value: round(float(effects[i] + effects[len(values) :].mean()), DIGITS) for i, value in enumerate(values)
    }


def residual_variation(accuracies: Accuracies) -> tuple[float, int]:
    """Return what neither value nor seed explains: the sum of squared residuals (points), and its degrees of freedom.

    Values with a None say nothing.
    """
    unusable = {value for (value, _), accuracy in accuracies.items() if accuracy is None}
    known = {cell: accuracy for cell, accuracy in accuracies.items() if cell[0] not in unusable}
    if not known:
        return 0.0, 0
    *_, squares, df = _fit(known)
    return squares, df


def _fit(known: Mapping[tuple[float, int], float]) -> tuple[list[float], list[int], np.ndarray, float, int]:
    """The values, the seeds, their effects (the values' first), and what these leave: squares and degrees of freedom."""
    cells = sorted(known)
    values, seeds = (sorted(set(part)) for part in zip(*cells, strict=True))
    rows = np.arange(len(cells))
    design = np.zeros((len(cells), len(values) + len(seeds)))
    design[rows, np.searchsorted(values, [value for value, _ in cells])] = 1
    design[rows, len(values) + np.searchsorted(seeds, [seed for _, seed in cells])] = 1
    observed = np.array([known[cell] for cell in cells])
    effects, _, rank, _ = np.linalg.lstsq(design, observed, rcond=None)
    squares = float(((observed - design @ effects) ** 2).sum())
    return values, seeds, effects, squares, len(cells) - int(rank)
