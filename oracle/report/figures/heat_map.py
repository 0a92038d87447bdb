"""Figure of the grid: how far each value's accuracy lies below the best of its pruning cycle."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from oracle.analysis.cells import accuracies
from oracle.report.figures.cycles import cycles_with_weights
from oracle.report.figures.style import (
    GREY,
    HOLLOW_MARKER,
    SILO_LINE,
    borders,
    draw_line,
    draw_open_ends,
    empty_figure,
    legend_below,
    max_lr_axis,
    new_figure,
    styled,
    weights_axis,
)
from oracle.stats.paired import paired_means

MAX_SHORTFALL = 10.0  # points below the cycle's best from where the colour no longer changes

WHITE_BORDER = [Stroke(linewidth=2.6, foreground="white"), Normal()]
DIVERGED = {"facecolor": "#DDDDDD", "edgecolor": GREY, "linewidth": 0.3, "hatch": "////", "label": "Diverged"}
OUTLINE = {"baseline": None, "color": "black", "linewidth": 1.0, "path_effects": WHITE_BORDER}


@styled
def plot_heat_map(
    cells: pd.DataFrame, comparison: pd.DataFrame, title: str | None, chosen_on: str = "validation"
) -> Figure:
    """Plot each grid value at each cycle in a colour that says how many points it lies below the cycle's best.

    A column is a cycle, at its weights remaining (percent, log axis, falling to the right). Hatched: a seed diverged; blank:
    not recorded, or skipped. On top the interval's ends (an arrow where an end is open), the best and SILO.

    Args:
        cells: as :func:`oracle.analysis.cells.cells_table` returns them.
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
        title: stands above the axes, as plain text; None: no title.
        chosen_on: the accuracy that is drawn, a column of the cells: the one that values are chosen by.

    Returns:
        The figure; one that says so where nothing is recorded.
    """
    mean, diverged = grid_accuracy(cells, chosen_on)
    table = cycles_with_weights(comparison)
    table = table[table.cycle.isin(mean.columns)].reset_index(drop=True)
    if table.empty:
        return empty_figure(title, "nothing recorded yet")
    mean, diverged, values = mean[table.cycle], diverged[table.cycle], mean.index.to_numpy()
    rows = borders(values)
    figure, (axes,) = new_figure(3.4, title)
    bounds = [*rows, *table.silo_max_lr.dropna()]
    max_lr_axis(axes, min(bounds), max(bounds))
    columns = weights_axis([axes], table.weights_remaining.to_numpy(), table.cycle.to_numpy())
    _draw_colours(figure, axes, columns, rows, mean.max() - mean, chosen_on)
    if diverged.any(axis=None):
        row, column = np.nonzero(diverged.to_numpy())
        axes.bar(columns[column], np.diff(rows)[row], np.diff(columns)[column], rows[row], align="edge", **DIVERGED)
    _draw_results(axes, columns, rows, values, table)
    legend_below(figure)
    return figure


def grid_accuracy(cells: pd.DataFrame, chosen_on: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The mean accuracy of every grid value in every cycle, and whether a seed of it diverged there.

    Args:
        cells: as :func:`oracle.analysis.cells.cells_table` returns them.
        chosen_on: the column that holds the accuracies (percent).

    Returns:
        Two frames of one shape, a row a grid value, a column a cycle: accuracies (percent), as if every value had been
        tried in every seed (:mod:`oracle.stats.paired`), NaN where unknown; and bools.
    """
    tried, compared = cells[cells.candidate.isin([True])], (cells.candidate | cells.silo).isin([True])
    cycles = range(tried.cycle.min(), tried.cycle.max() + 1) if len(tried) else []
    means = {}
    for cycle in sorted(tried.cycle.unique()):
        means[cycle] = paired_means(accuracies(cells[compared & (cells.cycle == cycle)], chosen_on))
    values = sorted(tried.max_lr.unique())
    diverged = (tried.status == "diverged").groupby([tried.max_lr, tried.cycle]).any()
    mean = pd.DataFrame(means, index=values, columns=cycles, dtype=float)
    return mean, diverged.unstack().reindex(index=values, columns=cycles).isin([True])


def _draw_colours(
    figure: Figure, axes: Axes, columns: np.ndarray, rows: np.ndarray, shortfall: pd.DataFrame, chosen_on: str
) -> None:
    # the root spreads the first points, where the interval is decided, over most of the colours
    norm = PowerNorm(0.5, 0, MAX_SHORTFALL)
    image = axes.pcolormesh(columns, rows, np.ma.masked_invalid(shortfall), cmap="cividis_r", norm=norm)
    bar = figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1, 2, 5, MAX_SHORTFALL], extend="max", aspect=25)
    bar.ax.invert_yaxis()
    bar.ax.minorticks_off()
    bar.ax.set_yticklabels(["0", "0.5", "1", "2", "5", f"{MAX_SHORTFALL:g}"])
    bar.set_label(f"Mean {chosen_on} accuracy:\npoints below the cycle's best")


def _draw_results(axes: Axes, columns: np.ndarray, rows: np.ndarray, values: np.ndarray, table: pd.DataFrame) -> None:
    """Draw the interval's outline, the best and SILO on top of the colours."""
    weights, judged = table.weights_remaining, table.where(table.informative)
    low = judged.low.map(lambda value: rows[np.abs(values - value).argmin()], na_action="ignore")
    high = judged.high.map(lambda value: rows[np.abs(values - value).argmin() + 1], na_action="ignore")
    bottom, top = axes.get_ylim()
    if table.informative.any():
        # an open end has no line: the outline leaves the axes there
        lower, upper = (
            low.mask(low.notna() & table.open_low, bottom / 2),
            high.mask(high.notna() & table.open_high, top * 2),
        )
        axes.stairs(lower, columns, **OUTLINE, label="Optimal interval")
        axes.stairs(upper, columns, **OUTLINE)
    silo = SILO_LINE | {"markersize": 1.8}
    draw_line(axes, weights, table.silo_max_lr, **silo, path_effects=WHITE_BORDER, label="SILO")
    best = HOLLOW_MARKER | {"markerfacecolor": "black"}  # black: the best's own colour is always bright
    draw_line(axes, weights, judged.best_max_lr, **best, color="black", label="Oracle's best")
    uninformative = table.best_max_lr.mask(table.informative)
    draw_line(axes, weights, uninformative, **HOLLOW_MARKER, color="black", label="Uninformative")
    draw_open_ends(axes, weights, low.where(table.open_low), high.where(table.open_high))
