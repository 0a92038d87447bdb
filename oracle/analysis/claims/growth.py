"""Claim 1 in words: does the best max_lr change as the network is pruned, and grow? The rule: oracle.stats.rules.Growth."""

import math

from oracle.analysis.claims.verdict import Quantity, Verdict, points, points_text
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.path import Slope
from oracle.stats.rules import PRACTICAL, Growth, Segment
from oracle.stats.seeds_needed import seeds_needed

CLAIM = "1. The best max_lr changes as the network is pruned, and grows"
ALONG_SILO, ALONG_DENSITY = "growth along SILO's curve", "exponent a of max_lr ~ density^-a"


def growth_verdict(found: Growth, measured: Measurements, level: float) -> Verdict:
    """Return the verdict on claim 1.

    Args:
        found: by the rule.
        measured: what it was found in.
        level: probability of a wrong verdict.
    """
    return Verdict(
        CLAIM,
        found.judgement,
        _evidence(found, level),
        tuple(_details(found, level)),
        tuple(_quantities(found, level)),
        _seeds(found, measured),
    )


def _evidence(found: Growth, level: float) -> str:
    sure = f"{1 - 2 * level:.0%}"
    if found.growth is None:
        text = "SILO doesn't change over these cycles, so growth along its curve can't be told; it goes by the density."
    else:
        text = f"Growth along SILO's curve: {_factor(found.growth.estimate)} ({sure}: {_factors(found.growth)})"
        word = "excluded" if found.excludes_own else "not excluded"
        text += f"; SILO's own growth, {_factor(found.own)}, is {word}."
    if found.exponent is not None:
        text += f" As max_lr ~ density^-a: a = {found.exponent.estimate:z.2f} ({sure}: {_numbers(found.exponent)})."
    if found.judgement is Judgement.REFUTED:
        falls = found.growth is not None and found.growth.high < 0
        text += " It falls." if falls else f" A growth of {_factor(PRACTICAL)} or more is excluded."
    return text


def _details(found: Growth, level: float) -> list[str]:
    details = []
    if found.gain is not None:
        shown = "it matters" if found.gain.lower(level) > 0 else "not shown to matter"
        details.append(
            "Does the change matter? The best schedule of four segments gains "
            f"{points_text(found.gain, level)} over the best constant, both chosen on the other seeds: {shown}."
        )
    path = ", ".join(_segment_text(one) for one in found.segments)
    if any(one.falls for one in found.segments):
        turn = "it is shown to come down from an earlier height" if found.comes_back else "it is shown to fall"
    else:
        turn = "it is shown to rise" if any(one.rises for one in found.segments) else "no segment is shown to differ"
    details.append(f"Path of the optimum: {path}; {turn}. One optimum for all cycles: p = {_p_value(found.same)}.")
    if found.growth is not None and math.isfinite(found.growth.detectable):
        smallest = _factor(found.growth.detectable)
        details.append(f"Smallest growth that this study shows eight times in ten: {smallest}.")
    elif found.growth is not None and found.judgement is Judgement.UNDECIDED:
        details.append("This study could show no growth of any size: more seeds, or values near the best, would help.")
    return details


def _segment_text(one: Segment) -> str:
    cycles = f"cycle {one.first}" if one.first == one.last else f"cycles {one.first} to {one.last}"
    return f"{one.optimum:.3g} in {cycles}"


def _quantities(found: Growth, level: float) -> list[Quantity]:
    quantities = []
    if (one := found.growth) is not None:
        quantities.append(Quantity(ALONG_SILO, 2**one.estimate, 2**one.low, 2**one.high, "x", 2**one.detectable))
    if (one := found.exponent) is not None:
        quantities.append(Quantity(ALONG_DENSITY, one.estimate, one.low, one.high, "", one.detectable))
    if found.gain is not None:
        quantities.append(points("gain of four segments over the best constant", found.gain, level))
    return quantities


def _seeds(found: Growth, measured: Measurements) -> float | None:
    """The seeds at which growth of SILO's own size is shown eight times in ten; None where it is excluded anyhow."""
    undecided = found.judgement is Judgement.UNDECIDED and not found.excludes_own
    if not undecided or found.growth is None or not math.isfinite(found.growth.detectable):
        return None
    return seeds_needed(measured.seeds, measured.overlap_chosen, found.own / found.growth.detectable)


def _factor(doublings: float) -> str:
    return f"x{2**doublings:.3g}"


def _factors(one: Slope) -> str:
    low = "any" if math.isinf(one.low) else _factor(one.low)
    return f"{low} to {'any' if math.isinf(one.high) else _factor(one.high)}"


def _numbers(one: Slope) -> str:
    low = "any" if math.isinf(one.low) else f"{one.low:z.2f}"
    return f"{low} to {'any' if math.isinf(one.high) else f'{one.high:z.2f}'}"


def _p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
