"""The rival in words: would one constant max_lr not do? The rule: oracle.stats.rules.Rival."""

import math

from scipy.special import ndtri

from oracle.analysis.claims.verdict import Quantity, Verdict, points, points_text
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.path import POWER
from oracle.stats.rules import Rival
from oracle.stats.seeds_needed import seeds_needed

SHOWN = 0.005  # points: less reads as 0.00
# a bound is passed one time in twenty; an effect of this many of its reaches is shown eight times in ten
EIGHT_IN_TEN = float(1 + ndtri(POWER) / ndtri(0.95))
CLAIM = "Rival: one constant max_lr would not do"


def rival_verdict(found: Rival, measured: Measurements, level: float) -> Verdict:
    """Return the verdict on the rival.

    Args:
        found: by the rule.
        measured: what it was found in.
        level: probability of a wrong verdict.
    """
    tolerance = f"tolerance {measured.tolerance:g}"
    least = f"that every one loses more than {_loss(found.least)} in some cycle"
    if found.judgement is Judgement.CONFIRMED:
        evidence = f"It is shown {least}; {tolerance}."
    elif math.isinf(found.upper):
        evidence = f"No constant was tried in every cycle and trained to the end, so none is bounded; {tolerance}."
    else:
        constant = f"{found.constant:.3g}"
        loss = f"loses {_loss(found.loss)} in its worst cycle (at most {_loss(found.upper)})"
        shown = f"it is shown {least}" if found.least >= SHOWN else "no constant is shown to lose anything"
        evidence = f"The best constant, {constant}, {loss}; {shown}; {tolerance}."
        if found.judgement is Judgement.REFUTED:
            evidence = f"It would: {constant} {loss}; {tolerance}."
    details, quantities = [], []
    if found.gain is not None:
        details.append(f"SILO's gain over the best constant, held out: {points_text(found.gain, level)}.")
        quantities.append(points("gain of SILO over the best constant", found.gain, level))
    if math.isfinite(found.upper):
        detectable = EIGHT_IN_TEN * (found.upper - found.loss)
        name = "loss of the best constant in its worst cycle"
        quantities.insert(0, Quantity(name, found.loss, found.least, found.upper, "points", detectable))
        details.append(
            f"Smallest loss in one cycle, by its curve, that this study shows eight times in ten: {detectable:.2f} points."
        )
    return Verdict(CLAIM, found.judgement, evidence, tuple(details), tuple(quantities), _seeds(found, measured))


def _loss(points: float) -> str:
    return "everything (it diverged)" if math.isinf(points) else f"{points:.2f} points"


def _seeds(found: Rival, measured: Measurements) -> float | None:
    """The seeds at which the constant's loss is told from the tolerance eight times in ten."""
    if found.judgement is not Judgement.UNDECIDED or math.isinf(found.upper):
        return None
    within = found.loss <= measured.tolerance
    reach = EIGHT_IN_TEN * (found.upper - found.loss if within else found.loss - found.least)
    shrink = abs(measured.tolerance - found.loss) / reach if reach > 0 else 1.0
    return seeds_needed(measured.seeds, measured.overlap_chosen, shrink)
