"""Claim 2: is SILO at least 2 points better than the best of the other schedules? Each goes its own chain of masks.

The rule, written and tested on synthetic winners and losers before any run was judged by it:

best baseline  of all baselines the one with the highest mean accuracy, over judged cycles and seeds, on what the study chooses
               by: validation (test only where an experiment chooses on test, as released, and says so).
judged cycles  the pruned ones (1 and on) in which some policy's mean is above chance, as in oracle.analysis.comparison, and in
               which the best baseline's test accuracy leaves room for 2 points more (this ceiling was added after the first two
               runs had been judged: without it an easy problem refutes the claim by itself).
difference     test accuracy of SILO less the best baseline's, in points, paired by seed. The typical difference of a seed is
               its median over the judged cycles; its bounds are Student's 90% interval over the seeds (95% on each side).
search         a confirmation asks that SILO's four parameters took no more trainings to choose than the baseline's max_lr,
               a refutation that they took no fewer. Where SILO's are not stated they count as more than any baseline's,
               since its authors tuned it; where the baseline's are not, neither verdict is possible.
confirmed      the typical difference is at least 2 points (its lower bound), and the search allows it.
refuted        in no judged cycle can it be 2 points: every cycle's upper bound is lower (95% over all cycles together, the
               variance pooled over cycles), and the search allows it.
undecided      else: also with fewer than 3 judged cycles or 2 seeds, no baseline, or a chain that is not complete.

SILO's typical difference from every other baseline stands beside it, and which of them restart otherwise than SILO does (LR
rewinding trains on from the final weights, so that it is trained for longer, too); that decides nothing.

The abstract claims "2% - 4%" and names neither baselines nor sparsity: hence the least of it, in the typical cycle for
yes, and in any cycle at all for no.
"""

import math
from dataclasses import dataclass

import pandas as pd
from scipy.special import stdtrit  # Student's quantiles; scipy.stats has the same, and takes half a second to import

from oracle.analysis.claims.verdict import MIN_CYCLES, Judgement, Verdict, in_sample
from oracle.analysis.policies import SILO
from oracle.experiment.spec import Experiment
from oracle.stats.noise import LEVEL, above_chance
from oracle.study.data_info import DataInfo

CLAIM = "2. SILO is 2% to 4% better than other schedules"
GAIN = 2.0  # points


@dataclass(frozen=True)
class Difference:
    """Test accuracy of SILO less a baseline's, in points.

    Attributes:
        by_cycle: mean over seeds of each judged cycle.
        upper: its bound, over all cycles together.
        typical: mean over seeds of the median over cycles.
        low: its lower bound.
        high: its upper bound.
    """

    by_cycle: pd.Series
    upper: pd.Series
    typical: float
    low: float
    high: float


def judge_advantage(scores: pd.DataFrame, experiment: Experiment, data: DataInfo) -> Verdict:
    """Return the verdict on claim 2.

    Args:
        scores: as ``oracle.analysis.policies.policy_scores`` makes them.
        experiment: its baselines and seeds.
        data: its chance level and image counts.
    """
    if not experiment.baselines:
        return _undecided("No other schedule is part of this experiment.")
    if incomplete := _incomplete(scores, experiment):
        return _undecided(f"Not all chains are complete: {', '.join(incomplete)}.")
    judged = _judged_cycles(scores, experiment, data)
    if len(judged) < MIN_CYCLES:
        counted = f"{len(judged)} of {experiment.prune.cycles - 1} pruned cycles are above chance"
        return _undecided(f"{counted}: too few to judge by (at least {MIN_CYCLES}).")
    if len(experiment.oracle.seeds) < 2:
        return _undecided("One seed can't tell noise from difference; at least two are needed.")
    best = best_baseline(scores[scores.cycle.isin(judged)], experiment.chosen_on)
    roomy = _with_room(scores[scores.cycle.isin(judged)], best)
    if len(roomy) < MIN_CYCLES:
        near = f"within {GAIN:g} points of 100% in {len(judged) - len(roomy)} of {len(judged)} cycles"
        return _undecided(f"{best}, the best baseline, is {near}: too little room to be better.")
    counted = scores[scores.cycle.isin(roomy)]
    from_best = difference(counted, best)
    judgement, why = _decide(from_best, experiment.silo.search_trainings, experiment.search_trainings(best))
    evidence = f"{_evidence(from_best, best, experiment)}{why}{_others(counted, best, experiment)}"
    return Verdict(CLAIM, judgement, evidence)


def best_baseline(scores: pd.DataFrame, chosen_on: str) -> str:
    """Return the baseline with the highest mean accuracy over all its rows; the first of equals."""
    means = scores[scores.policy != SILO].groupby("policy", sort=False)[chosen_on].mean()
    return str(means.idxmax())


