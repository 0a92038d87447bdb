"""Claim 3: does SILO's max_lr lie within the Oracle's interval?

confirmed  in every informative cycle it is inside by position and its measured accuracy, too, is within the tolerance.
refuted    in at least one it is outside by position and its accuracy misses the tolerance by more than noise explains.

The simplest rival, a constant, is named beside it. Parameters that were chosen on the seeds that judge them (in-sample) can be
refuted, and not confirmed.
"""

import pandas as pd

from oracle.analysis.claims.intervals import constants, constants_text
from oracle.analysis.claims.verdict import Judgement, Verdict, in_sample
from oracle.experiment.spec import Experiment

CLAIM = "3. SILO's max_lr lies within the Oracle's optimal interval"


def judge_position(informative: pd.DataFrame, experiment: Experiment) -> Verdict:
    """Return the verdict on claim 3.

    Args:
        informative: rows of ``oracle.analysis.comparison.comparison_table``.
        experiment: its tolerance, grid, and the seeds that SILO's parameters were chosen on.
    """
    inside = int((informative.position == "inside").sum())
    within = int(informative.within_tolerance.sum())
    evidence = _evidence(informative, inside, within, experiment)
    missed = (informative.position == "outside") & informative.clearly_missed
    if missed.any():
        cycles = ", ".join(f"{row.cycle} ({_missed_by(row.gap)})" for _, row in informative[missed].iterrows())
        return Verdict(CLAIM, Judgement.REFUTED, f"{evidence} Outside and clearly worse at cycle {cycles}.")
    confirmed = inside == within == len(informative) and not in_sample(experiment)
    return Verdict(CLAIM, Judgement.CONFIRMED if confirmed else Judgement.UNDECIDED, evidence)


def _evidence(informative: pd.DataFrame, inside: int, within: int, experiment: Experiment) -> str:
    counts = informative.position.value_counts()
    parts = [f"inside in {inside} of {len(informative)} informative cycles"]
    parts += [f"{position} in {count}" for position, count in counts.items() if position != "inside"]
    sentences = [f"SILO is {', '.join(parts)}; within {experiment.oracle.tolerance:g} points of the best in {within}."]
    if rival := constants(informative, experiment.oracle.grid.values()):
        sentences.append(f"A constant does as well: {constants_text(rival)} in all of them.")
    else:
        sentences.append("No constant grid value is in all.")
    if in_sample(experiment):
        sentences.append("In-sample: SILO's parameters were chosen on the same trainings, which can't confirm them.")
    return " ".join(sentences)


def _missed_by(gap: float) -> str:
    return "it diverged" if pd.isna(gap) else f"by {gap:.2f}"
