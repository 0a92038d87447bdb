"""The tables of several runs as strings to read: differences, verdicts, growth, optima and accuracies."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from oracle.analysis.claims.verdict import Quantity
from oracle.analysis.compare import ComparedRun, Comparison
from oracle.analysis.differences import MISSING as NO_FIELD
from oracle.analysis.policies import ORACLE
from oracle.report.tables.format import MISSING, decimals, known, significant
from oracle.report.tables.paper_table import REFERENCE_ROW, accuracy_table

MAX_SPARSITIES, FEW = 6, 3  # so many columns of weights remaining fit on a page, and are wanted at least
# Weights remaining that differ by so little stand in one column; by more only where runs pruned at other rates share too few.
WITHIN = (0.05, 0.25)
NO_CYCLE = -1


def runs_table(comparison: Comparison) -> pd.DataFrame:
    """Return what each run is, as strings to read: its experiment, folder, images, trainings."""
    rows = [
        {
            "Run": run.label,
            "Experiment": run.results.experiment.title,
            "Folder": run.source,
            "Images (training, validation, test)": _images(run),
            "Cycles": str(run.results.experiment.prune.cycles),
            "Seeds": str(len(run.results.experiment.oracle.seeds)),
            "Trainings": f"{len(run.results.cells):,}",
        }
        for run in comparison.runs
    ]
    return pd.DataFrame(rows, dtype=str)


def differences_table(comparison: Comparison) -> pd.DataFrame:
    """Return the fields in which the experiments differ, a column a run, as strings to read."""
    fields = comparison.differences.fields + comparison.differences.stretched
    rows = [[one.field, *(value.replace(NO_FIELD, MISSING) for value in one.values)] for one in fields]
    return pd.DataFrame(rows, columns=["Field", *(run.label for run in comparison.runs)], dtype=str)


def verdicts_table(comparison: Comparison) -> pd.DataFrame:
    """Return the verdicts, a row a claim and a column a run: "undecided: x1.48 (x0.81 to x3.26)"."""
    rows = []
    for verdicts in zip(*(run.results.verdicts for run in comparison.runs), strict=True):
        name = estimated(comparison, verdicts[0].claim)
        cells = []
        for verdict in verdicts:
            text = estimate_text(verdict.quantities, name)
            cells.append(f"{verdict.judgement}: {text}" if text != MISSING else str(verdict.judgement))
        rows.append([verdicts[0].claim, name or MISSING, *cells])
    return pd.DataFrame(rows, columns=["Claim", "Estimate of", *(run.label for run in comparison.runs)], dtype=str)


def estimated(comparison: Comparison, claim: str) -> str:
    """Return the name of a claim's first number, in the first run that has one; empty where none has."""
    verdicts = [verdict for run in comparison.runs for verdict in run.results.verdicts if verdict.claim == claim]
    return next((verdict.quantities[0].name for verdict in verdicts if verdict.quantities), "")


def estimate_text(quantities: Sequence[Quantity], name: str) -> str:
    """Return the first of a verdict's numbers with its interval, named where it isn't the expected one."""
    if not quantities:
        return MISSING
    one = quantities[0]
    text = f"{_number(one.estimate, one.unit)} ({_number(one.low, one.unit)} to {_number(one.high, one.unit)})"
    text += " points" if one.unit == "points" else ""
    return text if one.name == name else f"{text}, {one.name}"


def growth_table(comparison: Comparison) -> pd.DataFrame:
    """Return how the optimum grows, a row a run, as strings to read."""
    optima, rows = comparison.optima, []
    for row in comparison.growth.itertuples():
        judged = optima[(optima.run == row.run) & optima.optimum.notna()]
        ends = [significant(judged.optimum.iloc[at]) for at in (0, -1)] if len(judged) else [MISSING] * 2
        weights = f"{significant(row.first_weights)} to {significant(row.last_weights)}" if row.judged else MISSING
        rows.append(
            {
                "Run": row.run,
                "Judged cycles": str(row.judged),
                "Weights remaining (%)": weights,
                "Optimum in the first and last": " to ".join(ends) if len(judged) else MISSING,
                "Growth along SILO's curve": _with_ends(row.growth, row.growth_low, row.growth_high, "x"),
                "SILO's own growth": _number(row.silo_growth, "x"),
                "Exponent a": _with_ends(row.exponent, row.exponent_low, row.exponent_high, ""),
            }
        )
    return pd.DataFrame(rows, dtype=str)


def beside_table(comparison: Comparison) -> pd.DataFrame:
    """Return growth as a multiple of the base's, a row another run, as strings to read; empty: it can't be told."""
    told = comparison.growth.dropna(subset="ratio").itertuples()
    rows = [[row.run, _with_ends(row.ratio, row.ratio_low, row.ratio_high, "x")] for row in told]
    return pd.DataFrame(rows, columns=["Run", "Growth as a multiple"], dtype=str)


