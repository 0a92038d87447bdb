"""The rules by which claims 1 and 3 and the rival are judged: numbers in, a judgement and its numbers out.

Written, with their sizes and powers on simulated truths (``python -m benchmarks.power``), before a run was judged by them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from oracle.stats.constant import losses_of_constants
from oracle.stats.held_out import (
    Estimate,
    HeldOut,
    Loss,
    best_constant,
    best_of_each_cycle,
    best_segments,
    best_two_levels,
    segment_bounds,
)
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.path import Slope, difference, same_optimum, slope_along
from oracle.stats.response import Responses, middle_of_best

PRACTICAL = math.log2(1.25)  # doublings over all cycles: a growth below it is none


@dataclass(frozen=True)
class Segment:
    """A quarter of the cycles, taken as if it had one optimum.

    Attributes:
        first: number of its first cycle.
        last: number of its last one.
        optimum: max_lr.
        rises: whether its optimum is shown to lie above an earlier segment's.
        falls: whether it is shown to lie below an earlier one's.
    """

    first: int
    last: int
    optimum: float
    rises: bool
    falls: bool


@dataclass(frozen=True)
class Growth:
    """Claim 1: does the best max_lr change as the network is pruned, and grow?

    Attributes:
        judgement: confirmed: growth along SILO's form is shown to be above 0; refuted: it is shown to fall, or any growth of
            practical size (x1.25) is excluded.
        growth: doublings along SILO's own curve from its lowest to its highest value; None where SILO doesn't change.
        exponent: a of max_lr ~ density^-a (0: constant, 1/2 and 1: the rivals); None where the density doesn't change.
        own: doublings by which SILO itself grows over these cycles.
        gain: points that the best schedule of four segments gains over the best constant, held out; None where no value was
            tried everywhere.
        same: p-value of one optimum for all cycles.
        segments: where the path goes.
    """

    judgement: Judgement
    growth: Slope | None
    exponent: Slope | None
    own: float
    gain: Estimate | None
    same: float
    segments: Sequence[Segment]

    @property
    def comes_back(self) -> bool:
        """Whether a segment is shown to fall after one that was shown to rise."""
        rises = [one.rises for one in self.segments]
        return any(one.falls and any(rises[:number]) for number, one in enumerate(self.segments))

    @property
    def excludes_own(self) -> bool:
        """Whether growth of SILO's own size is excluded."""
        return self.growth is not None and self.growth.high < self.own


@dataclass(frozen=True)
class Position:
    """Claim 3: does SILO's max_lr do as well as the Oracle's?

    Attributes:
        judgement: confirmed: every mean loss is at most the tolerance (upper bounds), and no cycle is shown beyond it;
            refuted: a mean is shown beyond it (a third of the level each), or a cycle is (an equal share of the level
            each): two ways, each held to the level.
        losses: points that SILO loses, held out, in the mean of the cycles: to "the best of each cycle", "the best constant"
            and "the best two-level schedule".
        by_cycle: points that it loses to the best of each cycle.
        beyond: numbers of the cycles that are shown to lose more than the tolerance.
    """

    judgement: Judgement
    losses: Mapping[str, Loss]
    by_cycle: Sequence[Loss]
    beyond: Sequence[int]


@dataclass(frozen=True)
class Rival:
    """The rival: would one constant max_lr not do?

    Attributes:
        judgement: refuted: one constant loses at most the tolerance in every cycle (upper bounds); confirmed: every one is
            shown to lose more in some cycle.
        constant: the value whose largest loss in any cycle is bounded lowest.
        loss: its largest loss in any cycle, in points.
        upper: the bound of that loss.
        least: the loss in its worst cycle that every constant is shown to have at least, in points.
        gain: points that SILO gains over the best constant, held out; None where no value was tried everywhere.
    """

    judgement: Judgement
    constant: float
    loss: float
    upper: float
    least: float
    gain: Estimate | None


def judge_growth(measured: Measurements, responses: Responses, level: float) -> Growth:
    """Return the finding on claim 1; the intervals of growth and exponent miss the truth with probability 2 * level."""
    form, own = silo_form(measured)
    growth = slope_along(responses, form, 2 * level) if own > 0 else None
    exponent = slope_along(responses, -np.log2(measured.density), 2 * level)
    span = 1.0 if growth is not None else float(np.ptp(np.log2(measured.density)))
    judgement = judge_slope(growth if growth is not None else exponent, span)
    held = HeldOut(measured)
    gain = None
    if held.common.any():
        gain, _ = held.over(held.chosen(best_segments), held.chosen(best_constant))
    segments = _segments(measured, responses, level)
    return Growth(judgement, growth, exponent, own, gain, same_optimum(responses), segments)


