"""By which factor the optimum grows in a run, and by how much more than in another one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from oracle.analysis.results import Results
from oracle.stats.path import Slope, excess
from oracle.stats.rules import Growth, silo_form

OWN = ["growth", "growth_low", "growth_high", "silo_growth", "exponent", "exponent_low", "exponent_high"]
BESIDE = ["ratio", "ratio_low", "ratio_high"]
ALIKE = 0.1  # doublings of SILO's growth and of the density, and shares of SILO's way, that differ by less are the same


def growth_of(results: Results) -> dict[str, Any]:
    """Return the growth of a run: the columns of ``oracle.analysis.compare.Comparison.growth`` that are its own."""
    found, numbers = _found(results), [np.nan] * len(OWN)
    if found is not None:
        along_silo, own = _ends(found.growth), found.own if found.growth is not None else 0.0
        numbers = [*np.exp2([*along_silo, own]).tolist(), *_ends(found.exponent)]
    weights = results.optima.weights_remaining
    return {
        "judged": len(weights),
        "first_weights": weights.max(),
        "last_weights": weights.min(),
        "probability": 1 - 2 * results.findings.level,
        **dict(zip(OWN, numbers, strict=True)),
    }


def beside(base: Results, other: Results) -> dict[str, float]:
    """Return growth as a multiple of the base's: the other columns. NaN: of itself, and where it can't be told.

    It is told along one form alone: where SILO's own curves are as high and as steep, over the same weights remaining, and the
    intervals have one level. How often it is wrong: results/power/pairs.md. Exponents aren't compared: where the path is no
    power of the density they depend on which cycles are noisy.
    """
    one, two = _found(base), _found(other)
    ratio = None
    if base is not other and one and two and one.growth and two.growth and _along_the_same(base, other):
        ratio = excess(two.growth, one.growth)
    return dict(zip(BESIDE, np.exp2(_ends(ratio)).tolist(), strict=True))


def _found(results: Results) -> Growth | None:
    judged = results.findings.judged
    return None if judged is None else judged.growth


def _along_the_same(base: Results, other: Results) -> bool:
    both = [one.findings for one in (base, other)]
    if both[0].level != both[1].level:
        return False
    (form, own), (form_2, own_2) = (silo_form(one.measured) for one in both)
    gone, gone_2 = (-np.log2(one.measured.density) for one in both)  # how far it is pruned
    ends = np.abs([own - own_2, gone[0] - gone_2[0], gone[-1] - gone_2[-1]])
    return bool((ends < ALIKE).all() and (np.abs(np.interp(gone, gone_2, form_2) - form) < ALIKE).all())


def _ends(slope: Slope | None) -> Sequence[float]:
    return (np.nan, np.nan, np.nan) if slope is None else (slope.estimate, slope.low, slope.high)
