"""How sure an Oracle's cycle is: which values may be best, how far SILO is from the best, how many seeds more would settle it.

What is best is chosen on validation images; how far SILO is from it is estimated on test images, so that the best of many
is not overrated by the images it was chosen on. Both go by oracle.stats.multiple_comparisons. The noise is a cycle's own,
pooled over its values near the best; where these say too little, that of all cycles.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from oracle.analysis.cells import accuracies
from oracle.experiment.spec import Experiment
from oracle.stats.multiple_comparisons import Noise, best_subset, difference, seeds_to_settle
from oracle.stats.noise import near_best
from oracle.stats.paired import Accuracies, paired_means, residual_variation
from oracle.study.data_info import DataInfo

MIN_DF = 6  # degrees of freedom that a cycle's own noise needs


class Decision(StrEnum):
    """What the interval of SILO's difference from the best says."""

    WITHIN = "within"  # the tolerance
    WORSE = "worse"
    UNDECIDED = "undecided"


COLUMNS = {
    "cycle": "int64",
    "weights_remaining": "float64",
    "seeds": "int64",
    "best_max_lr": "float64",
    "not_worse": "str",
    **dict.fromkeys(("chosen_on_difference", "test_difference", "low", "high"), "float64"),
    "decided": "str",
    "seeds_needed": "float64",
}


