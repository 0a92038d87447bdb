"""What an experiment says of the paper's claims 1 and 3: confirmed, refuted or undecided, each with its numbers.

Only informative cycles count, and fewer than three decide nothing. Neither does an experiment whose tolerance is too
small for the noise of its seeds (oracle.stats.noise), or that has one seed alone, or whose trainings aren't all there:
then all is undecided. A cycle's inner
interval runs over the grid values inside; its outer interval ends at the nearest grid values that lie outside by more
than noise explains (infinitely far where there is none). Two outer intervals that don't meet are apart.

1 (max_lr changes and grows)  confirmed: some are apart, and wherever two are the later one is the higher. refuted: two
  are apart with the later one the lower.
3 (SILO's max_lr is inside the Oracle's interval)  confirmed: in every informative cycle it is inside by position and its
  measured accuracy, too, is within the tolerance. refuted: in at least one it is outside by position and its accuracy
  misses the tolerance by more than noise explains. The simplest rival is named beside it. Parameters that were chosen on
  the seeds that judge them (in-sample) can be refuted, and not confirmed.
rival (one constant max_lr would not do)  confirmed: two are apart. refuted: one grid value lies in every inner interval.
"""

import math
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from oracle.experiment.overrides import WHOLE_GRID
from oracle.experiment.spec import Experiment
from oracle.stats.noise import resolvable

ENOUGH = 3  # informative cycles


@dataclass(frozen=True)
class Verdict:
    """claim: in words; verdict: confirmed, refuted or undecided, on this experiment; evidence: its numbers."""

    claim: str
    verdict: str
    evidence: str


def judge(comparison: pd.DataFrame, experiment: Experiment) -> list[Verdict]:
    """The verdicts on claims 1 and 3 and on the rival, from :func:`oracle.analysis.comparison.comparison_table`."""
    informative = comparison[comparison.informative.astype(bool)]
    told = f"{len(informative)} of {len(comparison)} cycles are informative"
    if len(informative) < ENOUGH:
        judged = [("undecided", f"{told}: too few to judge by (at least {ENOUGH}).")] * 3
    elif too_noisy := _too_noisy(informative, experiment):
        judged = [("undecided", too_noisy)] * 3
    else:
        rival = _constants(informative, experiment.oracle.grid.values())
        judged = [_grows(informative, rival), _inside(informative, rival, experiment), _needed(informative, rival)]
        if lacking := _lacking(comparison, experiment):
            judged = [("undecided", f"{lacking} So far it looks {verdict}. {told}") for verdict, told in judged]
    return [Verdict(name, *rest) for name, rest in zip(_CLAIMS, judged, strict=True)]


_CLAIMS = (
    "1. The best max_lr changes as the network is pruned, and grows",
    "3. SILO's max_lr lies within the Oracle's optimal interval",
    "Rival: one constant max_lr would not do",
)


def in_sample(experiment: Experiment) -> bool:
    """Whether SILO's parameters were chosen on seeds that judge them."""
    return bool(set(experiment.silo.chosen_on_seeds) & set(experiment.oracle.seeds))


def _lacking(comparison: pd.DataFrame, experiment: Experiment) -> str:
    """Which cycles lack trainings, in some seed or all; empty where none does. A search ends in no cycle before it has all."""
    searched = experiment.oracle.search.kind != "exhaustive"
    few = comparison.seeds < (1 if searched else len(experiment.oracle.seeds))
    cycles = [str(cycle) for cycle in comparison.cycle[few]]
    return f"Trainings are missing at cycle {', '.join(cycles)}." if cycles else ""


def _too_noisy(informative: pd.DataFrame, experiment: Experiment) -> str:
    """Why nothing can be told; empty where it can. The noise is that of the typical cycle."""
    error, tolerance, seeds = informative.noise.median(), experiment.oracle.tolerance, len(experiment.oracle.seeds)
    few_seeds = experiment.oracle.search.kind != "exhaustive" and informative.seeds.median() < seeds
    if math.isnan(error):
        more = f"; the search gave too few of them a second seed ({WHOLE_GRID} trains the rest)" if few_seeds else ""
        return f"The noise is unknown: at least two seeds, and two values near the best in some cycle, tell it{more}."
    if (least := resolvable(error)) <= tolerance:
        return ""
    if few_seeds:
        return (
            f"Too noisy: SILO's difference from the best has a standard error of {error:.2f} points in as many seeds as the "
            f"search gave them: a tolerance of at least {least:.2f} would tell, and more of the grid ({WHOLE_GRID}) may."
        )
    enough = f" or about {math.ceil(seeds * (least / tolerance) ** 2)} seeds" if tolerance > 0 else ""
    return (
        f"Too noisy: a difference has a standard error of {error:.2f} points at {seeds} seeds, so a tolerance of at least "
        f"{least:.2f}{enough} would tell."
    )


