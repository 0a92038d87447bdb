"""Figure of max_lr: the Oracle's optimal interval and SILO's value, by weights remaining."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oracle.report.figures.cycles import cycles_with_weights
from oracle.report.figures.style import (
    BLUE,
    HOLLOW_MARKER,
    ORACLE_LINE,
    SILO_LINE,
    draw_line,
    draw_open_ends,
    empty_axes,
    empty_figure,
    hatch_uninformative,
    legend_below,
    max_lr_axis,
    new_figure,
    styled,
    weights_axis,
)

INSIDE, EDGE, CLOSED_END = "#A9D0EA", "#DCECF7", "#56A3D0"  # tints of BLUE; opaque, as neighbours of one tint touch

OPTIMUM = {
    "color": "black",
    "marker": "_",
    "markersize": 4.5,
    "linestyle": "none",
    "ecolor": "#4D4D4D",
    "elinewidth": 0.5,
}
NOTHING = "no cycle is complete yet"
GROWTH_LINE = {"color": "black", "linewidth": 0.9, "linestyle": (0, (1, 1))}


@styled
def plot_max_lr(
    comparison: pd.DataFrame,
    title: str | None,
    optima: pd.DataFrame | None = None,
    path: pd.DataFrame | None = None,
    shown: Sequence[float] = (),
) -> Figure:
    """Plot max_lr over the weights remaining, as :func:`draw_max_lr` draws it.

    Args:
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
        title: stands above the axes, as plain text; None: no title.
        optima: as there.
        path: as there.
        shown: as there.

    Returns:
        The figure; one that says so where no cycle is complete.
    """
    if not (cycles_with_weights(comparison).seeds > 0).any():
        return empty_figure(title, NOTHING)
    figure, (axes,) = new_figure(3.05, title)
    draw_max_lr(axes, comparison, optima, path, shown)
    legend_below(figure)
    return figure


def draw_max_lr(
    axes: Axes,
    comparison: pd.DataFrame,
    optima: pd.DataFrame | None = None,
    path: pd.DataFrame | None = None,
    shown: Sequence[float] = (),
) -> None:
    """Draw max_lr over the weights remaining (percent, falling to the right), both on log axes.

    The Oracle's interval is a band, one step a cycle; its end lies in the paler step beside it, between the last grid
    value inside and the first outside. A closed end has a line; where the grid was too narrow to find one, an arrow
    points on. Uninformative cycles are hatched, without interval and with a hollow best. Where response curves are known,
    the optimum of each is a dash on the line of its band, and the growth that fits them a line of its own.

    Args:
        axes: what is drawn into; they say so where no cycle is complete.
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
        optima: of the response curves, as :func:`oracle.analysis.findings.optima_table` returns them; None: not drawn.
        path: the growth that fits them, as ``oracle.analysis.findings.Findings.path`` has it; None: not drawn.
        shown: other values of max_lr that the axes are to hold.
    """
    table = cycles_with_weights(comparison)
    judged = table.where(table.informative)
    bounds = table[["best_max_lr", "silo_max_lr"]].join(judged[["low", "high", "edge_low", "edge_high"]])
    if not (table.seeds > 0).any():
        empty_axes(axes, NOTHING)
        return
    weights = table.weights_remaining
    steps = weights_axis([axes], weights.to_numpy(), table.cycle.to_numpy())
    hatch_uninformative([axes], steps, table)
    reached = [bounds.min(axis=None), bounds.max(axis=None), *shown]
    if optima is not None:
        fitted = optima[["optimum", "low", "high"]].to_numpy()
        reached += [*fitted[(fitted > 0) & np.isfinite(fitted)]]
    max_lr_axis(axes, min(reached), max(reached))
    _draw_band(axes, steps, judged.edge_low, judged.low, EDGE, "Its edge")
    _draw_band(axes, steps, judged.high, judged.edge_high, EDGE, "Its edge")
    _draw_band(axes, steps, judged.low, judged.high, INSIDE, "Optimal interval")
    for end in (judged.low.mask(table.open_low), judged.high.mask(table.open_high)):
        # of an interval of one value these lines are all that is seen
        axes.hlines(end, steps[:-1], steps[1:], color=CLOSED_END, linewidth=1.0)
    if optima is not None and path is not None:
        _draw_fitted(axes, optima, path)
    draw_line(axes, weights, judged.best_max_lr, **ORACLE_LINE, label="Oracle's best")
    draw_line(axes, weights, table.best_max_lr.mask(table.informative), **HOLLOW_MARKER, color=BLUE)
    draw_line(axes, weights, table.silo_max_lr, **SILO_LINE, label="SILO")
    draw_open_ends(axes, weights, judged.low.where(table.open_low), judged.high.where(table.open_high))


def _draw_band(axes: Axes, steps: np.ndarray, low: pd.Series, high: pd.Series, color: str, label: str) -> None:
    """Fill each cycle's step between two values of max_lr; NaN: nothing is filled."""
    drawn = (low.notna() & high.notna()).to_numpy()
    if drawn.any():
        # the edge closes the hairline between neighbours
        style = {"color": color, "linewidth": 0.3, "align": "edge", "label": label}
        axes.bar(steps[:-1][drawn], (high - low)[drawn], np.diff(steps)[drawn], low[drawn], **style)


def _draw_fitted(axes: Axes, optima: pd.DataFrame, path: pd.DataFrame) -> None:
    """Draw each cycle's optimum on the line of its band, and the fitted growth; what nothing bounds reaches the axes' end."""
    if optima.empty:
        return
    bottom, top = axes.get_ylim()
    ends = [optima.optimum - optima.low.clip(lower=bottom), optima.high.clip(upper=top) - optima.optimum]
    axes.errorbar(optima.weights_remaining, optima.optimum, ends, **OPTIMUM, zorder=1.9, label="Fitted optimum")
    drawn = optima.merge(path, on="cycle")
    draw_line(axes, drawn.weights_remaining, drawn.max_lr, **GROWTH_LINE, label="Fitted growth")
