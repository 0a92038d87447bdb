"""Accuracies of values that were tried in different seeds, compared as if each had been tried in all of them.

Candidates of one (cycle, seed) share initialization, order and augmentation: an accuracy is a value's effect, a seed's, and
noise. Both effects are fitted by least squares. Values and seeds must hang together: each value shares a seed with another.
"""

from collections.abc import Mapping

import numpy as np

DIGITS = 9  # of what is solved for: later ones are another machine's linear algebra
Cells = Mapping[tuple[float, int], float | None]  # accuracies (percent) by (value, seed); None: diverged, failed


def paired_means(found: Cells) -> dict[float, float | None]:
    """The mean over all seeds for each value. Where every value was tried in every seed these are the plain means; a value with
    a None has None.
    """
    of_seed: dict[float, list[float | None]] = {}
    for (value, _), accuracy in sorted(found.items()):
        of_seed.setdefault(value, []).append(accuracy)
    means: dict[float, float | None] = dict.fromkeys(of_seed)
    good = {cell: accuracy for cell, accuracy in found.items() if None not in of_seed[cell[0]]}
    if not good:
        return means
    values, seeds, effects, *_ = _fit(good)
    if len(good) == len(values) * len(seeds):
        return means | {value: sum(of_seed[value]) / len(seeds) for value in values}
    return means | {
        value: round(float(effects[i] + effects[len(values) :].mean()), DIGITS) for i, value in enumerate(values)
    }


def residual_variation(found: Cells) -> tuple[float, int]:
    """What neither value nor seed explains of the accuracies: the sum of its squares (points), and its degrees of freedom.

    Values with a None tell nothing.
    """
    bad = {value for (value, _), accuracy in found.items() if accuracy is None}
    good = {cell: accuracy for cell, accuracy in found.items() if cell[0] not in bad}
    if not good:
        return 0.0, 0
    *_, squares, freedom = _fit(good)
    return squares, freedom


def _fit(good: Mapping[tuple[float, int], float]) -> tuple[list[float], list[int], np.ndarray, float, int]:
    """The values, the seeds, their effects (the values' first), and what these leave: squares and degrees of freedom."""
    cells = sorted(good)
    values, seeds = (sorted(set(part)) for part in zip(*cells, strict=True))
    rows = np.arange(len(cells))
    design = np.zeros((len(cells), len(values) + len(seeds)))
    design[rows, np.searchsorted(values, [value for value, _ in cells])] = 1
    design[rows, len(values) + np.searchsorted(seeds, [seed for _, seed in cells])] = 1
    accuracies = np.array([good[cell] for cell in cells])
    effects, _, rank, _ = np.linalg.lstsq(design, accuracies, rcond=None)
    squares = float(((accuracies - design @ effects) ** 2).sum())
    return values, seeds, effects, squares, len(cells) - int(rank)