def _outer(row: pd.Series) -> tuple[float, float]:
    return (0.0 if pd.isna(row.clear_low) else row.clear_low, math.inf if pd.isna(row.clear_high) else row.clear_high)


def _constants(informative: pd.DataFrame, grid: tuple[float, ...]) -> list[float]:
    """The grid values that lie in every inner interval."""
    return [value for value in grid if value >= informative.low.max() and value <= informative.high.min()]


def _apart(informative: pd.DataFrame) -> list[tuple[pd.Series, pd.Series]]:
    """Pairs of cycles, the earlier first, that no constant serves: their outer intervals don't meet."""
    rows = [row for _, row in informative.iterrows()]
    return [
        (a, b) for a, b in combinations(rows, 2) if max(_outer(a)[0], _outer(b)[0]) >= min(_outer(a)[1], _outer(b)[1])
    ]


def _show(row: pd.Series) -> str:
    low = "open" if row.open_low else f"{row.low:.3g}"
    high = "open" if row.open_high else f"{row.high:.3g}"
    return f"cycle {row.cycle}: {low} to {high}"


def _grows(informative: pd.DataFrame, rival: list[float]) -> tuple[str, str]:
    apart = _apart(informative)
    falling = [(a, b) for a, b in apart if b.high < a.low]
    if falling:
        a, b = falling[0]
        return "refuted", f"The optimal interval falls: {_show(a)}, {_show(b)}."
    if apart:
        a, b = max(apart, key=lambda pair: pair[1].low / pair[0].high)
        return "confirmed", f"No constant serves both {_show(a)} and {_show(b)}; {len(apart)} such pairs, all rising."
    if rival:
        return (
            "undecided",
            f"No change is shown at this tolerance: {_several(rival)} in every informative cycle's interval.",
        )
    return (
        "undecided",
        "The intervals differ by no more than their edges and the noise; a finer grid or more seeds would tell.",
    )


def _inside(informative: pd.DataFrame, rival: list[float], experiment: Experiment) -> tuple[str, str]:
    counts = informative.position.value_counts()
    inside = int(counts.get("inside", 0))
    within = int(informative.within_tolerance.sum())
    told = (
        f"inside in {inside} of {len(informative)} informative cycles"
        + "".join(f", {what} in {count}" for what, count in counts.items() if what != "inside")
        + f"; within {experiment.oracle.tolerance:g} points of the best in {within}. "
    )
    told += (
        f"A constant does as well: {_several(rival)} in all of them." if rival else "No constant grid value is in all."
    )
    if in_sample(experiment):
        told += " In-sample: SILO's parameters were chosen on the same cells, which can't confirm them."
    missed = (informative.position == "outside") & informative.clearly_missed
    if missed.any():
        cycles = ", ".join(f"{row.cycle} ({_missed_by(row.gap)})" for _, row in informative[missed].iterrows())
        return "refuted", f"SILO is {told} Outside and clearly worse at cycle {cycles}."
    confirmed = inside == within == len(informative) and not in_sample(experiment)
    return ("confirmed" if confirmed else "undecided"), f"SILO is {told}"


def _missed_by(gap: float) -> str:
    return "it diverged" if pd.isna(gap) else f"by {gap:.2f}"


def _needed(informative: pd.DataFrame, rival: list[float]) -> tuple[str, str]:
    if rival:
        return "refuted", f"It would: {_several(rival)} in every informative cycle's interval."
    if apart := _apart(informative):
        a, b = apart[0]
        return "confirmed", f"No constant serves both {_show(a)} and {_show(b)}, beyond edges and noise."
    return "undecided", "No grid value is in every interval, but by no more than their edges and the noise."


def _several(values: list[float]) -> str:
    shown = f"{values[0]:.3g}" if len(values) == 1 else f"{values[0]:.3g} to {values[-1]:.3g}"
    return f"max_lr {shown} lies"
