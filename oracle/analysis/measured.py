"""What the grid values of a cycle, and SILO's, were measured at: means that can be compared with each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from oracle.analysis.cells import accuracies
from oracle.experiment.spec import Experiment
from oracle.stats.paired import paired_means


@dataclass(frozen=True)
class Measured:
    """The means of one cycle.

    Attributes:
        means: percent, by grid value, rising; None: diverged or failed in a seed.
        seeds: those that each grid value was tried in, of all_seeds.
        all_seeds: those of the comparison.
        silo: SILO's mean, in percent; None: it diverged, failed or is missing in one of the seeds.
    """

    means: Mapping[float, float | None]
    seeds: Mapping[float, Sequence[int]]
    all_seeds: Sequence[int]
    silo: float | None


def measured(cells: pd.DataFrame, experiment: Experiment, skipped: pd.DataFrame) -> Measured:
    """Return the means of a cycle, from its rows of the tables of cells and of what the search skipped; none where the cycle
    isn't complete.
    """
    if experiment.oracle.search.is_exhaustive:
        return _in_every_seed(cells, experiment)
    return _as_if_in_every_seed(cells, experiment, skipped)


def _in_every_seed(cells: pd.DataFrame, experiment: Experiment) -> Measured:
    """Plain means over the seeds that every grid value has."""
    grid, chosen_on = experiment.oracle.grid.values(), experiment.chosen_on
    candidates = accuracies(cells[cells.candidate], chosen_on)
    seeds = [seed for seed in experiment.oracle.seeds if all((value, seed) in candidates for value in grid)]
    silo = {seed: accuracy for (_, seed), accuracy in accuracies(cells[cells.silo], chosen_on).items()}
    return Measured(
        {value: _mean([candidates[value, seed] for seed in seeds]) for value in grid},
        dict.fromkeys(grid, seeds),
        seeds,
        _mean([silo.get(seed) for seed in seeds]),
    )


def _mean(percents: Sequence[float | None]) -> float | None:
    """None where one of them is None, or there is none."""
    return None if not percents or None in percents else sum(percents) / len(percents)


def _as_if_in_every_seed(cells: pd.DataFrame, experiment: Experiment, skipped: pd.DataFrame) -> Measured:
    """Means over all seeds as far as each value was tried (oracle.stats.paired), once the search has ended."""
    tried = accuracies(cells[cells.candidate | cells.silo], experiment.chosen_on)
    silo = cells[cells.silo]
    seeds = [seed for seed in experiment.oracle.seeds if seed in set(silo.seed)]
    untried = {(row.max_lr, int(seed)) for row in skipped.itertuples() for seed in row.seeds.split()}
    grid = experiment.oracle.grid.values()
    if not seeds or any(
        (value, seed) not in tried and (value, seed) not in untried for value in grid for seed in seeds
    ):
        return Measured({}, {}, [], None)
    means = paired_means(tried)
    values = [value for value in grid if value in means]
    return Measured(
        {value: means[value] for value in values},
        {value: [seed for seed in seeds if (value, seed) in tried] for value in values},
        seeds,
        means[experiment.schedule.max_lr(int(silo.cycle.iloc[0]))],
    )
