"""Claim 2 in words: is SILO at least 2 points better than the best of the other schedules? The rule: oracle.stats.advantage.

All pruned cycles count in which some policy's mean is above chance. The best baseline is chosen, on what the study chooses
by, by the seeds other than the one that is measured. A confirmation asks that SILO's four parameters took no more trainings
to choose than the baseline's max_lr, a refutation that they took no fewer; where SILO's are not stated they count as more than
any baseline's, since its authors tuned it. It asks, too, that the baseline's search isn't open at an end.
"""

import math

import numpy as np
import pandas as pd

from oracle.analysis.claims.verdict import Verdict, in_sample, points, points_text, undecided
from oracle.analysis.policies import SILO, open_search_notes, open_search_text, open_searches
from oracle.experiment.spec import Experiment
from oracle.stats.advantage import GAIN, Advantage, Chains, advantage, best_of_others
from oracle.stats.held_out import Estimate
from oracle.stats.judged import MIN_CYCLES
from oracle.stats.judgement import Judgement
from oracle.stats.noise import above_chance
from oracle.stats.seeds_needed import seeds_needed
from oracle.study.data_info import DataInfo
from oracle.study.measurements import overlap

CLAIM = "2. SILO is 2% to 4% better than other schedules"


def advantage_verdict(scores: pd.DataFrame, experiment: Experiment, data: DataInfo) -> Verdict:
    """Return the verdict on claim 2.

    Args:
        scores: as ``oracle.analysis.policies.policy_scores`` makes them.
        experiment: its baselines, seeds and level.
        data: its chance level and image counts.
    """
    if not experiment.baselines:
        return undecided(CLAIM, "No other schedule is part of this experiment.")
    if incomplete := _incomplete(scores, experiment):
        return undecided(CLAIM, f"Not all chains are complete: {', '.join(incomplete)}.")
    judged = _judged_cycles(scores, experiment, data)
    if len(judged) < MIN_CYCLES:
        counted = f"{len(judged)} of {experiment.prune.cycles - 1} pruned cycles are above chance"
        return undecided(CLAIM, f"{counted}: too few to judge by (at least {MIN_CYCLES}).")
    if len(experiment.oracle.seeds) < 2:
        return undecided(CLAIM, "One seed can't tell noise from difference; at least two are needed.")
    chains = _chains(scores[scores.cycle.isin(judged)], experiment)
    best, tested = best_of_others({name: chains[name] for name in experiment.baselines})
    reached = float(chains[best].chosen.mean())
    if reached > 100 - GAIN:
        near = f"{best}, the best baseline, reaches {reached:.2f}% on {experiment.chosen_on} in the mean"
        return undecided(CLAIM, f"{near}: too little room to be {GAIN:g} points better.")
    shared, level = overlap(experiment, data, "test"), experiment.oracle.level
    found = advantage(chains[SILO].tested, tested, shared, level)
    singles = {
        name: advantage(chains[SILO].tested, chains[name].tested, shared, level).gain for name in experiment.baselines
    }
    judgement, obstacle = _judged(found.judgement, found.gain.upper(level), best, experiment, scores)
    return Verdict(
        CLAIM,
        judgement,
        _evidence(found, best, judged, experiment) + obstacle,
        tuple(_details(found, chains, singles, scores, experiment, shared)),
        (
            points("gain of SILO over the best baseline", found.gain, level),
            *(points(f"gain of SILO over {name}", gain, level) for name, gain in singles.items()),
        ),
        _seeds(found, experiment, shared) if found.judgement is Judgement.UNDECIDED else None,
    )


def _chains(scores: pd.DataFrame, experiment: Experiment) -> dict[str, Chains]:
    def table(rows: pd.DataFrame, part: str) -> np.ndarray:
        return rows.pivot(index="cycle", columns="seed", values=part).to_numpy(float)

    return {
        str(name): Chains(table(rows, experiment.chosen_on), table(rows, "test"))
        for name, rows in scores.groupby("policy")
    }


