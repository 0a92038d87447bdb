"""How far a training's accuracy goes by luck, cycle by cycle; and what is above chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oracle.stats.paired import residuals_of

PRIOR_DF = 6  # degrees of freedom with which all cycles' noise stands beside a cycle's own
NEAR_CHANCE = 5.0  # points


@dataclass(frozen=True, eq=False)
class Noise:
    """What neither a value nor a seed explains of an accuracy.

    Candidates of one (cycle, seed) share initialization, order and augmentation, so what a seed adds to all values drops
    out. A cycle's own variance is shrunk to that of all, since few seeds alone can't carry one.

    Attributes:
        sd: (C,) standard deviation of one training, in points; NaN where no cycle tells it.
        df: (C,) degrees of freedom that a cycle's rests on.
        df_of_all: of all cycles together; 0: the noise is unknown.
        overlap: images that a seed is evaluated on per image that it trains on, where seeds split one pool at random: they
            share images, so that their mean is less sure than that of so many independent ones (Nadeau and Bengio 2003).
    """

    sd: np.ndarray
    df: np.ndarray
    df_of_all: int
    overlap: float

    def variance(self, seeds: int | np.ndarray) -> np.ndarray:
        """Return the variance of a mean over so many seeds, but for what all values share; (C,), or as seeds has it."""
        return self.sd**2 * (1 / seeds + self.overlap)

    def error(self, seeds: int | np.ndarray) -> np.ndarray:
        """Return the standard error, in points, of the difference of two means over so many seeds each."""
        return np.sqrt(2 * self.variance(seeds))


def noise_of(cycles: Sequence[np.ndarray], overlap: float) -> Noise:
    """Return the noise by cycle.

    Args:
        cycles: for each, accuracies (k, J) of the values that tell its noise: a collapsed network's is another.
        overlap: see :class:`Noise`.
    """
    squares, df = np.array([residuals_of(cycle) for cycle in cycles]).reshape(-1, 2).T
    of_all = squares.sum() / df.sum() if df.sum() else math.nan
    variances = (squares + PRIOR_DF * of_all) / (df + PRIOR_DF)
    return Noise(np.sqrt(variances), df + PRIOR_DF, int(df.sum()), overlap)


def above_chance(chance: float, images: int) -> float:
    """Return the accuracy (percent) that a best one over so many images (all seeds) must exceed to be learning.

    Three standard errors above chance, as the best of many values is judged, and 5 points: a network that collapsed is
    near chance however many images say so.
    """
    share = min(max(chance / 100, 0.0), 1.0)
    return chance + max(NEAR_CHANCE, 300 * math.sqrt(share * (1 - share) / images))