def significance_table(
    cells: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment, data: DataInfo
) -> pd.DataFrame:
    """Return one row for each informative cycle; none where no cycle has two seeds.

    not_worse: the grid values not shown to be worse than the best (a space between), by what values are chosen on; with
    probability 1 - level the truly best of those that were tried is among them. SILO less the best, in points:
    chosen_on_difference on the images that the best was chosen on, which flatters the best; test_difference on test images,
    from low to high with probability 1 - level. decided: a Decision. seeds_needed: how many seeds in all would settle an
    undecided one (infinite: more seeds can't, since they share their images).

    Args:
        cells: as ``oracle.analysis.cells.cells_table`` makes it.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: whose tolerance and level are used.
        data: how many images a seed trains on and is evaluated on.
    """
    chosen_on, tolerance = experiment.chosen_on, experiment.oracle.tolerance
    informative = list(comparison[comparison.informative.astype(bool)].itertuples())
    by_cycle = [cells[cells.cycle == row.cycle] for row in informative]
    chosen = [near_best(accuracies(one[one.candidate], chosen_on), 2 * tolerance) for one in by_cycle]
    tested = [
        _only(accuracies(one[one.candidate | one.silo], "test"), {*(value for value, _ in near), row.silo_max_lr})
        for one, near, row in zip(by_cycle, chosen, informative, strict=True)
    ]
    noises_of_choice = noises(chosen, _overlap(experiment, data, chosen_on))
    noises_of_test = noises(tested, _overlap(experiment, data, "test"))
    rows = [
        _cycle_row(one, row, of_choice, of_test, experiment)
        for one, row, of_choice, of_test in zip(by_cycle, informative, noises_of_choice, noises_of_test, strict=True)
        if of_choice is not None and of_test is not None
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def noises(cycles: Sequence[Accuracies], overlap: float) -> list[Noise | None]:
    """Return the noise of each cycle: its own where it has enough degrees of freedom, else that of all together; None where
    there is nothing to estimate it from.
    """
    variations = [residual_variation(cycle) for cycle in cycles]
    squares, df = (sum(part) for part in zip((0.0, 0), *variations, strict=True))
    together = Noise(math.sqrt(squares / df), df, overlap) if df else None
    return [
        Noise(math.sqrt(own / own_df), own_df, overlap) if own_df >= MIN_DF else together for own, own_df in variations
    ]


def _only(cycle: Accuracies, values: set[float]) -> Accuracies:
    return {cell: accuracy for cell, accuracy in cycle.items() if cell[0] in values}


def _overlap(experiment: Experiment, data: DataInfo, part: str) -> float:
    """How many images seeds share in a part of the data, per training image; official test images are fixed."""
    fixed = part == "test" and experiment.data.split.kind == "carve"
    return 0.0 if fixed else data.evaluated_on(part) / data.training_images


def _cycle_row(
    cells: pd.DataFrame, row: Any, of_choice: Noise, of_test: Noise, experiment: Experiment
) -> dict[str, Any]:
    tried, level = accuracies(cells[cells.candidate | cells.silo], experiment.chosen_on), experiment.oracle.level
    values = set(cells.max_lr[cells.candidate])
    means = {value: mean for value, mean in paired_means(tried).items() if mean is not None and value in values}
    seeds = {value: sum(cell[0] == value for cell in tried) for value in means}
    return {
        "cycle": row.cycle,
        "weights_remaining": row.weights_remaining,
        "best_max_lr": row.best_max_lr,
        "not_worse": " ".join(f"{value:g}" for value in best_subset(means, seeds, of_choice, level)),
        "chosen_on_difference": -row.gap,
        **_silo(cells, row, of_test, experiment, len(means)),
    }


def _silo(cells: pd.DataFrame, row: Any, noise: Noise, experiment: Experiment, values: int) -> dict[str, Any]:
    """SILO less the best, on test images, over the seeds that both were tried in."""
    silo, best, tolerance = row.silo_max_lr, row.best_max_lr, experiment.oracle.tolerance
    tried = accuracies(cells[cells.candidate | cells.silo], "test")
    seeds = [seed for value, seed in tried if value == best and (silo, seed) in tried]
    columns = {"seeds": len(seeds), "seeds_needed": math.nan}
    if not seeds:
        return columns | {"decided": Decision.UNDECIDED}
    if any(tried[silo, seed] is None for seed in seeds):
        return columns | {"decided": Decision.WORSE}  # it diverged
    if silo == best:
        return columns | {"test_difference": 0.0, "low": 0.0, "high": 0.0, "decided": Decision.WITHIN}
    estimate = sum(tried[silo, seed] - tried[best, seed] for seed in seeds) / len(seeds)
    interval = difference(estimate, len(seeds), noise, experiment.oracle.level, values)
    decision = _decide(interval.low, interval.high, tolerance)
    columns |= {"test_difference": estimate, "low": interval.low, "high": interval.high, "decided": decision}
    if decision is Decision.UNDECIDED:
        needed = seeds_to_settle(interval, noise, tolerance)
        columns["seeds_needed"] = math.ceil(needed) if math.isfinite(needed) else needed
    return columns


def _decide(low: float, high: float, tolerance: float) -> Decision:
    if low >= -tolerance:
        return Decision.WITHIN
    return Decision.WORSE if high < -tolerance else Decision.UNDECIDED


@dataclass(frozen=True)
class Settling:
    """How many cycles are settled, and what more seeds would settle.

    Attributes:
        cycles: how many there are.
        decided: how many have which decision.
        finite: how many undecided ones some number of seeds would settle.
        seeds: how many seeds in all would settle half of these; 0 where there are none.
        shared: how many undecided ones no number of seeds settles, since these share the images of one pool.
        fewer: whether some cycle's difference is over fewer seeds than the study has, as its search gave no more.
    """

    cycles: int
    decided: Counter[str]
    finite: int
    seeds: int
    shared: int
    fewer: bool


def settling(table: pd.DataFrame, experiment: Experiment) -> Settling | None:
    """Return what the table of :func:`significance_table` says of seeds; None where it is empty."""
    if table.empty:
        return None
    needed = table.seeds_needed[table.decided == Decision.UNDECIDED].sort_values()
    finite = needed[needed.map(math.isfinite)]
    seeds = experiment.oracle.seeds
    return Settling(
        cycles=len(table),
        decided=Counter(table.decided),
        finite=len(finite),
        seeds=max(int(finite.iloc[(len(finite) - 1) // 2]), len(seeds) + 1) if len(finite) else 0,
        shared=int(needed.map(math.isinf).sum()),
        fewer=not experiment.oracle.search.is_exhaustive and bool((table.seeds < len(seeds)).any()),
    )
