"""How far the noise of few seeds reaches: the standard error of a difference between two grid values."""

import math
from collections.abc import Iterable
from statistics import NormalDist

from oracle.stats.paired import DIGITS, Accuracies, paired_means, residual_variation

LEVEL = 0.05
NEAR_CHANCE = 5.0  # points


def near_best(accuracies: Accuracies, within: float) -> Accuracies:
    """Return the accuracies of the values whose mean is at most so many points below the best's.

    They say what the noise of a training is: a collapsed one's is another.
    """
    means = {value: mean for value, mean in paired_means(accuracies).items() if mean is not None}
    least = max(means.values(), default=0.0) - within
    return {cell: accuracy for cell, accuracy in accuracies.items() if means.get(cell[0], -math.inf) >= least}


def standard_error(cycles: Iterable[Accuracies], within: float) -> float:
    """Return the standard error, in points, of the difference of two grid values' mean accuracies over all seeds.

    Candidates of one (cycle, seed) share initialization, order and augmentation, so what a seed adds to all values drops
    out; what is left is pooled over cycles and near values, since few seeds alone can't carry a variance.

    Args:
        cycles: the grid values' accuracies of each cycle.
        within: points below their cycle's best within which values say what the noise is.

    Returns:
        NaN where no cycle has two seeds and two such values.
    """
    squares, df, seeds = 0.0, 0, 0
    for accuracies in cycles:
        near = near_best(accuracies, within)
        more_squares, more_df = residual_variation(near)
        squares, df = squares + more_squares, df + more_df
        if more_df:
            seeds = max(seeds, len({seed for _, seed in near}))
    return round(math.sqrt(2 * squares / df / seeds), DIGITS) if df else math.nan


def clear_margin(error: float, cycles: int) -> float:
    """Return the points that a difference must have beyond the tolerance to be no noise: 5% over both sides of all cycles."""
    return NormalDist().inv_cdf(1 - LEVEL / (2 * cycles)) * error


def resolvable(error: float) -> float:
    """Return the least tolerance, in points, within which a value as good as the best is measured 95 times in 100."""
    return NormalDist().inv_cdf(1 - LEVEL) * error


def above_chance(chance: float, images: int) -> float:
    """Return the accuracy (percent) that a best one over so many images (all seeds) must exceed to be learning.

    Three standard errors above chance, as the best of many values is judged, and 5 points: a network that collapsed is
    near chance however many images say so.
    """
    share = min(max(chance / 100, 0.0), 1.0)
    return chance + max(NEAR_CHANCE, 300 * math.sqrt(share * (1 - share) / images))
