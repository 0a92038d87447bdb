"""How far the noise of few seeds reaches: the standard error of a difference between two grid values."""

import math
from statistics import NormalDist

import pandas as pd

from oracle.analysis.cells import accuracies
from oracle.stats.paired import DIGITS, paired_means, residual_variation

LEVEL = 0.05
NEAR_CHANCE = 5.0  # points


def standard_error(candidates: pd.DataFrame, near: float, accuracy: str = "validation") -> float:
    """Standard error, in points, of the difference of two grid values' mean accuracies over all seeds.

    Candidates of one (cycle, seed) share initialization, order and augmentation, so what a seed adds to all values drops
    out; what is left is pooled over cycles and near values, since few seeds alone can't carry a variance. NaN where no
    cycle has two seeds and two such values. ``candidates``: the grid values' rows of the cells table; ``near``: points
    below their cycle's best within which values tell the noise (that of a collapsed one is another); ``accuracy``: the
    column that values are chosen by.
    """
    squares, freedom, seeds = 0.0, 0, 0
    for _, cycle in candidates.groupby("cycle"):
        found = accuracies(cycle, accuracy)
        means = {value: mean for value, mean in paired_means(found).items() if mean is not None}
        top = max(means.values(), default=0.0)
        near_best = {cell: told for cell, told in found.items() if means.get(cell[0], -math.inf) >= top - near}
        more_squares, more_freedom = residual_variation(near_best)
        squares, freedom = squares + more_squares, freedom + more_freedom
        if more_freedom:
            seeds = max(seeds, len({seed for _, seed in near_best}))
    return round(math.sqrt(2 * squares / freedom / seeds), DIGITS) if freedom else math.nan


def clear_margin(error: float, cycles: int) -> float:
    """Points that a difference must have beyond the tolerance to be no noise: 5% over both sides of all cycles."""
    return NormalDist().inv_cdf(1 - LEVEL / (2 * cycles)) * error


def resolvable(error: float) -> float:
    """The least tolerance, in points, within which a value as good as the best is measured 95 times in 100."""
    return NormalDist().inv_cdf(1 - LEVEL) * error


def above_chance(chance: float, images: int) -> float:
    """The accuracy (percent) that a best one over so many images (all seeds) must exceed to be learning.

    Three standard errors above chance, as the best of many values is judged, and 5 points: a network that collapsed is
    near chance however many images say so.
    """
    share = min(max(chance / 100, 0.0), 1.0)
    return chance + max(NEAR_CHANCE, 300 * math.sqrt(share * (1 - share) / images))
