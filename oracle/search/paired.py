"""Accuracies of values that were tried in different seeds, compared as if each had been tried in all of them.

Candidates of one (cycle, seed) share initialization, order and augmentation: an accuracy is a value's effect, a seed's, and
noise. Both effects are fitted by least squares. Values and seeds must hang together: each value shares a seed with another.
"""

import math
from collections.abc import Mapping

import numpy as np

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
    values, seeds, effects, _ = _fit(good)
    if len(good) == len(values) * len(seeds):
        return means | {value: sum(of_seed[value]) / len(seeds) for value in values}
    return means | {value: float(effects[i] + effects[len(values) :].mean()) for i, value in enumerate(values)}


def spread(found: Cells) -> float:
    """The noise of one training: the standard deviation, in points, of what neither its value nor its seed explains.

    Infinite where there are too few trainings to tell; values with a None tell nothing.
    """
    bad = {value for (value, _), accuracy in found.items() if accuracy is None}
    good = {cell: accuracy for cell, accuracy in found.items() if cell[0] not in bad}
    if not good:
        return math.inf
    values, seeds, _, residuals = _fit(good)
    freedom = len(good) - len(values) - len(seeds) + 1
    return math.sqrt(float((residuals**2).sum()) / freedom) if freedom > 0 else math.inf


def _fit(good: Mapping[tuple[float, int], float]) -> tuple[list[float], list[int], np.ndarray, np.ndarray]:
    """The values, the seeds, their effects (the values' first), and what these leave of each accuracy."""
    cells = sorted(good)
    values, seeds = (sorted(set(part)) for part in zip(*cells, strict=True))
    design = np.zeros((len(cells), len(values) + len(seeds)))
    for row, (value, seed) in enumerate(cells):
        design[row, values.index(value)] = design[row, len(values) + seeds.index(seed)] = 1
    accuracies = np.array([good[cell] for cell in cells])
    effects = np.linalg.lstsq(design, accuracies, rcond=None)[0]
    return values, seeds, effects, accuracies - design @ effects
