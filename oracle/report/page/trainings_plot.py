"""The trainings of each pruning cycle as points, for a plot whose points tell their cells."""

import math
from dataclasses import dataclass

import pandas as pd

from oracle.analysis.results import Results
from oracle.report.figures.style import ticks

WIDTH, HEIGHT = 640, 320  # of a panel, in units of its view box
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 40
ASIDE = 24  # from the frame to the least and the greatest value
BELOW_BEST = 6.0  # points that the axis reaches at least below the best; what is lower lies at its foot


@dataclass(frozen=True)
class Point:
    """kind: candidate or silo; foot: it diverged, failed, or is lower than the axis reaches; told: its cell in words."""

    x: float
    y: float
    kind: str
    foot: bool
    told: str


@dataclass(frozen=True)
class Mark:
    """A tick: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class Panel:
    """One cycle. inside: x of the optimal interval's ends (None: uninformative); silo: x of SILO's max_lr."""

    cycle: int
    title: str
    points: tuple[Point, ...]
    inside: tuple[float, float] | None
    silo: float
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]


def panels(findings: Results) -> list[Panel]:
    """A panel for each cycle with a training of a grid value, or of SILO's on its masks."""
    cells = findings.cells[findings.cells.candidate | findings.cells.silo]
    if cells.empty:
        return []
    bounds = min(cells.max_lr.min(), findings.comparison.silo_max_lr.min()), cells.max_lr.max()
    rows = findings.comparison.set_index("cycle")
    return [_panel(rows.loc[cycle], part, bounds, findings) for cycle, part in cells.groupby("cycle")]


def _panel(row: pd.Series, cells: pd.DataFrame, bounds: tuple[float, float], findings: Results) -> Panel:
    chosen_on = findings.experiment.chosen_on
    best = cells[chosen_on].max()
    top = 100.0 if math.isnan(best) else min(100.0, best + 1)
    bottom = min(top - BELOW_BEST, (0.0 if math.isnan(best) else best) - 8 * findings.experiment.oracle.tolerance)

    seeds = sorted(cells.seed.unique())
    room = 0.8 * (WIDTH - LEFT - RIGHT) / max(cells.max_lr.nunique(), 8)  # of one value

    def x(max_lr: float) -> float:
        low, high = (math.log(end) for end in bounds)
        share = (math.log(max_lr) - low) / (high - low) if high > low else 0.5
        return round(LEFT + ASIDE + share * (WIDTH - LEFT - RIGHT - 2 * ASIDE), 1)

    def y(accuracy: float) -> float:
        share = (accuracy - bottom) / (top - bottom)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def point(cell: dict) -> Point:
        accuracy = cell[chosen_on]
        foot = cell["status"] != "done" or accuracy < bottom
        measured = (
            f"{chosen_on} {accuracy:.2f}%, test {cell['test']:.2f}%" if cell["status"] == "done" else cell["status"]
        )
        who = "SILO's max_lr" if cell["silo"] else "max_lr"
        told = f"{who} {cell['max_lr']:.4g}, seed {cell['seed']}: {measured}; cell {cell['id']}"
        height = HEIGHT - BOTTOM - 4.0 if foot else y(accuracy)
        # side by side, so that each can be pointed at
        aside = (seeds.index(cell["seed"]) - (len(seeds) - 1) / 2) * min(12.0, room / len(seeds))
        return Point(round(x(cell["max_lr"]) + aside, 1), height, "silo" if cell["silo"] else "candidate", foot, told)

    inside = (x(row.low), x(row.high)) if row.informative else None
    why = "" if row.informative else f" ({row.why})"
    weights = "" if pd.isna(row.weights_remaining) else f", {row.weights_remaining:.3g}% of the weights"
    step = max(1, round((top - bottom) / 6))
    levels = range(math.ceil(bottom / step) * step, math.floor(top) + 1, step)
    return Panel(
        int(cells.cycle.iloc[0]),
        f"Cycle {cells.cycle.iloc[0]}{weights}{why}",
        tuple(point(cell) for cell in cells.to_dict("records")),
        inside,
        x(row.silo_max_lr),
        tuple(Mark(x(value), f"{value:.3g}") for value in ticks(*bounds)),
        tuple(Mark(y(level), str(level)) for level in levels),
    )
