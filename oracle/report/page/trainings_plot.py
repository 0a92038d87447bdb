"""The trainings of each pruning cycle as points of a plot; each point comes with a description of its training."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from oracle.analysis.results import Results
from oracle.plan.steps import Role
from oracle.report.figures.style import ticks
from oracle.study.record import Status

WIDTH, HEIGHT = 640, 320  # of a panel, in units of its view box
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 40
MARGIN = 24  # from the frame to the least and the greatest value
BELOW_BEST = 6.0  # points that the axis reaches at least below the best; what is lower lies at its foot


@dataclass(frozen=True)
class Point:
    """A training.

    Attributes:
        x, y: its place, in units of the panel's view box.
        kind: ``candidate`` (of a grid value) or ``silo``.
        foot: whether it diverged, failed, or is lower than the axis reaches.
        description: which training it is and what it reached, in words.
    """

    x: float
    y: float
    kind: str
    foot: bool
    description: str


@dataclass(frozen=True)
class Mark:
    """A tick: its place on the axis, in units of the panel's view box, and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Panel:
    """The trainings of one pruning cycle.

    Attributes:
        cycle: its number.
        title: its number, the weights that remain, and why it is uninformative where it is.
        points: its trainings.
        inside: x of both ends of the optimal interval; None where the cycle is uninformative.
        silo: x of SILO's max_lr.
        x_marks, y_marks: the ticks.
    """

    cycle: int
    title: str
    points: tuple[Point, ...]
    inside: tuple[float, float] | None
    silo: float
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Scale:
    """Where values stand in a panel: max_lr between low and high on a log axis, accuracy (percent) from bottom to top."""

    low: float
    high: float
    bottom: float
    top: float

    def x(self, max_lr: float) -> float:
        low, high = math.log(self.low), math.log(self.high)
        share = (math.log(max_lr) - low) / (high - low) if high > low else 0.5
        return round(LEFT + MARGIN + share * (WIDTH - LEFT - RIGHT - 2 * MARGIN), 1)

    def y(self, accuracy: float) -> float:
        share = (accuracy - self.bottom) / (self.top - self.bottom)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def training_panels(results: Results) -> list[Panel]:
    """A panel for each cycle with a training of a grid value, or of SILO's on its masks."""
    cells = results.cells[results.cells.candidate | results.cells.silo]
    if cells.empty:
        return []
    bounds = min(cells.max_lr.min(), results.comparison.silo_max_lr.min()), cells.max_lr.max()
    rows = results.comparison.set_index("cycle")
    return [_panel(rows.loc[cycle], part, bounds, results) for cycle, part in cells.groupby("cycle")]


def _panel(row: pd.Series, cells: pd.DataFrame, bounds: tuple[float, float], results: Results) -> Panel:
    """The panel of a cycle; row: the cycle's of the comparison; bounds: of max_lr in all panels."""
    chosen_on = results.experiment.chosen_on
    best = cells[chosen_on].max()
    top = 100.0 if math.isnan(best) else min(100.0, best + 1)
    lowest = (0.0 if math.isnan(best) else best) - 8 * results.experiment.oracle.tolerance
    scale = Scale(*bounds, min(top - BELOW_BEST, lowest), top)

    why = "" if row.informative else f" ({row.why})"
    weights = "" if pd.isna(row.weights_remaining) else f", {row.weights_remaining:.3g}% of the weights"
    cycle = int(cells.cycle.iloc[0])
    return Panel(
        cycle=cycle,
        title=f"Cycle {cycle}{weights}{why}",
        points=_points(cells, scale, chosen_on),
        inside=(scale.x(row.low), scale.x(row.high)) if row.informative else None,
        silo=scale.x(row.silo_max_lr),
        x_marks=tuple(Mark(scale.x(value), f"{value:.3g}") for value in ticks(*bounds)),
        y_marks=_levels(scale),
    )


def _levels(scale: Scale) -> tuple[Mark, ...]:
    step = max(1, round((scale.top - scale.bottom) / 6))
    levels = range(math.ceil(scale.bottom / step) * step, math.floor(scale.top) + 1, step)
    return tuple(Mark(scale.y(level), str(level)) for level in levels)


def _points(cells: pd.DataFrame, scale: Scale, chosen_on: str) -> tuple[Point, ...]:
    """The trainings of a cycle, those of one max_lr side by side, so that each can be pointed at."""
    seeds = sorted(cells.seed.unique())
    room = 0.8 * (WIDTH - LEFT - RIGHT) / max(cells.max_lr.nunique(), 8)  # of one value
    points = []
    for cell in cells.to_dict("records"):
        foot = cell["status"] != Status.DONE or cell[chosen_on] < scale.bottom
        shift = (seeds.index(cell["seed"]) - (len(seeds) - 1) / 2) * min(12.0, room / len(seeds))
        x = round(scale.x(cell["max_lr"]) + shift, 1)
        y = HEIGHT - BOTTOM - 4.0 if foot else scale.y(cell[chosen_on])
        points.append(Point(x, y, Role.SILO if cell["silo"] else Role.CANDIDATE, foot, _description(cell, chosen_on)))
    return tuple(points)


def _description(cell: dict[str, Any], chosen_on: str) -> str:
    name = "SILO's max_lr" if cell["silo"] else "max_lr"
    outcome = cell["status"]
    if outcome == "done":
        outcome = f"{chosen_on} {cell[chosen_on]:.2f}%, test {cell['test']:.2f}%"
    return f"{name} {cell['max_lr']:.4g}, seed {cell['seed']}: {outcome}; training {cell['id']}"
