"""Along which path the optimum goes: growth along a given form, one optimum for all cycles, and where it turns."""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtrc, ndtri, stdtrit

from oracle.stats.response import STEP, Responses, middle_of_best

SPAN, STEPS = 6.0, 121  # doublings up and down that a path may go, and in how many steps
POWER = 0.8  # with which a study is said to show an effect


@dataclass(frozen=True)
class Slope:
    """A number with its interval.

    Attributes:
        estimate: of the slope.
        low: lower end of its interval; -inf where nothing bounds it.
        high: upper end; inf where nothing bounds it.
        level: probability that the interval misses the truth.
        slopes: (S,) those that were tried, evenly spaced.
        profile: (S,) how much worse each of them fits than the best, as a share of what is allowed inside the interval.
    """

    estimate: float
    low: float
    high: float
    level: float
    slopes: np.ndarray = field(repr=False, compare=False)
    profile: np.ndarray = field(repr=False, compare=False)

    @property
    def detectable(self) -> float:
        """The smallest slope that such a study shows to be above 0 eight times in ten; infinite where nothing bounds it."""
        half = self.estimate - self.low  # the side that has to lie above 0
        return half * (1 + ndtri(POWER) / ndtri(1 - self.level / 2))


def slope_along(responses: Responses, form: np.ndarray, level: float) -> Slope | None:
    """Return t of log2 optimum = start + t * form, with its interval, from the profile of all cycles' misfit.

    Args:
        responses: of the cycles.
        form: (C,) how far the path has gone at each cycle, in units of t.
        level: probability that the interval misses the truth, in (0, 1).

    Returns:
        None where the form is the same in all cycles, or there are fewer than three.
    """
    if len(form) < 3 or np.ptp(form) < 1e-9:
        return None
    form = form - form.min()
    slopes = np.linspace(-SPAN, SPAN, STEPS) / np.ptp(form)
    misfit = _profile(responses.optima, responses.misfit, form, slopes) / responses.scale
    df = len(form) - 2
    beyond = (misfit.min() - _free(responses)) / df
    if beyond > 1:  # the optimum leaves the path by more than the curves' own noise
        return _slope(slopes, misfit / beyond, df, level)
    return _slope(slopes, misfit, responses.df, level)


def path_along(responses: Responses, form: np.ndarray, slope: float) -> np.ndarray:
    """Return the path of a given slope that fits best, with the best start: log2 optimum, (C,)."""
    starts = np.arange(responses.optima[0] - SPAN / 2, responses.optima[-1] + SPAN / 2, STEP)
    misfit = np.zeros(len(starts))
    for row, gone in zip(responses.misfit, slope * form, strict=True):
        misfit += np.interp(starts + gone, responses.optima, row)
    return starts[misfit.argmin()] + slope * form


def same_optimum(responses: Responses) -> float:
    """Return how often curves would differ at least so much if all cycles had one optimum (by the likelihood ratio)."""
    cycles = len(responses.misfit)
    if cycles < 2:
        return 1.0
    one = responses.misfit.sum(axis=0).min() / responses.scale
    return float(chdtrc(cycles - 1, max(one - _free(responses), 0.0)))


def difference(responses: Responses, early: np.ndarray, late: np.ndarray, level: float) -> Slope:
    """Return by how many doublings the one optimum of some cycles lies above that of others, with its interval.

    Args:
        responses: of all cycles.
        early: (C,) bool, which cycles are compared.
        late: (C,) bool, with which.
        level: probability that the interval misses the truth.
    """
    slopes = np.linspace(-SPAN, SPAN, STEPS)
    together = np.array([responses.misfit[rows].sum(axis=0) for rows in (early, late)])
    misfit = _profile(responses.optima, together, np.array([0.0, 1.0]), slopes) / responses.scale
    return _slope(slopes, misfit, responses.df, level)


def excess(one: Slope, other: Slope) -> Slope:
    """Return by how much a slope exceeds another one, with its interval, from the profiles of both.

    A difference fits as badly as the two slopes that have it and together fit best. They are taken as independent: where they
    share trainings, and with them luck, the interval is rather too wide.

    Args:
        one: the slope.
        other: another one, along the same form (of the same slopes tried) and at the same level.
    """
    tried, count = one.slopes, len(one.slopes)
    differences = (np.arange(2 * count - 1) - (count - 1)) * (tried[1] - tried[0])
    misfit = np.full(len(differences), math.inf)
    for number, own in enumerate(one.profile):
        reached = number - np.arange(count) + count - 1
        misfit[reached] = np.minimum(misfit[reached], own + other.profile)
    inside = np.flatnonzero(misfit <= 1)  # perhaps in two places
    low, high = (_end(differences, misfit, 1.0, int(inside[at]), step) for at, step in ((0, -1), (-1, 1)))
    if math.isinf(one.low) or math.isinf(other.high):  # beyond what was tried it may go on
        low = -math.inf
    if math.isinf(one.high) or math.isinf(other.low):
        high = math.inf
    return Slope(one.estimate - other.estimate, low, high, one.level, differences, misfit)


def _slope(slopes: np.ndarray, misfit: np.ndarray, df: int, level: float) -> Slope:
    """The slope of the least misfit, and where the misfit passes Student's bound on either side."""
    at = middle_of_best(misfit)
    allowed = stdtrit(df, 1 - level / 2) ** 2
    bound = misfit.min() + allowed
    estimate = float(slopes[at])
    if 0 < at < len(slopes) - 1:  # the lowest point of a parabola through it and its neighbours
        below, here, above = misfit[at - 1 : at + 2]
        bend = below - 2 * here + above
        shift = (below - above) / (2 * bend) if bend > 0 else 0.0
        estimate += float(np.clip(shift, -1.0, 1.0) * (slopes[1] - slopes[0]))
    low, high = (_end(slopes, misfit, bound, at, step) for step in (-1, 1))
    return Slope(estimate, low, high, level, slopes, (misfit - misfit.min()) / allowed)


def _free(responses: Responses) -> float:
    """The misfit where every cycle has its own optimum."""
    return float(responses.misfit.min(axis=1).sum()) / responses.scale


def _profile(optima: np.ndarray, misfit: np.ndarray, form: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The least misfit over all starts, by slope; beyond what is tried an optimum costs what it does at the end."""
    starts = np.arange(optima[0] - SPAN / 2, optima[-1] + SPAN / 2, 2 * STEP)
    total = np.zeros((len(slopes), len(starts)))
    for row, gone in zip(misfit, form, strict=True):
        total += np.interp(starts + gone * slopes[:, None], optima, row)
    return total.min(axis=1)


def _end(slopes: np.ndarray, misfit: np.ndarray, bound: float, at: int, step: int) -> float:
    """Where the profile passes the bound on one side, between two slopes that were tried; infinite where it never does."""
    beyond = at
    while 0 <= beyond < len(slopes) and misfit[beyond] <= bound:
        beyond += step
    if not 0 <= beyond < len(slopes):
        return step * math.inf
    inside = beyond - step
    share = (bound - misfit[inside]) / (misfit[beyond] - misfit[inside])
    return float(slopes[inside] + share * (slopes[beyond] - slopes[inside]))
