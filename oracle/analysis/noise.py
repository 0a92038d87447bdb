"""How far the noise of few seeds reaches: the standard error of a difference between two grid values."""

import math
from statistics import NormalDist

import pandas as pd

LEVEL = 0.05
NEAR_CHANCE = 5.0  # points


def standard_error(candidates: pd.DataFrame, near: float, accuracy: str = "validation") -> float:
    """Standard error, in points, of the difference of two grid values' mean accuracies over the seeds.

    Candidates of one (cycle, seed) share initialization, order and augmentation, so what a seed adds to all values drops
    out; what is left is pooled over cycles and near values, since few seeds alone can't carry a variance. NaN where no
    cycle has two seeds and two such values. ``candidates``: the grid values' rows of the cells table; ``near``: points
    below their cycle's best within which values tell the noise (that of a collapsed one is another); ``accuracy``: the
    column that values are chosen by.
    """
    squares, freedom, seeds = 0.0, 0, 0
    done = candidates[candidates.status == "done"]
    for _, cycle in done.groupby("cycle"):
        table = cycle.pivot(index="max_lr", columns="seed", values=accuracy).dropna()
        table = table[table.mean(axis=1) >= table.mean(axis=1).max() - near] if len(table) else table
        values, of_cycle = table.shape
        if values < 2 or of_cycle < 2:
            continue
        residuals = table.sub(table.mean(axis=1), axis=0).sub(table.mean(axis=0), axis=1) + table.to_numpy().mean()
        squares += float((residuals**2).to_numpy().sum())
        freedom += (values - 1) * (of_cycle - 1)
        seeds = max(seeds, of_cycle)
    return math.sqrt(2 * squares / freedom / seeds) if freedom else math.nan


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