def silo_form(measured: Measurements) -> tuple[np.ndarray, float]:
    """Return SILO's own curve by log2 max_lr, (C,) from 0 to 1, and by how many doublings it grows; 0 where it doesn't."""
    form = np.log2(measured.silo / measured.silo.min())
    own = float(form.max())
    return (form / own if own > 0 else form), own


def judge_slope(slope: Slope | None, span: float = 1.0) -> Judgement:
    """Return the judgement on claim 1 by a slope; span: doublings over all cycles for each of its units."""
    if slope is not None and slope.low > 0:
        return Judgement.CONFIRMED
    if slope is not None and slope.high * span < PRACTICAL:
        return Judgement.REFUTED
    return Judgement.UNDECIDED


def judge_position(measured: Measurements, level: float) -> Position | None:
    """Return the finding on claim 3; None where no value was tried in every seed of every cycle."""
    held = HeldOut(measured)
    if not held.common.any():
        return None
    choices = {
        "the best of each cycle": best_of_each_cycle,
        "the best constant": best_constant,
        "the best two-level schedule": best_two_levels,
    }
    gains = {name: held.over_silo(held.chosen(choice)) for name, choice in choices.items()}
    losses = {name: mean for name, (mean, _) in gains.items()}
    by_cycle = gains["the best of each cycle"][1]
    tolerance, cycles = measured.tolerance, len(measured.cycles)
    beyond = [
        int(cycle)
        for cycle, loss in zip(measured.cycles, by_cycle, strict=True)
        if loss.lower(level / cycles) > tolerance
    ]
    if beyond or any(loss.lower(level / len(losses)) > tolerance for loss in losses.values()):
        judgement = Judgement.REFUTED
    elif all(loss.upper(level) <= tolerance for loss in losses.values()):
        judgement = Judgement.CONFIRMED
    else:
        judgement = Judgement.UNDECIDED
    return Position(judgement, losses, by_cycle, beyond)


def judge_rival(measured: Measurements, responses: Responses, level: float) -> Rival:
    """Return the finding on the rival."""
    estimate, low, high = losses_of_constants(measured, responses, level)
    untried = np.isnan(estimate).any(axis=0)  # and beyond all that was, in some cycle: nothing bounds its loss
    worst, upper = (np.where(untried, np.inf, part.max(axis=0)) for part in (estimate, high))
    least = np.nanmax(low, axis=0)
    at = int(upper.argmin())
    judgement = Judgement.UNDECIDED
    if upper[at] <= measured.tolerance:
        judgement = Judgement.REFUTED
    elif least.min() > measured.tolerance:
        judgement = Judgement.CONFIRMED
    held, gain = HeldOut(measured), None
    if held.common.any():
        loss, _ = held.over_silo(held.chosen(best_constant))
        gain = Estimate(-loss.value, loss.error, loss.df)
    return Rival(
        judgement, float(measured.values[at]), float(worst[at]), float(upper[at]), float(max(least.min(), 0.0)), gain
    )


def _segments(measured: Measurements, responses: Responses, level: float) -> list[Segment]:
    """Four segments of the path; each pair's difference is held to an equal share of the level."""
    bounds = segment_bounds(len(measured.cycles))
    parts = [slice(first, end) for first, end in pairwise(bounds)]
    pairs = max(len(parts) * (len(parts) - 1) // 2, 1)
    segments = []
    for number, part in enumerate(parts):
        rises = falls = False
        for earlier in parts[:number]:
            rows = np.zeros((2, len(measured.cycles)), dtype=bool)
            rows[0, earlier], rows[1, part] = True, True
            apart = difference(responses, rows[0], rows[1], level / pairs)
            rises, falls = rises or apart.low > 0, falls or apart.high < 0
        optimum = responses.optima[middle_of_best(responses.misfit[part].sum(axis=0))]
        first, last = measured.cycles[part][[0, -1]]
        segments.append(Segment(int(first), int(last), float(2**optimum), rises, falls))
    return segments
