"""The verdicts that go by the Oracle's intervals (claims 1 and 3, the rival), and when they may be given at all.

Only informative cycles count, and fewer than three decide nothing. Neither does an experiment whose tolerance is too small
for the noise of its seeds (oracle.stats.noise), or that has one seed alone, or whose trainings aren't all there: then all is
undecided.
"""

import math
from dataclasses import replace

import pandas as pd

from oracle.analysis.claims import growth, position, rival
from oracle.analysis.claims.verdict import MIN_CYCLES, Judgement, Verdict
from oracle.experiment.overrides import WHOLE_GRID, Override
from oracle.experiment.spec import Experiment
from oracle.stats.noise import resolvable

CLAIMS = (growth.CLAIM, position.CLAIM, rival.CLAIM)


def judge(comparison: pd.DataFrame, experiment: Experiment) -> list[Verdict]:
    """Return the verdicts on claims 1 and 3 and on the rival.

    Args:
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: whose grid, seeds and tolerance they go by.
    """
    informative = comparison[comparison.informative.astype(bool)]
    counted = f"{len(informative)} of {len(comparison)} cycles are informative"
    if len(informative) < MIN_CYCLES:
        return _all_undecided(f"{counted}: too few to judge by (at least {MIN_CYCLES}).")
    if too_noisy := _too_noisy(informative, experiment):
        return _all_undecided(*too_noisy)
    grid = experiment.oracle.grid.values()
    verdicts = [
        growth.judge_growth(informative, grid),
        position.judge_position(informative, experiment),
        rival.judge_rival(informative, grid),
    ]
    if missing := _missing(comparison, experiment):
        return [_so_far(verdict, missing) for verdict in verdicts]
    return verdicts


def _all_undecided(evidence: str, *remedies: Override) -> list[Verdict]:
    return [Verdict(claim, Judgement.UNDECIDED, evidence, remedies) for claim in CLAIMS]


def _so_far(verdict: Verdict, missing: str) -> Verdict:
    """What it looks like while trainings are missing."""
    evidence = f"{missing} So far it looks {verdict.judgement}. {verdict.evidence}"
    return replace(verdict, judgement=Judgement.UNDECIDED, evidence=evidence)


def _missing(comparison: pd.DataFrame, experiment: Experiment) -> str:
    """Which cycles miss trainings, in some seed or all; empty where none does. A search ends in no cycle before it has all."""
    expected = len(experiment.oracle.seeds) if experiment.oracle.search.is_exhaustive else 1
    cycles = [str(cycle) for cycle in comparison.cycle[comparison.seeds < expected]]
    return f"Trainings are missing at cycle {', '.join(cycles)}." if cycles else ""


def _too_noisy(informative: pd.DataFrame, experiment: Experiment) -> tuple[str, *tuple[Override, ...]] | None:
    """Why nothing can be said, and what would help; None where something can. The noise is that of the typical cycle."""
    error, tolerance, seeds = informative.noise.median(), experiment.oracle.tolerance, len(experiment.oracle.seeds)
    few_seeds = not experiment.oracle.search.is_exhaustive and informative.seeds.median() < seeds
    if math.isnan(error):
        unknown = "The noise is unknown: at least two seeds, and two values near the best in some cycle, tell it"
        if few_seeds:
            return f"{unknown}; the search tried too few of them in a second seed; the whole grid has it.", WHOLE_GRID
        return (f"{unknown}.",)
    if (least := resolvable(error)) <= tolerance:
        return None
    if few_seeds:
        evidence = (
            f"Too noisy: SILO's difference from the best has a standard error of {error:.2f} points in as many seeds as the "
            f"search gave them: a tolerance of at least {least:.2f} would tell, and more of the grid may."
        )
        return evidence, WHOLE_GRID
    enough = f" or about {math.ceil(seeds * (least / tolerance) ** 2)} seeds" if tolerance > 0 else ""
    evidence = (
        f"Too noisy: a difference has a standard error of {error:.2f} points at {seeds} seeds, so a tolerance of at least "
        f"{least:.2f}{enough} would tell."
    )
    return (evidence,)
