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
from scipy.special import gammaincinv, ndtr, ndtri

NODES = 200  # of either integral


@dataclass(frozen=True)
class Noise:
    """What neither a value nor a seed explains of an accuracy.

    Attributes:
        sd: standard deviation of one training, in points.
        df: degrees of freedom that it rests on; at least 1.
        overlap: images that a seed is evaluated on, per image that it is trained on, where seeds split one pool at random:
            they share images, so that their mean is less sure than that of so many independent ones (Nadeau and Bengio); 0
            where the images evaluated on are fixed: then all is said of these very images.
    """

    sd: float
    df: int
    overlap: float = 0.0

    def error(self, seeds: float, others: float) -> float:
        """Return the standard error, in points, of the difference of two means over so many seeds each."""
        return self.sd * math.sqrt(1 / seeds + 1 / others + 2 * self.overlap)


@cache
def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of an integral over the standard normal distribution; finding them takes longer than using them."""
    z, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return z, weights / weights.sum()


@cache
def critical(comparisons: int, df: int, level: float, two_sided: bool) -> float:
    """Return Dunnett's critical value: that many standard errors which any of some differences exceeds with probability
    ``level``.

    Args:
        comparisons: how many differences from one common mean there are, all over as many seeds (so any two correlate by 1/2).
        df: degrees of freedom of the noise.
        level: probability, in (0, 1).
        two_sided: whether a difference may exceed it on either side.
    """
    z, weights = _normal_nodes()
    shares = (np.arange(NODES) + 0.5) / NODES
    # equally likely ratios of an estimated standard deviation to the true one
    scales = np.sqrt(2 * gammaincinv(df / 2, shares) / df)

    def beyond(bound: float) -> float:
        reach = math.sqrt(2) * bound * scales[:, None]
        inside = ndtr(reach + z) - (ndtr(-reach + z) if two_sided else 0.0)
        return 1 - float((inside**comparisons @ weights).mean()) - level

    return brentq(beyond, 0.0, 10 * -ndtri(level / 2 / comparisons) * (1 + 20 / df))


def best_subset(means: Mapping[float, float], seeds: Mapping[float, int], noise: Noise, level: float) -> list[float]:
    """Return the values not shown to be worse than the best (Hsu 1981): with probability 1 - level the truly best is among
    them.

    Args:
        means: percent, by value.
        seeds: in how many each was tried.
        noise: of one training.
        level: probability of an error, in (0, 1).
    """
    if len(means) < 2:
        return list(means)
    bound = critical(len(means) - 1, noise.df, level, two_sided=False)
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
    """Return a mean less that of a value which was chosen among some, with its interval (Dunnett 1955): it holds for whichever
    was chosen, since it holds for all of them at once.

    Args:
        estimate: the difference, in points.
        seeds: how many both means are over.
        noise: of one training.
        level: probability that the interval misses the truth, in (0, 1).
        chosen_among: how many values there were to choose from.
    """
    error = noise.error(seeds, seeds)
    reach = critical(chosen_among, noise.df, level, two_sided=True) * error
    return Difference(estimate, estimate - reach, estimate + reach, error)


def seeds_to_settle(interval: Difference, noise: Noise, tolerance: float) -> float:
    """Return how many seeds an interval needs, at its present estimate and noise, to lie on one side of -tolerance; infinite
    where seeds alone can't do it, since they share their pool's images.
    """
    reach = (interval.high - interval.low) / 2 / interval.error  # in standard errors
    distance = abs(interval.estimate + tolerance)
    if noise.sd == 0:
        return 1.0
    per_seed = (distance / reach / noise.sd) ** 2 / 2 - noise.overlap
    return math.inf if per_seed <= 0 else max(1.0, 1 / per_seed)
