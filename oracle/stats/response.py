"""One response curve a cycle: mean accuracy over log2 max_lr near the best, and how well each optimum explains it.

The curve is top - left d^2 below the optimum and top - right d^2 above it, d the distance to it in doublings of max_lr, left
and right at least 0 and each its own: a peak that stands still while its sides change is no growth. What lies beyond the
values near the best may fall off any cliff; it only bounds the optimum.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import stdtrit  # Student's quantiles; scipy.stats has the same, and takes half a second to import

from oracle.stats.measurements import Measurements

STEP = 1 / 24  # doublings between the optima that are tried
BEYOND = 2.0  # doublings beyond the grid that an optimum may lie, where its end is open
BARRIER = 16.0  # what an optimum beyond a value that is far from the best costs: four standard errors, squared
PARAMETERS = 4  # of a curve: optimum, top, left, right
EQUAL = 0.01  # misfit by which optima are equally good: of three values many explain all


@dataclass(frozen=True, eq=False)
class Responses:
    """The response curves of a study's cycles (C), for every optimum that is tried (O).

    Attributes:
        optima: (O,) log2 max_lr.
        misfit: (C, O) squared residuals of the best curve with that optimum, in units of their variance.
        top: (C, O) percent at the optimum.
        sides: (2, C, O) points per doubling squared, below and above the optimum.
        top_variance: (C, O) of top, in points squared.
        side_variances: (2, C, O) of sides; infinite where no value lies on that side.
        scale: by how much the residuals exceed what noise explains, squared; at least 1: the intervals are widened by it.
        df: degrees of freedom of the noise.
    """

    optima: np.ndarray
    misfit: np.ndarray
    top: np.ndarray
    sides: np.ndarray
    top_variance: np.ndarray
    side_variances: np.ndarray
    scale: float
    df: int

    @property
    def at_best(self) -> np.ndarray:
        """Which optimum explains each cycle best, as a place in ``optima``, (C,); the middle one of equally good ones."""
        return np.array([middle_of_best(row) for row in self.misfit])

    @property
    def best(self) -> np.ndarray:
        """The optimum of each cycle that explains it best, log2 max_lr, (C,)."""
        return self.optima[self.at_best]

    def intervals(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return a band that holds all cycles' optima at once with probability 1 - level: its low and high end, (C,) each.

        Infinite where it reaches as far as optima are tried.
        """
        bound = stdtrit(self.df, 1 - level / 2 / len(self.misfit)) ** 2 * self.scale
        inside = self.misfit <= self.misfit.min(axis=1, keepdims=True) + bound
        first, last = inside.argmax(axis=1), inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
        low = np.where(first == 0, -np.inf, self.optima[first])
        return low, np.where(last == inside.shape[1] - 1, np.inf, self.optima[last])

    def curve(self, cycle: int, log_values: np.ndarray) -> np.ndarray:
        """Return a cycle's best curve, in percent, at some log2 max_lr."""
        at = self.at_best[cycle]
        distance = log_values - self.optima[at]
        side = np.where(distance < 0, *self.sides[:, cycle, at])
        return self.top[cycle, at] - side * distance**2


def middle_of_best(misfit: np.ndarray) -> int:
    """Return the place of the least misfit; of those that are as good but for rounding, or nearly so, the middle one."""
    good = np.flatnonzero(misfit <= misfit.min() + EQUAL)
    return int(good[len(good) // 2])


def responses(measured: Measurements) -> Responses:
    """Return the response curves of a study, fitted to the mean accuracies of the values near each cycle's best.

    The means are paired by seed and weighted by their cycle's own noise; seeds that share images are less sure (see
    ``Noise``).
    """
    x = measured.log_values
    optima = np.arange(x[0] - BEYOND, x[-1] + BEYOND + STEP / 2, STEP)
    weights = 1 / np.maximum(measured.noise.variance(measured.seeds), 1e-12)
    fits, residual, df = [], 0.0, 0
    for mean, near, weight in zip(measured.means, measured.near, weights, strict=True):
        fit = _fit(x[near], mean[near], np.full(near.sum(), weight), optima)
        residual += fit[0].min()
        df += max(near.sum() - PARAMETERS, 0)
        known = x[~np.isnan(mean)]
        below, above = known[known < x[near][0]], known[known > x[near][-1]]
        ends = (below[-1] if len(below) else -np.inf) - 1e-9, (above[0] if len(above) else np.inf) + 1e-9
        outside = (optima < ends[0]) | (optima > ends[1])
        fits.append((np.where(outside, np.maximum(fit[0], fit[0][~outside].min() + BARRIER), fit[0]), *fit[1:]))
    misfit, top, sides, top_variance, side_variances = (np.array(part) for part in zip(*fits, strict=True))
    scale = max(1.0, residual / df) if df else 1.0
    both = (np.moveaxis(part, 1, 0) for part in (sides, side_variances))
    sides, side_variances = both
    return Responses(optima, misfit, top, sides, top_variance, side_variances, scale, max(measured.noise.df_of_all, 1))


def _fit(x: np.ndarray, means: np.ndarray, weights: np.ndarray, optima: np.ndarray) -> tuple[np.ndarray, ...]:
    """The best curve for every optimum: misfit, top, sides (2, O), and the variances of top and sides.

    Least squares over top, left and right; where left or right came out below 0, it is 0. For a given top either side is a
    regression of its own, so that all is in closed form.
    """
    total, center = weights.sum(), means.mean()
    y = means - center
    distance = x - optima[:, None]
    moments = []
    for squares in (np.where(distance < 0, distance**2, 0.0), np.where(distance > 0, distance**2, 0.0)):
        moments.append((squares @ weights, squares**2 @ weights, squares @ (weights * y)))
    present = [square > 1e-9 * total for _, square, _ in moments]
    inverse = [
        np.where(there, 1 / np.where(there, square, 1), 0)
        for there, (_, square, _) in zip(present, moments, strict=True)
    ]
    best = np.full(len(optima), np.inf)
    top, sides = np.zeros(len(optima)), np.zeros((2, len(optima)))
    for used in product((1, 0), repeat=2):
        pairs = list(zip(used, moments, inverse, strict=True))
        freedom = total - sum(use * first**2 * one for use, (first, _, _), one in pairs)
        known = freedom > 1e-6 * total
        target = (weights * y).sum() - sum(use * first * cross * one for use, (first, _, cross), one in pairs)
        peak = np.where(known, target / np.where(known, freedom, 1), 0)
        slopes = [use * (peak * first - cross) * one for use, (first, _, cross), one in pairs]
        squares = (weights * y**2).sum() - peak * (weights * y).sum()
        squares = squares + sum(slope * cross for slope, (_, _, cross) in zip(slopes, moments, strict=True))
        better = known & (slopes[0] >= -1e-9) & (slopes[1] >= -1e-9) & (squares < best)
        best, top = np.where(better, squares, best), np.where(better, peak + center, top)
        sides = np.where(better, np.maximum(slopes, 0.0), sides)
    freedom = total - sum(first**2 * one for (first, _, _), one in zip(moments, inverse, strict=True))
    freedom = np.maximum(freedom, 1e-9 * total)
    variances = [
        np.where(there, one + (first * one) ** 2 / freedom, np.inf)
        for there, one, (first, _, _) in zip(present, inverse, moments, strict=True)
    ]
    return np.maximum(best, 0), top, sides, 1 / freedom, np.array(variances)
