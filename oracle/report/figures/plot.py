"""Figures of a study: max_lr, accuracy, and a heat map of the grid, by pruning cycle."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator

from oracle.analysis.cells import accuracies
from oracle.report.figures.figure import (
    borders,
    empty_figure,
    legend_below,
    max_lr_axis,
    new_figure,
    styled,
    weights_axis,
)
from oracle.stats.paired import paired_means

BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#999999"  # Okabe and Ito's colours, safe for the colour-blind
INSIDE, EDGE, END = "#A9D0EA", "#DCECF7", "#56A3D0"  # tints of the blue; opaque, as neighbours of one tint touch
WORST = 10.0  # points below the cycle's best from where the heat map's colour no longer changes

ORACLE_LINE = {"color": BLUE, "linestyle": (0, (3, 1.5)), "marker": "o", "linewidth": 1.0}
SILO_LINE = {"color": VERMILLION, "linestyle": "-", "marker": "D", "markersize": 2.6, "linewidth": 1.4}
HOLLOW = {"linestyle": "none", "marker": "o", "markerfacecolor": "white"}
CASED = [Stroke(linewidth=2.6, foreground="white"), Normal()]
DIVERGED = {"facecolor": "#DDDDDD", "edgecolor": GREY, "linewidth": 0.3, "hatch": "////", "label": "Diverged"}
OUTLINE = {"baseline": None, "color": "black", "linewidth": 1.0, "path_effects": CASED}

NUMBERS = ["weights_remaining", "best_max_lr", "best_test", "best_test_std", "low", "high", "edge_low", "edge_high"]
NUMBERS += ["silo_max_lr", "chain_test", "chain_test_std"]
FLAGS = ["open_low", "open_high", "informative"]


@styled
def plot_max_lr(comparison: pd.DataFrame, title: str | None) -> Figure:
    """max_lr against the weights remaining (percent, falling to the right), both on log axes.

    The Oracle's interval is a band, each cycle its own step; its end lies in the paler step beside it, between the last
    grid value inside and the first outside. A closed end has a line; where the grid was too narrow to find one, an arrow
    points on. Uninformative cycles are hatched, without interval and with a hollow best.
    """
    table = _placed(comparison)
    judged = table.where(table.informative)
    bounds = table[["best_max_lr", "silo_max_lr"]].join(judged[["low", "high", "edge_low", "edge_high"]])
    if not (table.seeds > 0).any():
        return empty_figure(title, "no cycle is complete yet")
    figure, (axes,) = new_figure(2.75, title)
    steps = weights_axis([axes], table)
    _hatch_uninformative([axes], steps, table)
    max_lr_axis(axes, bounds.min(axis=None), bounds.max(axis=None))
    _band(axes, steps, judged.edge_low, judged.low, EDGE, "Its edge")
    _band(axes, steps, judged.high, judged.edge_high, EDGE, "Its edge")
    _band(axes, steps, judged.low, judged.high, INSIDE, "Optimal interval")
    for end in (judged.low.mask(table.open_low), judged.high.mask(table.open_high)):
        axes.hlines(end, steps[:-1], steps[1:], color=END, linewidth=1.0)  # an interval of one value is nothing else
    weights = table.weights_remaining
    _line(axes, weights, judged.best_max_lr, **ORACLE_LINE, label="Oracle's best")
    _line(axes, weights, table.best_max_lr.mask(table.informative), **HOLLOW, color=BLUE)
    _line(axes, weights, table.silo_max_lr, **SILO_LINE, label="SILO")
    _arrows(axes, weights, judged.low.where(table.open_low), judged.high.where(table.open_high))
    legend_below(figure)
    return figure


@styled
def plot_accuracy(comparison: pd.DataFrame, title: str | None, intervals: pd.DataFrame | None = None) -> Figure:
    """Test accuracy (percent) of SILO's own chain and of the Oracle's best against the weights remaining (percent).

    Mean and, where there are several seeds, standard deviation, the two side by side; below them SILO's mean less the
    Oracle's, in points. Uninformative cycles are hatched. intervals: of that difference (cycle, low, high), as bars; given
    where both are on the same masks. Then the difference is over the seeds that the Oracle's best was tried in, and where these
    aren't all it stands that far from SILO's mean over all of them.
    """
    table = _placed(comparison)
    best, difference = table.best_test, table.chain_test - table.best_test
    if intervals is not None:
        difference = table.silo_test - table.best_test
        best = best.where(
            table.chain_test.isna() | (table.chain_test == table.silo_test), table.chain_test - difference
        )
    if table[["chain_test", "best_test"]].isna().all(axis=None):
        return empty_figure(title, "nothing recorded yet")
    figure, (means, differences) = new_figure(3.3, title, heights=(2, 1))
    steps = weights_axis([means, differences], table)
    _hatch_uninformative([means, differences], steps, table)
    # so that the bars of one cycle don't cover each other
    aside = np.minimum((steps[:-1] / steps[1:]) ** 0.12, (steps[0] / steps[-1]) ** 0.008)
    bars = {"elinewidth": 0.9, "capsize": 0, "linewidth": 1.0}
    x = table.weights_remaining
    oracle, silo = ORACLE_LINE | bars | {"markersize": 2.4}, SILO_LINE | bars | {"markersize": 2.0}
    means.errorbar(x * aside, best, table.best_test_std, **oracle, label="Oracle's best")
    means.errorbar(x / aside, table.chain_test, table.chain_test_std, **silo, label="SILO's own chain")
    spread = table[["chain_test_std", "best_test_std"]].notna().any(axis=None)
    means.set_ylabel("Test accuracy (%)" + "\nmean ± std over seeds" * bool(spread))
    differences.axhline(0, color="black", linewidth=0.6)
    differences.plot(x, difference, **SILO_LINE)
    if intervals is not None and len(intervals):
        ends = intervals.set_index("cycle").reindex(table.cycle)
        differences.vlines(x, ends.low, ends.high, color=SILO_LINE["color"], linewidth=0.9, alpha=0.6)
    differences.margins(y=0.15)
    differences.locator_params(axis="y", nbins=4, steps=[1, 2, 5, 10])
    differences.set_ylabel("SILO \N{MINUS SIGN} Oracle\n(points)")
    legend_below(figure)
    return figure


@styled
def plot_heat_map(
    cells: pd.DataFrame, comparison: pd.DataFrame, title: str | None, chosen_on: str = "validation"
) -> Figure:
    """Every grid value at every cycle: how far its mean accuracy, on what values are chosen by, lies below the cycle's best.

    The means are as if every value had been tried in every seed (oracle.stats.paired). Hatched: a seed diverged; blank: not
    recorded, or skipped. On top the interval's ends (an arrow where open), the best and SILO.
    """
    mean, diverged = _grid(cells, chosen_on)
    if mean.empty:
        return empty_figure(title, "nothing recorded yet")
    cycles, values = mean.columns.to_numpy(), mean.index.to_numpy()
    columns, rows = np.append(cycles, cycles[-1] + 1) - 0.5, borders(values)
    table = _clean(comparison).set_index("cycle").reindex(cycles)
    table[FLAGS] = table[FLAGS].fillna(False).astype(bool)
    figure, (axes,) = new_figure(3.1, title)
    bounds = [*rows, *table.silo_max_lr.dropna()]
    max_lr_axis(axes, min(bounds), max(bounds))
    axes.set_xlabel("Pruning cycle")
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True, min_n_ticks=1))
    _colours(figure, axes, columns, rows, mean.max() - mean, chosen_on)
    if diverged.any(axis=None):
        row, column = np.nonzero(diverged.to_numpy())
        axes.bar(columns[column], np.diff(rows)[row], 1, rows[row], align="edge", **DIVERGED)
    judged = table.where(table.informative)
    low = judged.low.map(lambda value: rows[np.abs(values - value).argmin()], na_action="ignore")
    high = judged.high.map(lambda value: rows[np.abs(values - value).argmin() + 1], na_action="ignore")
    far = axes.get_ylim()
    if table.informative.any():
        axes.stairs(low.mask(low.notna() & table.open_low, far[0] / 2), columns, **OUTLINE, label="Optimal interval")
        axes.stairs(high.mask(high.notna() & table.open_high, far[1] * 2), columns, **OUTLINE)
    _line(axes, cycles, table.silo_max_lr, **SILO_LINE | {"markersize": 1.8}, path_effects=CASED, label="SILO")
    # black: the best's own cell is always bright
    _line(
        axes, cycles, judged.best_max_lr, **HOLLOW | {"markerfacecolor": "black"}, color="black", label="Oracle's best"
    )
    _line(axes, cycles, table.best_max_lr.mask(table.informative), **HOLLOW, color="black", label="Uninformative")
    _arrows(axes, cycles, low.where(table.open_low), high.where(table.open_high))
    legend_below(figure)
    return figure


def _clean(comparison: pd.DataFrame) -> pd.DataFrame:
    """Numbers as floats, answers as plain bools (unknown: no), by cycle."""
    table = comparison.sort_values("cycle", ignore_index=True)
    table[NUMBERS] = table[NUMBERS].astype(float)
    for flag in FLAGS:
        table[flag] = table[flag].isin([True])
    return table


def _placed(comparison: pd.DataFrame) -> pd.DataFrame:
    """The cycles whose place on the axis is known; one between two known cycles stands where these say."""
    table = _clean(comparison)
    known = table[table.weights_remaining.notna()]
    if known.empty:
        return known
    log = np.interp(table.cycle, known.cycle, np.log(known.weights_remaining), left=np.nan, right=np.nan)
    return table.assign(weights_remaining=np.exp(log)).dropna(subset="weights_remaining").reset_index(drop=True)


def _grid(cells: pd.DataFrame, chosen_on: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean accuracy (percent, as if every value had been tried in every seed) and whether it diverged (bool); a row a grid
    value, a column a cycle.
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


def _band(axes: Axes, steps: np.ndarray, low: pd.Series, high: pd.Series, color: str, label: str) -> None:
    drawn = (low.notna() & high.notna()).to_numpy()
    if drawn.any():
        # the edge closes the hairline between neighbours
        style = {"color": color, "linewidth": 0.3, "align": "edge", "label": label}
        axes.bar(steps[:-1][drawn], (high - low)[drawn], np.diff(steps)[drawn], low[drawn], **style)


def _line(axes: Axes, x: np.ndarray | pd.Series, y: pd.Series, **style: Any) -> None:
    if y.notna().any():  # else the legend would promise a line
        axes.plot(x, y, **style)


def _hatch_uninformative(panels: list[Axes], steps: np.ndarray, table: pd.DataFrame) -> None:
    for cycle in np.flatnonzero((table.seeds > 0) & ~table.informative):
        for axes in panels:
            axes.axvspan(*steps[cycle : cycle + 2], fc="none", ec="#BBBBBB", hatch="////", lw=0, label="Uninformative")


def _arrows(axes: Axes, x: np.ndarray | pd.Series, open_low: pd.Series, open_high: pd.Series) -> None:
    """An arrow just beyond each open end (NaN: not open)."""
    bottom, top = axes.get_ylim()
    aside = (top / bottom) ** 0.045
    for ends, marker in ((open_low / aside, "v"), (open_high * aside, "^")):
        _line(axes, x, ends, marker=marker, linestyle="none", color="black", markersize=3.2, label="Open end")


def _colours(
    figure: Figure, axes: Axes, columns: np.ndarray, rows: np.ndarray, shortfall: pd.DataFrame, chosen_on: str
) -> None:
    # the root spreads the first points, where the interval is decided, over most of the colours
    norm = PowerNorm(0.5, 0, WORST)
    image = axes.pcolormesh(columns, rows, np.ma.masked_invalid(shortfall), cmap="cividis_r", norm=norm)
    bar = figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1, 2, 5, WORST], extend="max", aspect=25)
    bar.ax.invert_yaxis()
    bar.ax.minorticks_off()
    bar.ax.set_yticklabels(["0", "0.5", "1", "2", "5", f"{WORST:g}"])
    bar.set_label(f"Mean {chosen_on} accuracy:\npoints below the cycle's best")
