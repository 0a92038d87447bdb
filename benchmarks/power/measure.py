"""What the rules say of many studies drawn from one truth, and which of it would be false."""

import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np

from benchmarks.power.draw import draw
from benchmarks.power.truths import AT_TOLERANCE, EXACT, OWN, Known, Truth
from oracle.stats.held_out import HeldOut, best_of_each_cycle
from oracle.stats.measurements import Measurements
from oracle.stats.response import responses
from oracle.stats.rules import PRACTICAL, Judgement, judge_growth, judge_position, judge_rival

LEVEL = 0.05
VERDICTS = (
    "growth_confirmed",
    "growth_refuted",
    "own_excluded",
    "gain_shown",
    "same_rejected",
    "turn_seen",
    "position_confirmed",
    "position_refuted",
    "rival_confirmed",
    "rival_refuted",
)
HELD = ("growth_held", "optima_held", "loss_held")
ESTIMATES = ("growth", "loss")
COLUMNS = VERDICTS + HELD + ESTIMATES


def outcomes(truth: Truth, known: Known, numbers: range) -> np.ndarray:
    """Return what the rules say of the studies with these numbers, (studies, ``COLUMNS``); NaN: the question doesn't arise.

    A study's accuracies hang on its truth and number alone, and on whether its intervals are widened they don't.
    """
    words = sorted(asdict(replace(truth, widened=True)).items())
    stream = zlib.crc32(repr(words).encode())
    return np.array([_outcome(truth, known, np.random.default_rng([stream, number])) for number in numbers])


def _outcome(truth: Truth, known: Known, random: np.random.Generator) -> list[float]:
    study, target = draw(truth, random)
    curves = responses(study)
    growth = judge_growth(study, curves, LEVEL)
    position = judge_position(study, LEVEL)
    rival = judge_rival(study, curves, LEVEL)
    loss = position.losses["the best of each cycle"]
    low, high = curves.intervals(LEVEL)
    real = math.log2(truth.growth) if truth.path == "silo" else math.nan
    return [
        growth.judgement == Judgement.CONFIRMED,
        growth.judgement == Judgement.REFUTED,
        growth.excludes_own,
        growth.gain.lower(LEVEL) > 0,
        growth.same < LEVEL,
        growth.comes_back,
        position.judgement == Judgement.CONFIRMED,
        position.judgement == Judgement.REFUTED,
        rival.judgement == Judgement.CONFIRMED,
        rival.judgement == Judgement.REFUTED,
        math.nan if math.isnan(real) else growth.growth.low <= real <= growth.growth.high,
        bool(((low <= known.plateau[1] + EXACT) & (high >= known.plateau[0] - EXACT)).all()),
        loss.lower(LEVEL) <= _loss_of_chosen(study, target) <= loss.upper(LEVEL),
        growth.growth.estimate,
        loss.value,
    ]


def _loss_of_chosen(study: Measurements, target: np.ndarray) -> float:
    """What SILO truly loses to the values that were chosen."""
    chosen = HeldOut(study).chosen(best_of_each_cycle)
    best = np.take_along_axis(np.where(np.isinf(target), study.chance, target), chosen, axis=1)
    return float((best - target[:, -1:]).mean())


def false(truth: Truth, known: Known) -> Mapping[str, str]:
    """Return which verdicts would be false: "false", or "edge" where the truth lies at the very border of the claim."""
    grows, along = math.log2(truth.growth), truth.path == "silo"
    own = grows if truth.on_optimum else math.log2(OWN)
    still = known.plateau[0].max() <= known.plateau[1].min() + EXACT
    tolerance, most = truth.size.tolerance, max(known.losses)
    at_tolerance = abs(most - tolerance) <= 1e-3
    of_all = truth.split != "fixed"  # a fixed test set has a truth of its own in every study
    inside = most <= tolerance + 1e-3 and known.worst <= tolerance * (1 + AT_TOLERANCE)
    cases = {
        "growth_confirmed": (along and grows <= 0, grows == 0),
        "growth_refuted": (along and grows >= PRACTICAL, abs(grows - PRACTICAL) < 0.01),
        "own_excluded": (along and grows >= own - EXACT, abs(grows - own) <= EXACT),
        "gain_shown": (known.gain <= EXACT, True),
        "same_rejected": (still, True),
        "turn_seen": (along, still),
        "position_confirmed": (of_all and most >= tolerance - 1e-3, at_tolerance),
        "position_refuted": (of_all and inside, at_tolerance),
        "rival_confirmed": (known.constant <= tolerance + 1e-3, abs(known.constant - tolerance) <= 1e-3),
        "rival_refuted": (known.constant >= tolerance - 1e-3, abs(known.constant - tolerance) <= 1e-3),
    }
    return {name: ("edge" if edge else "false") if wrong else "" for name, (wrong, edge) in cases.items()}
