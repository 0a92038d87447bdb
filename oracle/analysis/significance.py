"""How sure an Oracle's cycle is: which values may be best, how far SILO is from the best, how many seeds more would settle it.

What is best is chosen on validation images; how far SILO is from it is estimated on test images, so that the best of many
is not overrated by the images it was chosen on. Both go by oracle.stats.multiple_comparisons. The noise is a cycle's own,
pooled over its values near the best (that of a collapsed one is another); where these tell too little, over all cycles.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from oracle.analysis.cells import accuracies
from oracle.experiment.overrides import WHOLE_GRID, asking
from oracle.experiment.spec import Experiment
from oracle.stats.multiple_comparisons import Noise, difference, not_worse, seeds_to_settle
from oracle.stats.paired import Cells, paired_means, residual_variation

MANY = 30  # seeds that are proposed by name
ENOUGH = 6  # degrees of freedom that a cycle's own noise needs
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


def statistics_table(
    cells: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment, data: dict[str, Any]
) -> pd.DataFrame:
    """One row for each informative cycle; none where no cycle has two seeds.

    not_worse: the grid values not shown to be worse than the best (a space between), by what values are chosen on; with
    probability 1 - level the truly best of those that were tried is among them. SILO less the best, in points:
    chosen_on_difference on the images that
    the best was chosen on, which flatters the best; test_difference on test images, from low to high with probability 1 -
    level. decided: "within" the tolerance, "worse", "undecided". seeds_needed: how many seeds in all would settle an undecided
    one (infinite: more seeds can't, since they share their images).
    """
    chosen_on, tolerance = experiment.chosen_on, experiment.oracle.tolerance
    informative = list(comparison[comparison.informative.astype(bool)].itertuples())
    of_cycles = [cells[cells.cycle == row.cycle] for row in informative]
    chosen = [near_best(accuracies(one[one.candidate], chosen_on), tolerance) for one in of_cycles]
    tested = [
        _only(accuracies(one[one.candidate | one.silo], "test"), {*(value for value, _ in near), row.silo_max_lr})
        for one, near, row in zip(of_cycles, chosen, informative, strict=True)
    ]
    of_choice = noises(chosen, _overlap(experiment, data, chosen_on))
    of_test = noises(tested, _overlap(experiment, data, "test"))
    rows = [
        _cycle_row(*given, experiment)
        for given in zip(of_cycles, informative, of_choice, of_test, strict=True)
        if None not in given[2:]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def near_best(found: Cells, tolerance: float) -> Cells:
    """The cells of the values whose mean is at most twice the tolerance below the best's."""
    means = {value: mean for value, mean in paired_means(found).items() if mean is not None}
    least = max(means.values(), default=0.0) - 2 * tolerance
    return _only(found, {value for value, mean in means.items() if mean >= least})


def noises(cycles: list[Cells], overlap: float) -> list[Noise | None]:
    """That of each cycle: its own where it tells enough, else that of all together; None where there is nothing to tell it."""
    told = [residual_variation(found) for found in cycles]
    squares, freedom = (sum(part) for part in zip((0.0, 0), *told, strict=True))
    together = Noise(math.sqrt(squares / freedom), freedom, overlap) if freedom else None
    return [Noise(math.sqrt(own / free), free, overlap) if free >= ENOUGH else together for own, free in told]


def _only(found: Cells, values: set[float]) -> Cells:
    return {cell: accuracy for cell, accuracy in found.items() if cell[0] in values}


def _overlap(experiment: Experiment, data: Mapping[str, Any], part: str) -> float:
    """Of the images that seeds share; the official test images are the same for all seeds."""
    fixed = part == "test" and experiment.data.split.kind == "carve"
    return 0.0 if fixed else data[f"{part}_images"] / data["training_images"]


def _cycle_row(
    cells: pd.DataFrame, row: Any, of_choice: Noise, of_test: Noise, experiment: Experiment
) -> dict[str, Any]:
    found, level = accuracies(cells[cells.candidate | cells.silo], experiment.chosen_on), experiment.oracle.level
    values = set(cells.max_lr[cells.candidate])
    means = {value: mean for value, mean in paired_means(found).items() if mean is not None and value in values}
    seeds = {value: sum(cell[0] == value for cell in found) for value in means}
    return {
        "cycle": row.cycle,
        "weights_remaining": row.weights_remaining,
        "best_max_lr": row.best_max_lr,
        "not_worse": " ".join(f"{value:g}" for value in not_worse(means, seeds, of_choice, level)),
        "chosen_on_difference": -row.gap,
        **_silo(cells, row, of_test, experiment, len(means)),
    }


def _silo(cells: pd.DataFrame, row: Any, noise: Noise, experiment: Experiment, values: int) -> dict[str, Any]:
    """SILO less the best, on test images, over the seeds that both were tried in."""
    silo, best, tolerance = row.silo_max_lr, row.best_max_lr, experiment.oracle.tolerance
    tried = accuracies(cells[cells.candidate | cells.silo], "test")
    seeds = [seed for value, seed in tried if value == best and (silo, seed) in tried]
    told = {"seeds": len(seeds), "seeds_needed": math.nan}
    if not seeds:
        return told | {"decided": "undecided"}
    if any(tried[silo, seed] is None for seed in seeds):
        return told | {"decided": "worse"}  # it diverged
    if silo == best:
        return told | {"test_difference": 0.0, "low": 0.0, "high": 0.0, "decided": "within"}
    estimate = sum(tried[silo, seed] - tried[best, seed] for seed in seeds) / len(seeds)
    found = difference(estimate, len(seeds), noise, experiment.oracle.level, values)
    decided = "within" if found.low >= -tolerance else "worse" if found.high < -tolerance else "undecided"
    told |= {"test_difference": estimate, "low": found.low, "high": found.high, "decided": decided}
    if decided == "undecided":
        needed = seeds_to_settle(found, noise, tolerance)
        told["seeds_needed"] = math.ceil(needed) if math.isfinite(needed) else needed
    return told


def settling(table: pd.DataFrame, experiment: Experiment) -> str:
    """How many cycles are settled, and what more seeds would settle, in words; empty where nothing is known."""
    if table.empty:
        return ""
    counts = table.decided.value_counts()
    words = {"within": "within the tolerance of the best", "worse": "worse", "undecided": "undecided"}
    told = ", ".join(f"{word} in {counts[kind]}" for kind, word in words.items() if kind in counts)
    parts = [f"On test images, and beyond the noise (the verdicts ask less), SILO is {told} of {len(table)} cycles"]
    needed = table.seeds_needed[table.decided == "undecided"].sort_values()
    finite = needed[needed.map(math.isfinite)]
    if len(finite):
        seeds = experiment.oracle.seeds
        half = max(int(finite.iloc[(len(finite) - 1) // 2]), len(seeds) + 1)
        which = "the one" if len(finite) == 1 else f"half of the {len(finite)}"
        parts.append(f"about {half} seeds would settle {which} that more seeds can settle")
        if half <= MANY:
            more = [max(seeds) + 1 + number for number in range(half - len(seeds))]
            parts[-1] += f" ({asking(('oracle.seeds', [*seeds, *more]))})"
        if experiment.oracle.search.kind != "exhaustive" and (table.seeds < len(seeds)).any():
            parts[-1] += f", where the search tries SILO's value and the best in all of them ({WHOLE_GRID})"
    if shared := int(needed.map(math.isinf).sum()):
        verb = "is" if shared == 1 else "are"
        parts.append(f"{shared} {verb} settled by no number of seeds, since these share the images of one pool")
        parts[-1] += ": more images, or a fixed test set, would"
    return "; ".join(parts) + "."