def difference(scores: pd.DataFrame, baseline: str) -> Difference:
    """Return SILO less this baseline, over all cycles and seeds (at least two) of these rows."""
    tables = {
        name: rows.pivot(index="seed", columns="cycle", values="test").astype(float)
        for name, rows in scores.groupby("policy")
    }
    points = tables[SILO] - tables[baseline]
    seeds, cycles = points.shape
    by_cycle, medians = points.mean(), points.median(axis=1)
    error = medians.std() / math.sqrt(seeds)
    reach = stdtrit(seeds - 1, 1 - LEVEL) * error
    df = (seeds - 1) * cycles
    error_of_cycle = math.sqrt(float(((points - by_cycle) ** 2).to_numpy().sum()) / df / seeds)
    upper = by_cycle + stdtrit(df, 1 - LEVEL / cycles) * error_of_cycle
    typical = float(medians.mean())
    return Difference(by_cycle, upper, typical, typical - reach, typical + reach)


def _undecided(evidence: str) -> Verdict:
    return Verdict(CLAIM, Judgement.UNDECIDED, evidence)


def _others(scores: pd.DataFrame, best: str, experiment: Experiment) -> str:
    """SILO's typical difference from each of the other baselines; which restart otherwise; whether SILO is in-sample."""
    others = []
    for name in experiment.baselines:
        if name != best:
            one = difference(scores, name)
            others.append(f"{name} {one.typical:+.2f} ({one.low:+.2f} to {one.high:+.2f})")
    otherwise = [
        name for name in experiment.baselines if experiment.under(name).prune.restart != experiment.prune.restart
    ]
    sentences = []
    if others:
        sentences.append(f" SILO less the others: {', '.join(others)}.")
    if otherwise:
        sentences.append(f" Restarting otherwise than SILO: {', '.join(otherwise)}.")
    if in_sample(experiment):
        sentences.append(" In-sample: SILO's parameters were chosen on the same trainings.")
    return "".join(sentences)


def _with_room(scores: pd.DataFrame, best: str) -> list[int]:
    """The cycles in which a policy could be 2 points better than the best baseline."""
    means = scores[scores.policy == best].groupby("cycle").test.mean()
    return [int(cycle) for cycle in means.index[means <= 100 - GAIN]]


def _incomplete(scores: pd.DataFrame, experiment: Experiment) -> list[str]:
    expected = len(experiment.oracle.seeds) * experiment.prune.cycles
    counts = scores.policy.value_counts()
    return [name for name in (SILO, *experiment.baselines) if counts.get(name, 0) < expected]


def _judged_cycles(scores: pd.DataFrame, experiment: Experiment, data: DataInfo) -> list[int]:
    images = len(experiment.oracle.seeds) * data.evaluated_on(experiment.chosen_on)
    means = scores[scores.cycle > 0].groupby(["cycle", "policy"])[experiment.chosen_on].mean()
    best = means.groupby("cycle").max()
    return [int(cycle) for cycle in best.index[best > above_chance(data.chance, images)]]


def _decide(from_best: Difference, of_silo: int | None, of_baseline: int | None) -> tuple[Judgement, str]:
    """The judgement, and what stands in its way where the accuracies alone would decide.

    of_silo, of_baseline: how many trainings chose their parameters; None: not stated.
    """
    silo = math.inf if of_silo is None else of_silo
    if from_best.low >= GAIN:
        if of_baseline is not None and silo <= of_baseline:
            return Judgement.CONFIRMED, ""
        return Judgement.UNDECIDED, " But the baseline was searched less, or one of the searches isn't stated."
    if (from_best.upper < GAIN).all():
        if of_baseline is not None and silo >= of_baseline:
            return Judgement.REFUTED, ""
        return Judgement.UNDECIDED, " But SILO was searched less, or the baseline's search isn't stated."
    return Judgement.UNDECIDED, " More seeds would tell."


def _evidence(from_best: Difference, best: str, experiment: Experiment) -> str:
    by, worst, top = from_best.by_cycle, from_best.by_cycle.idxmin(), from_best.by_cycle.idxmax()
    searches = {SILO: experiment.silo.search_trainings, best: experiment.search_trainings(best)}
    counts = ", ".join(f"{who} {'not stated' if count is None else count}" for who, count in searches.items())
    return (
        f"SILO less {best}, the best of {len(experiment.baselines)} baselines on {experiment.chosen_on}: "
        f"{from_best.typical:+.2f} points in the typical cycle (90%: {from_best.low:+.2f} to {from_best.high:+.2f}); from "
        f"{by[worst]:+.2f} at cycle {worst} to {by[top]:+.2f} at cycle {top} of {len(by)} judged cycles; by 95% at most "
        f"{from_best.upper.max():+.2f} in any. Trainings to choose their parameters: {counts}."
    )
