"""An exhaustive run, from what was published of it: every candidate's accuracy in every seed, and SILO's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from oracle.analysis.results import load_results
from oracle.experiment.search import Search
from oracle.plan.search.task import Task
from oracle.stats.interval import Interval, find_interval


@dataclass(frozen=True)
class Cycle:
    """accuracy: percent, a row a grid value, a column a seed (NaN: diverged or failed); silo: its max_lr and its accuracies."""

    accuracy: np.ndarray
    silo_max_lr: float
    silo: np.ndarray


@dataclass(frozen=True)
class Run:
    """A run of several cycles over one grid."""

    name: str
    grid: tuple[float, ...]
    seeds: int
    tolerance: float
    cycles: tuple[Cycle, ...]

    @property
    def trainings(self) -> int:
        """All of its candidates, and SILO's own."""
        return (len(self.grid) + 1) * self.seeds * len(self.cycles)

    def interval(self, cycle: Cycle, seeds: list[int] | None = None) -> Interval | None:
        """The Oracle's over some seeds (by number; all by default)."""
        chosen = cycle.accuracy if seeds is None else cycle.accuracy[:, seeds]
        means = [None if np.isnan(row).any() else float(row.mean()) for row in chosen]
        return find_interval(self.grid, means, self.tolerance)

    def task(self, cycle: Cycle, order: list[int], first: tuple[float, ...], search: Search) -> Task:
        """What a search is asked to find at a cycle, its seeds in this order."""
        budget = search.budget(len(self.grid), self.seeds)
        return Task(self.grid, tuple(order), self.tolerance, cycle.silo_max_lr, first, budget)


def read(folder: Path) -> Run:
    """From a published folder, or a run folder."""
    results = load_results(folder)
    experiment, cells = results.experiment, results.cells
    cells = cells.assign(told=cells[experiment.chosen_on].where(cells.status == "done"))
    grid, seeds = experiment.oracle.grid.values(), list(experiment.oracle.seeds)
    cycles = []
    for number in range(experiment.prune.cycles):
        of_cycle = cells[cells.cycle == number]
        table = of_cycle[of_cycle.candidate].pivot(index="max_lr", columns="seed", values="told")
        silo = of_cycle[of_cycle.silo].set_index("seed").told
        cycles.append(
            Cycle(
                table.reindex(index=grid, columns=seeds).to_numpy(),
                experiment.schedule.max_lr(number),
                silo.reindex(seeds).to_numpy(),
            )
        )
    return Run(folder.name, grid, len(seeds), experiment.oracle.tolerance, tuple(cycles))


def draw(run: Run, random: np.random.Generator) -> Run:
    """Another run of the same truth: each value's mean is this run's, its noise as large as this run's at that value."""
    cycles = []
    for cycle in run.cycles:
        table = np.vstack([cycle.accuracy, cycle.silo])
        means = table.mean(axis=1, keepdims=True)
        residuals = table - means - np.nanmean(table - means, axis=0, keepdims=True)
        spread = np.sqrt((residuals**2).sum(axis=1, keepdims=True) / (run.seeds - 1))
        drawn = means + spread * random.normal(size=table.shape)
        cycles.append(Cycle(drawn[:-1], cycle.silo_max_lr, drawn[-1]))
    return Run(run.name, run.grid, run.seeds, run.tolerance, tuple(cycles))


def index(run: Run, interval: Interval) -> tuple[int, int]:
    """Of the interval's ends, in the grid."""
    return run.grid.index(interval.low), run.grid.index(interval.high)


def settings(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a search's replays, averaged over their repetitions."""
    return frame.groupby(["run", "against", "search", "share"], sort=False, dropna=False).mean().reset_index()
