"""The rival in words: would one constant max_lr not do? The rule: oracle.stats.rules.Rival."""

from oracle.analysis.claims.verdict import Quantity, Verdict, points, points_text
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.rules import Rival
from oracle.stats.seeds_needed import seeds_needed

CLAIM = "Rival: one constant max_lr would not do"


def rival_verdict(found: Rival, measured: Measurements, level: float) -> Verdict:
    """Return the verdict on the rival.

    Args:
        found: by the rule.
        measured: what it was found in.
        level: probability of a wrong verdict.
    """
    constant = f"{found.constant:.3g}"
    loss = f"{found.loss:.2f} points in its worst cycle (at most {found.upper:.2f})"
    if found.judgement is Judgement.REFUTED:
        evidence = f"It would: {constant} loses {loss}; tolerance {measured.tolerance:g}."
    elif found.judgement is Judgement.CONFIRMED:
        shown = f"Every constant is shown to lose more than {found.least:.2f} points in some cycle"
        evidence = f"{shown}; tolerance {measured.tolerance:g}."
    else:
        evidence = (
            f"The best constant, {constant}, loses {loss}; that every one loses more than {found.least:.2f} is all that is "
            f"shown; tolerance {measured.tolerance:g}."
        )
    details, quantities = (
        (),
        [
            Quantity(
                "loss of the best constant in its worst cycle",
                found.loss,
                found.least,
                found.upper,
                "points",
                float("nan"),
            )
        ],
    )
    if found.gain is not None:
        details = (f"SILO's gain over the best constant, held out: {points_text(found.gain, level)}.",)
        quantities.append(points("gain of SILO over the best constant", found.gain, level))
    return Verdict(CLAIM, found.judgement, evidence, details, tuple(quantities), _seeds(found, measured))


def _seeds(found: Rival, measured: Measurements) -> float | None:
    """The seeds at which the bound of the constant's loss lies on the side of the tolerance that its estimate is on."""
    if found.judgement is not Judgement.UNDECIDED:
        return None
    within = found.loss <= measured.tolerance
    reach = found.upper - found.loss if within else found.loss - found.least
    shrink = abs(measured.tolerance - found.loss) / reach if reach > 0 else 1.0
    return seeds_needed(measured.seeds, measured.overlap_chosen, shrink)
