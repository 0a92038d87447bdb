"""Claim 3 in words: does SILO's max_lr do as well as the Oracle's? The rule: oracle.stats.rules.Position.

Parameters that were chosen on the seeds that judge them (in-sample) can be refuted, and not confirmed.
"""

import math

import pandas as pd

from oracle.analysis.claims.verdict import Verdict, cycles_text, in_sample, points, points_text
from oracle.experiment.spec import Experiment
from oracle.stats.held_out import CARE, Loss
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.rules import Position
from oracle.stats.seeds_needed import seeds_needed

CLAIM = "3. SILO does as well as the Oracle's best max_lr"


def position_verdict(
    found: Position, measured: Measurements, comparison: pd.DataFrame, experiment: Experiment, level: float
) -> Verdict:
    """Return the verdict on claim 3.

    Args:
        found: by the rule.
        measured: what it was found in.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: the seeds that SILO's parameters were chosen on.
        level: probability of a wrong verdict.
    """
    tolerance = measured.tolerance
    judgement = found.judgement
    losses = "; ".join(f"{points_text(loss, level)} to {name}" for name, loss in found.losses.items())
    evidence = f"SILO loses, in the mean of {len(measured.cycles)} cycles: {losses}; tolerance {tolerance:g}."
    if found.beyond:
        evidence += f" It is shown beyond the tolerance at {cycles_text(found.beyond)}."
    if in_sample(experiment):
        evidence += " In-sample: SILO's parameters were chosen on the same trainings, which can't confirm them."
        judgement = Judgement.UNDECIDED if judgement is Judgement.CONFIRMED else judgement
    smallest = max(loss.detectable(level) for loss in found.losses.values())
    details = (
        f"Where it lies: {_positions(comparison)}.",
        f"Smallest loss that this study shows eight times in ten: {smallest:.2f} points.",
    )
    quantities = tuple(points(f"loss to {name}", loss, level) for name, loss in found.losses.items())
    seeds = _seeds(found, measured, level) if found.judgement is Judgement.UNDECIDED else None
    return Verdict(CLAIM, judgement, evidence, details, quantities, seeds)


def _positions(comparison: pd.DataFrame) -> str:
    informative = comparison[comparison.informative.astype(bool)]
    counts = informative.position.value_counts()
    parts = [f"inside the interval in {counts.get('inside', 0)} of {len(informative)} cycles"]
    return ", ".join(parts + [f"{name} in {count}" for name, count in counts.items() if name != "inside"])


def _seeds(found: Position, measured: Measurements, level: float) -> float:
    """The seeds at which all losses are shown to be within the tolerance eight times in ten, or one of them beyond it."""
    beyond = [loss for loss in found.losses.values() if loss.value > measured.tolerance]
    if beyond:
        share = level / len(found.losses)
        needed = max(_share_of_detectable(loss, measured.tolerance, share) for loss in beyond)
    else:
        needed = min(_share_of_detectable(loss, measured.tolerance, CARE * level) for loss in found.losses.values())
    return seeds_needed(measured.seeds, measured.overlap_tested, needed)


def _share_of_detectable(loss: Loss, tolerance: float, level: float) -> float:
    """The distance of a loss from the tolerance, in units of what is shown eight times in ten."""
    return abs(tolerance - loss.value) / loss.detectable(level) if loss.error > 0 else math.inf