def optima_table(comparison: Comparison) -> pd.DataFrame:
    """Return the optimum and its band at a few weights remaining, a row a run, as strings to read."""
    (heads, within), optima = sparsities(comparison), comparison.optima
    rows = []
    for run in comparison.runs:
        own = optima[optima.run == run.label].set_index("cycle")
        rows.append([run.label, *(_optimum(own, cycle) for cycle in cycles_at(run, heads, within))])
    return pd.DataFrame(rows, columns=["Run", *map(_head, heads)], dtype=str)


def accuracies_table(comparison: Comparison) -> pd.DataFrame:
    """Return the test accuracy of every policy in every run at a few weights remaining, as strings to read.

    The best policy of a run and column is ``Bold``; the Oracle, a reference, stands last.
    """
    (heads, within), texts = sparsities(comparison), {}
    for run in comparison.runs:
        shown = accuracy_table(run.results.policies, cycles_at(run, heads, within))
        for policy, *cells in shown.to_numpy().tolist():
            texts[policy, run.label] = cells
    policies = sorted(dict.fromkeys(policy for policy, _ in texts), key=lambda policy: policy == REFERENCE_ROW)
    rows = [
        [policy, run.label, *texts[policy, run.label]]
        for policy in policies
        for run in comparison.runs
        if (policy, run.label) in texts
    ]
    return pd.DataFrame(rows, columns=["Policy", "Run", *map(_head, heads)], dtype=object)


def policies_of(comparison: Comparison) -> list[str]:
    """Return the policies of all runs in the order of the first, the Oracle last."""
    names = dict.fromkeys(name for run in comparison.runs for name in run.results.policies.policy)
    return sorted(names, key=lambda name: name == ORACLE)


def sparsities(comparison: Comparison) -> tuple[list[float], float]:
    """Return at most six weights remaining (percent, falling), spread evenly over those that the most runs have, and by which
    share a run's may differ from them.
    """
    weights = [_weights(run).dropna().tolist() for run in comparison.runs]
    narrow, wide = (_shared(weights, within) for within in WITHIN)
    shown, within = (wide, WITHIN[1]) if len(narrow) < FEW and len(wide) > len(narrow) else (narrow, WITHIN[0])
    places = np.linspace(0, len(shown) - 1, min(MAX_SPARSITIES, len(shown)))
    return [shown[int(place)] for place in places.round()], within


def _shared(weights: Sequence[Sequence[float]], within: float) -> list[float]:
    """The weights remaining that the most runs have, falling, each once."""
    every = sorted({one for own in weights for one in own}, reverse=True)
    count = {one: sum(any(_alike(one, other, within) for other in own) for own in weights) for one in every}
    shown: list[float] = []
    for one in every:
        if count[one] == max(count.values()) and not (shown and _alike(shown[-1], one, within)):
            shown.append(one)
    return shown


def cycles_at(run: ComparedRun, weights: Sequence[float], within: float) -> list[int]:
    """Return the cycle of a run that is nearest to each of the weights remaining (percent); -1 where none is near."""
    own = _weights(run).dropna()
    cycles = []
    for one in weights:
        distance = np.log(own / one).abs()
        near = len(own) and _alike(one, own[distance.idxmin()], within)
        cycles.append(int(distance.idxmin()) if near else NO_CYCLE)
    return cycles


def _weights(run: ComparedRun) -> pd.Series:
    """The weights remaining (percent) by cycle."""
    return run.results.comparison.set_index("cycle").weights_remaining.astype(float)


def _alike(one: float, other: float, within: float) -> bool:
    return abs(math.log(one / other)) < math.log1p(within)


def _head(weights: float) -> str:
    return f"{significant(weights)}%"


def _optimum(optima: pd.DataFrame, cycle: int) -> str:
    if cycle not in optima.index or not known(optima.optimum[cycle]):
        return MISSING
    row = optima.loc[cycle]
    low = "any" if row.low <= 0 else significant(row.low)
    return f"{significant(row.optimum)} ({low} to {'any' if math.isinf(row.high) else significant(row.high)})"


def _with_ends(value: float, low: float, high: float, unit: str) -> str:
    if not known(value):
        return MISSING
    return f"{_number(value, unit)} ({_number(low, unit)} to {_number(high, unit)})"


def _number(value: float, unit: str) -> str:
    """A number of a verdict; an end that nothing bounds is "any"."""
    if not known(value):
        return MISSING
    if math.isinf(value) or (unit == "x" and value <= 0):
        return "any"
    if unit == "x":
        return f"x{value:.3g}"
    text = decimals(value)
    return f"+{text}" if unit == "points" and round(value, 2) > 0 else text


def _images(run: ComparedRun) -> str:
    data = run.results.data
    return f"{data.training_images:,}, {data.validation_images:,}, {data.test_images:,}"
