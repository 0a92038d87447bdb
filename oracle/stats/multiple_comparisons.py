"""Comparing many values with one at once: critical values, the set of values not shown to be worse than the best, intervals.

Sources: Dunnett 1955 (many values against one); Hsu 1981 (multiple comparisons with the best); Nadeau and Bengio 2003, section
5 (random splits of one pool overlap).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2, norm

NODES = 200  # of either integral


@dataclass(frozen=True)
class Noise:
    """What neither a value nor a seed explains of an accuracy.

    spread   standard deviation of one training, in points
    freedom  degrees of freedom that it rests on; at least 1
    overlap  images that a seed is evaluated on, per image that it is trained on, where seeds split one pool at random: they
             share images, so that their mean is less sure than of so many independent ones (Nadeau and Bengio); 0 where the
             images evaluated on are fixed: then all is said of these very images
    """

    spread: float
    freedom: int
    overlap: float = 0.0

    def error(self, seeds: float, others: float) -> float:
        """Standard error, in points, of the difference of two means over so many seeds each."""
        return self.spread * math.sqrt(1 / seeds + 1 / others + 2 * self.overlap)


@cache
def critical(comparisons: int, freedom: int, level: float, two_sided: bool) -> float:
    """Dunnett's: so many differences from one common mean, all over as many seeds (so any two correlate by 1/2), lie beyond so
    many standard errors, any of them, with probability ``level``.
    """
    z, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    shares = (np.arange(NODES) + 0.5) / NODES
    scales = np.sqrt(
        chi2.ppf(shares, freedom) / freedom
    )  # equally likely ratios of an estimated spread to the true one

    def beyond(bound: float) -> float:
        reach = math.sqrt(2) * bound * scales[:, None]
        inside = ndtr(reach + z) - (ndtr(-reach + z) if two_sided else 0.0)
        return 1 - float((inside**comparisons @ weights).mean()) - level

    return brentq(beyond, 0.0, 10 * norm.isf(level / 2 / comparisons) * (1 + 20 / freedom))


def not_worse(means: Mapping[float, float], seeds: Mapping[float, int], noise: Noise, level: float) -> list[float]:
    """The values not shown to be worse than the best: with probability 1 - level at least the truly best is among them.

    means: percent, by value; seeds: how many each was tried in.
    """
    if len(means) < 2:
        return list(means)
    bound = critical(len(means) - 1, noise.freedom, level, two_sided=False)
    return [
        value
        for value, mean in means.items()
        if all(mean >= means[other] - bound * noise.error(seeds[value], seeds[other]) for other in means)
    ]


@dataclass(frozen=True)
class Difference:
    """One mean less another, in points: estimate, and its interval; error: its standard error."""

    estimate: float
    low: float
    high: float
    error: float


def difference(estimate: float, seeds: int, noise: Noise, level: float, chosen_among: int) -> Difference:
    """Of a mean from that of one value which was chosen among so many: the interval holds for whichever is chosen, since it
    holds for all of them at once.
    """
    error = noise.error(seeds, seeds)
    reach = critical(chosen_among, noise.freedom, level, two_sided=True) * error
    return Difference(estimate, estimate - reach, estimate + reach, error)


def seeds_to_settle(found: Difference, noise: Noise, tolerance: float) -> float:
    """How many seeds an interval needs, at its present estimate and noise, to lie on one side of -tolerance; infinite where
    seeds alone can't do it, since they share their pool's images.
    """
    reach = (found.high - found.low) / 2 / found.error  # in standard errors
    distance = abs(found.estimate + tolerance)
    if noise.spread == 0:
        return 1.0
    per_seed = (distance / reach / noise.spread) ** 2 / 2 - noise.overlap
    return math.inf if per_seed <= 0 else max(1.0, 1 / per_seed)
