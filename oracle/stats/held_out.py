"""Schedules chosen on the other seeds and measured on the seed left out, so that what was chosen isn't flattered.

What few seeds choose is somewhat worse than the truly best, so losses to it are somewhat too small: their upper bounds are held
to a smaller share of the level (``Loss``). Where seeds split one pool of images, those that one seed is tested on are among
those that others chose by.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtri, stdtrit

from oracle.stats.measurements import Measurements
from oracle.stats.path import POWER

TIE = 1e-9  # points: means of the same counts may differ in the last bit
SEGMENTS = 4  # of a schedule that may change at all
CARE = 0.8  # of the level that a loss's upper bound is held to
PRIOR_DF = 3  # degrees of freedom with which the trainings' noise stands beside the spread of the seeds

Choice = Callable[[np.ndarray], np.ndarray]  # mean accuracies (C, K, J) of the other seeds -> indices of values (C, J)


@dataclass(frozen=True)
class Estimate:
    """A mean difference of accuracies, in points.

    Attributes:
        value: the estimate.
        error: its standard error.
        df: degrees of freedom that the error rests on.
    """

    value: float
    error: float
    df: float

    def lower(self, level: float) -> float:
        """Return the bound that the truth lies below with probability ``level``."""
        return self.value - float(stdtrit(self.df, 1 - level)) * self.error

    def upper(self, level: float) -> float:
        """Return the bound that the truth lies above with probability ``level``."""
        return self.value + float(stdtrit(self.df, 1 - level)) * self.error

    def detectable(self, level: float) -> float:
        """Return the smallest difference, in points, that such a study shows eight times in ten."""
        return float(stdtrit(self.df, 1 - level) + ndtri(POWER)) * self.error


class Loss(Estimate):
    """Points lost to a schedule that few seeds chose, and no more than to the truly best one."""

    def upper(self, level: float) -> float:
        """Return the bound that the loss to the truly best lies above with probability ``level``.

        At its full level it was missed in 6.7% of simulated studies at nominal 5% (11.5% of one truth's), at four fifths in
        5.5% (10%): ``python -m benchmarks.power``.
        """
        return super().upper(CARE * level)


def best_of_each_cycle(others: np.ndarray) -> np.ndarray:
    """Return the best value of each cycle (ties: the lowest)."""
    return _best(others, axis=1)


def best_constant(others: np.ndarray) -> np.ndarray:
    """Return the value that is best in the mean of all cycles, in each."""
    return _in_segments(others, [0, len(others)])


def best_two_levels(others: np.ndarray) -> np.ndarray:
    """Return the best schedule that changes its value once."""
    cycles, _, seeds = others.shape
    early = others.cumsum(axis=0)
    late = early[-1] - early
    chosen, best = best_constant(others), np.full(seeds, -math.inf)
    for change in range(1, cycles):
        total = early[change - 1].max(axis=0) + late[change - 1].max(axis=0)
        better = total > best + TIE
        best = np.where(better, total, best)
        chosen[:change, better] = _best(early[change - 1], axis=0)[better]
        chosen[change:, better] = _best(late[change - 1], axis=0)[better]
    return chosen


def best_segments(others: np.ndarray) -> np.ndarray:
    """Return the best schedule of four segments of as many cycles each (as nearly as they divide)."""
    return _in_segments(others, segment_bounds(len(others)))


def segment_bounds(cycles: int) -> list[int]:
    """Return where the segments begin, and where the last one ends."""
    parts = min(SEGMENTS, cycles)
    return [round(part * cycles / parts) for part in range(parts + 1)]


def _best(means: np.ndarray, axis: int) -> np.ndarray:
    """The first of the best: equal accuracies may differ in the last bit of their means."""
    return (means >= means.max(axis=axis, keepdims=True) - TIE).argmax(axis=axis)


def _in_segments(others: np.ndarray, bounds: list[int]) -> np.ndarray:
    parts = []
    for first, end in pairwise(bounds):
        parts += [_best(others[first:end].mean(axis=0), axis=0)] * (end - first)
    return np.array(parts)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Schedules among the grid's values that every seed has in every cycle, and SILO's beside them.

    A diverged network names any class: it counts with the chance level.

    Args:
        measured: of a study with at least two seeds.
    """

    measured: Measurements

    @property
    def common(self) -> np.ndarray:
        """Which values were tried in every seed of every cycle, (K,) bool."""
        return ~np.isnan(self.measured.chosen).any(axis=(0, 2))

    def chosen(self, choice: Choice) -> np.ndarray:
        """Return the indices of the values (C, J) that ``choice`` makes for a seed by all others."""
        allowed = np.flatnonzero(self.common)
        accuracies = self._counted(self.measured.chosen[:, allowed])
        others = (accuracies.sum(axis=2, keepdims=True) - accuracies) / (self.measured.seeds - 1)
        return allowed[choice(others)]

    def tested(self, chosen: np.ndarray) -> np.ndarray:
        """Return what chosen values (C, J) reach in the seeds that were left out, (C, J)."""
        rows = np.take_along_axis(self.measured.tested, chosen[:, None, :], axis=1)[:, 0, :]
        return self._counted(rows)

    @property
    def silo(self) -> np.ndarray:
        """What SILO reaches, (C, J)."""
        return self._counted(self.measured.silo_tested)

    def over(self, chosen: np.ndarray, other: np.ndarray) -> tuple[Estimate, list[Estimate]]:
        """Return what one schedule of values (C, J) gains over another: in the mean of all cycles, and in each."""
        return self._gain(self.tested(chosen) - self.tested(other), chosen == other)

    def over_silo(self, chosen: np.ndarray) -> tuple[Loss, list[Loss]]:
        """Return what SILO loses to a schedule of values (C, J): in the mean of all cycles, and in each."""
        same = np.isclose(self.measured.values[chosen], self.measured.silo[:, None], rtol=1e-9)
        mean, by_cycle = self._gain(self.tested(chosen) - self.silo, same)
        return _loss(mean), [_loss(one) for one in by_cycle]

    def _counted(self, accuracies: np.ndarray) -> np.ndarray:
        return np.where(np.isneginf(accuracies), self.measured.chance, accuracies)

    def _gain(self, differences: np.ndarray, same: np.ndarray) -> tuple[Estimate, list[Estimate]]:
        """The mean of differences (C, J), of which some are of one training with itself."""
        noise, (cycles, seeds) = self.measured.noise_tested, differences.shape
        single = 2 * noise.sd**2 * (1 - same.mean(axis=1))  # variance of one seed's difference
        spread = float(differences.var(axis=1, ddof=1).sum())
        if spread > single.sum() > 0:  # seeds differ by more than their trainings' noise
            single = single * (spread / single.sum())
        share = 1 / seeds + noise.overlap
        by_cycle = [
            Estimate(float(mean), math.sqrt(variance * share), float(df))
            for mean, variance, df in zip(differences.mean(axis=1), single, noise.df, strict=True)
        ]
        # seeds may differ in their best max_lr in all cycles alike, which a training's noise doesn't tell
        own = seeds - 1
        of_seeds = own * float(differences.mean(axis=0).var(ddof=1)) * share / (own + PRIOR_DF)
        of_noise = PRIOR_DF * float(single.sum()) * share / cycles**2 / (own + PRIOR_DF)
        variance = of_seeds + of_noise
        # degrees of freedom of a sum of two estimates (Satterthwaite 1946)
        doubt = of_seeds**2 / own + of_noise**2 / max(noise.df_of_all, 1)
        df = variance**2 / doubt if doubt else float(own + PRIOR_DF)
        return Estimate(float(differences.mean()), math.sqrt(variance), df), by_cycle


def _loss(gain: Estimate) -> Loss:
    return Loss(gain.value, gain.error, gain.df)