def _judged(
    judgement: Judgement, upper: float, best: str, experiment: Experiment, scores: pd.DataFrame
) -> tuple[Judgement, str]:
    """The judgement, and what stands in its way; upper: the bound of the mean gain, in points."""
    own, other = experiment.silo.search_trainings, experiment.search_trainings(best)
    silo = math.inf if own is None else own
    if judgement is Judgement.CONFIRMED:
        if other is None or silo > other:
            return Judgement.UNDECIDED, " But the baseline was searched less, or one of the searches isn't stated."
        if best in (opened := open_searches(scores, experiment)):
            text = open_search_text(opened[best], experiment)
            return Judgement.UNDECIDED, f" But the baseline's search is open: {text}."
    if judgement is Judgement.UNDECIDED and upper < GAIN:
        return (
            judgement,
            f" In the mean it is less than {GAIN:g} points, but in some cycle {GAIN:g} points are not excluded.",
        )
    if judgement is Judgement.REFUTED and (other is None or silo < other):
        return Judgement.UNDECIDED, " But SILO was searched less, or the baseline's search isn't stated."
    return judgement, ""


def _evidence(found: Advantage, best: str, judged: list[int], experiment: Experiment) -> str:
    level = experiment.oracle.level
    searches = {SILO: experiment.silo.search_trainings, best: experiment.search_trainings(best)}
    counts = ", ".join(f"{who} {'not stated' if count is None else count}" for who, count in searches.items())
    top = int(found.by_cycle.argmax())
    return (
        f"SILO less the best of {len(experiment.baselines)} baselines (by all seeds {best}): {points_text(found.gain, level)} "
        f"in the mean of {len(judged)} cycles; most at cycle {judged[top]}: {found.by_cycle[top]:+.2f}; in no cycle more than "
        f"{found.upper.max():+.2f}. Trainings to choose their parameters: {counts}."
    )


def _details(
    found: Advantage,
    chains: dict[str, Chains],
    singles: dict[str, Estimate],
    scores: pd.DataFrame,
    experiment: Experiment,
    shared: float,
) -> list[str]:
    level = experiment.oracle.level
    each = ", ".join(f"{name} {points_text(gain, level)}" for name, gain in singles.items())
    details = [f"SILO less each: {each}."]
    alike = [name for name in experiment.baselines if experiment.under(name).prune.restart == experiment.prune.restart]
    otherwise = [name for name in experiment.baselines if name not in alike]
    if otherwise:
        text = f"Restarting otherwise than SILO: {', '.join(otherwise)}"
        if alike:
            best, tested = best_of_others({name: chains[name] for name in alike})
            gain = advantage(chains[SILO].tested, tested, shared, level).gain
            text += f"; less the best of those that restart as SILO does ({best}): {points_text(gain, level)}"
        details.append(f"{text}.")
    details += open_search_notes(scores, experiment)
    if in_sample(experiment):
        details.append("In-sample: SILO's parameters were chosen on the same trainings.")
    details.append(
        f"Smallest difference that this study shows eight times in ten: {found.gain.detectable(level):.2f} points."
    )
    return details


def _seeds(found: Advantage, experiment: Experiment, shared: float) -> float:
    """The seeds at which the mean gain is told from 2 points eight times in ten; and, below, every cycle's bound is, too."""
    distance = abs(GAIN - found.gain.value)
    needed = distance / found.gain.detectable(experiment.oracle.level) if found.gain.error > 0 else math.inf
    if found.gain.value < GAIN:
        reach = found.upper - found.by_cycle
        needed = min(
            needed, float(np.where(reach > 0, (GAIN - found.by_cycle) / np.where(reach > 0, reach, 1), 1.0).min())
        )
    return seeds_needed(len(experiment.oracle.seeds), shared, needed)


def _incomplete(scores: pd.DataFrame, experiment: Experiment) -> list[str]:
    expected = len(experiment.oracle.seeds) * experiment.prune.cycles
    counts = scores.policy.value_counts()
    return [name for name in (SILO, *experiment.baselines) if counts.get(name, 0) < expected]


def _judged_cycles(scores: pd.DataFrame, experiment: Experiment, data: DataInfo) -> list[int]:
    images = len(experiment.oracle.seeds) * data.evaluated_on(experiment.chosen_on)
    means = scores[scores.cycle > 0].groupby(["cycle", "policy"])[experiment.chosen_on].mean()
    best = means.groupby("cycle").max()
    return [int(cycle) for cycle in best.index[best > above_chance(data.chance, images)]]
