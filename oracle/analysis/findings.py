"""What the rules find in a study, or why they can't: the verdicts, and tables of the response curves and losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oracle.analysis.claims import growth, position, rival
from oracle.analysis.claims.advantage import advantage_verdict
from oracle.analysis.claims.verdict import Verdict, so_far, undecided
from oracle.analysis.measurements import measurements
from oracle.experiment.overrides import WHOLE_GRID, Override
from oracle.experiment.spec import Experiment
from oracle.stats.held_out import Estimate, HeldOut, best_constant, best_of_each_cycle
from oracle.stats.judged import MIN_CYCLES, Judged, is_judgeable, judge_all
from oracle.stats.measurements import Measurements
from oracle.stats.path import path_along
from oracle.stats.response import Responses, responses
from oracle.stats.rules import silo_form
from oracle.study.data_info import DataInfo

OPTIMA_COLUMNS = {
    "cycle": "int64",
    "weights_remaining": "float64",
    "seeds": "int64",
    **dict.fromkeys(("optimum", "low", "high", "silo_max_lr", "accuracy", "noise"), "float64"),
}
LOSSES_COLUMNS = {
    "cycle": "int64",
    "weights_remaining": "float64",
    **dict.fromkeys(("silo", "silo_low", "silo_high", "constant", "constant_low", "constant_high"), "float64"),
}
VERDICT_COLUMNS = ["claim", "judgement", "quantity", "estimate", "low", "high", "unit", "detectable", "seeds_needed"]


@dataclass(frozen=True, eq=False)
class Findings:
    """What the rules go by.

    Attributes:
        measured: accuracies of the informative cycles; None where there are too few cycles, seeds or values to judge by.
        responses: their response curves; None likewise.
        level: probability of a false verdict, each.
        obstacle: why nothing can be judged; empty where it can.
        remedies: what would help.
        judged: what the rules say of claims 1 and 3 and the rival; None where nothing can be judged.
    """

    measured: Measurements | None
    responses: Responses | None
    level: float
    obstacle: str = ""
    remedies: tuple[Override, ...] = ()
    judged: Judged | None = None

    @classmethod
    def of(
        cls,
        cells: pd.DataFrame,
        comparison: pd.DataFrame,
        skipped: pd.DataFrame,
        experiment: Experiment,
        data: DataInfo,
    ) -> "Findings":
        """The findings in the tables of ``oracle.analysis.cells`` and ``oracle.analysis.comparison``."""
        level = experiment.oracle.look_level(ended_early=not skipped.empty)
        informative = int(comparison.informative.astype(bool).sum())
        if informative < MIN_CYCLES:
            counted = f"{informative} of {len(comparison)} cycles are informative"
            return cls(None, None, level, f"{counted}: too few to judge by (at least {MIN_CYCLES}).")
        measured = measurements(cells, comparison, experiment, data)
        remedies = () if experiment.oracle.search.is_exhaustive else (WHOLE_GRID,)
        if measured is None:
            return cls(None, None, level, _too_few_seeds(comparison, experiment), remedies)
        if not is_judgeable(measured):
            return cls(None, None, level, "The noise is unknown: at least two values near the best tell it.", remedies)
        curves = responses(measured)
        return cls(measured, curves, level, judged=judge_all(measured, curves, level))

    @property
    def path(self) -> pd.DataFrame:
        """The growth along SILO's curve that fits the response curves best: cycle and max_lr; empty where there is none, or
        nothing bounds it: any line would fit.
        """
        measured, curves, found = self.measured, self.responses, self.judged and self.judged.growth
        if measured is None or curves is None or found is None or found.growth is None:
            return pd.DataFrame({"cycle": [], "max_lr": []})
        if not np.isfinite([found.growth.low, found.growth.high]).any():
            return pd.DataFrame({"cycle": [], "max_lr": []})
        form, _ = silo_form(measured)
        path = path_along(curves, form, found.growth.estimate)
        return pd.DataFrame({"cycle": measured.cycles, "max_lr": np.exp2(path)})


def judge(
    findings: Findings, comparison: pd.DataFrame, scores: pd.DataFrame, experiment: Experiment, data: DataInfo
) -> list[Verdict]:
    """Return the verdicts on claims 1, 2 and 3 and on the rival.

    Args:
        findings: of the study.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        scores: as ``oracle.analysis.policies.policy_scores`` makes them.
        experiment: whose claims they are.
        data: its chance level and image counts.
    """
    first, third, last = _of_oracle(findings, comparison, experiment)
    return [first, advantage_verdict(scores, experiment, data), third, last]


def _of_oracle(findings: Findings, comparison: pd.DataFrame, experiment: Experiment) -> Sequence[Verdict]:
    """The verdicts on claims 1 and 3 and on the rival."""
    measured, found, level = findings.measured, findings.judged, findings.level
    if measured is None or found is None:
        claims = (growth.CLAIM, position.CLAIM, rival.CLAIM)
        return [undecided(claim, findings.obstacle, *findings.remedies) for claim in claims]
    verdicts = [
        growth.growth_verdict(found.growth, measured, level),
        position.position_verdict(found.position, measured, comparison, experiment, level)
        if found.position is not None
        else undecided(position.CLAIM, "The search tried no value in every seed of every cycle.", WHOLE_GRID),
        rival.rival_verdict(found.rival, measured, level),
    ]
    missing = _missing(comparison, experiment)
    return [so_far(verdict, missing) for verdict in verdicts] if missing else verdicts


def _too_few_seeds(comparison: pd.DataFrame, experiment: Experiment) -> str:
    """Why there are no two seeds that judge."""
    if len(experiment.oracle.seeds) < 2:
        return "The noise is unknown: one seed can't tell it, at least two do."
    if experiment.oracle.search.is_exhaustive:
        return f"{_missing(comparison, experiment)} Fewer than two seeds have all of them.".strip()
    return "The search gave better values more seeds than others: what it measured is chosen by luck, and can't be judged by."


def _missing(comparison: pd.DataFrame, experiment: Experiment) -> str:
    """Which cycles miss trainings, in some seed or all; empty where none does. A search ends in no cycle before it has all."""
    expected = len(experiment.oracle.seeds) if experiment.oracle.search.is_exhaustive else 1
    cycles = [str(cycle) for cycle in comparison.cycle[comparison.seeds < expected]]
    return f"Trainings are missing at cycle {', '.join(cycles)}." if cycles else ""


def optima_table(findings: Findings, level: float) -> pd.DataFrame:
    """Return one row for each judged cycle: where its response curve has its optimum.

    optimum: max_lr; low, high: a band that holds all cycles' optima at once with probability 1 - level (0 and infinity where
    nothing bounds it). accuracy: percent at the optimum, on what values are chosen by. noise: standard deviation of one
    training, in points.
    """
    measured, curves = findings.measured, findings.responses
    if measured is None or curves is None:
        return pd.DataFrame(columns=list(OPTIMA_COLUMNS)).astype(OPTIMA_COLUMNS)
    low, high = curves.intervals(level)
    frame = pd.DataFrame(
        {
            "cycle": measured.cycles,
            "weights_remaining": 100 * measured.density,
            "seeds": measured.seeds,
            "optimum": np.exp2(curves.best),
            "low": np.exp2(low),
            "high": np.exp2(high),
            "silo_max_lr": measured.silo,
            "accuracy": curves.top[np.arange(len(curves.top)), curves.at_best],
            "noise": measured.noise.sd,
        }
    )
    return frame.astype(OPTIMA_COLUMNS)


def losses_table(findings: Findings, level: float) -> pd.DataFrame:
    """Return one row for each judged cycle: points that SILO, and the best constant, lose to the best of the cycle on test
    images, each chosen on the other seeds; bounds that a cycle's truth passes with probability ``level`` on each side.
    """
    if findings.measured is None or not (losses := _losses(findings.measured)):
        return pd.DataFrame(columns=list(LOSSES_COLUMNS)).astype(LOSSES_COLUMNS)
    frame = pd.DataFrame({"cycle": findings.measured.cycles, "weights_remaining": 100 * findings.measured.density})
    for name, (_, by_cycle) in losses.items():
        frame[name] = [loss.value for loss in by_cycle]
        frame[f"{name}_low"] = [loss.lower(level) for loss in by_cycle]
        frame[f"{name}_high"] = [loss.upper(level) for loss in by_cycle]
    return frame.astype(LOSSES_COLUMNS)


def mean_losses(findings: Findings) -> Mapping[str, Estimate]:
    """Return what "silo" and the best "constant" lose in the mean of the cycles of :func:`losses_table`; empty where it is."""
    if findings.measured is None:
        return {}
    return {name: mean for name, (mean, _) in _losses(findings.measured).items()}


def _losses(measured: Measurements) -> Mapping[str, tuple[Estimate, list[Estimate]]]:
    """The mean loss and each cycle's, by name; empty where no value was tried in every seed of every cycle."""
    held = HeldOut(measured)
    if not held.common.any():
        return {}
    best, constant = held.chosen(best_of_each_cycle), held.chosen(best_constant)
    return {"silo": held.over_silo(best), "constant": held.over(best, constant)}


def verdicts_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return one row for each number of each verdict; one without numbers has a row of its own."""
    rows = []
    for verdict in verdicts:
        head = (verdict.claim, str(verdict.judgement))
        if not verdict.quantities:
            rows.append((*head, "", *[np.nan] * 3, "", np.nan, verdict.seeds))
        for number, one in enumerate(verdict.quantities):
            seeds = verdict.seeds if number == 0 else None  # it is of the verdict, that is of its first number
            rows.append((*head, one.name, one.estimate, one.low, one.high, one.unit, one.detectable, seeds))
    return pd.DataFrame(rows, columns=VERDICT_COLUMNS)
