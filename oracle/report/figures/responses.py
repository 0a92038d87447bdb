"""Figure of the response curves: accuracy over max_lr, a small panel a cycle."""

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from oracle.report.figures.style import (
    BLUE,
    GREY,
    NEAR_BEST,
    SILO_LINE,
    WIDE,
    drawable,
    empty_axes,
    empty_figure,
    label_log,
    legend_below,
    styled,
)
from oracle.stats.measurements import Measurements
from oracle.stats.response import Responses

COLUMNS = 6  # panels side by side, at most
NOTHING = "no response curves are known yet"
BAND, OPTIMUM = "#A9D0EA", {"color": BLUE, "linewidth": 0.8, "linestyle": (0, (2, 1.5))}
NEAR = {"color": "black", "marker": "o", "markersize": 2.2, "linestyle": "none", "elinewidth": 0.7, "capsize": 0}
FAR = {"color": GREY, "marker": "o", "markersize": 2.2, "markerfacecolor": "white", "linestyle": "none"}
BELOW = {"color": GREY, "marker": "v", "markersize": 2.6, "linestyle": "none"}
DIVERGED = {"color": "black", "marker": "x", "markersize": 3, "markeredgewidth": 0.7, "linestyle": "none"}


@styled
def plot_responses(
    measured: Measurements | None, curves: Responses | None, title: str | None, level: float, chosen_on: str
) -> Figure:
    """Plot the mean accuracy (percent) over max_lr (log), a panel a judged cycle, with what is fitted to it.

    Values near the best have bars of one standard deviation of a training, less what its seed explains; others are hollow, or
    triangles at the foot where they lie below it, or crosses where a seed diverged. The curve is drawn over the values that
    it is fitted to. All panels span as many points, so that their curves can be compared.

    Args:
        measured: the accuracies; None: nothing can be judged.
        curves: fitted to them; None likewise.
        title: stands above the panels, as plain text; None: no title.
        level: probability that the band of all cycles' optima misses one.
        chosen_on: what the accuracies are of, such as "validation".

    Returns:
        The figure; one that says so where nothing can be judged.
    """
    if measured is None or curves is None:
        return empty_figure(title, NOTHING)
    cycles = len(measured.cycles)
    rows = math.ceil(cycles / COLUMNS)
    columns = math.ceil(cycles / rows)
    height = 0.9 + 1.05 * max(rows, 1.5)
    figure = Figure(figsize=(WIDE, height))
    # placed by hand, in inches: a layout that measures every label of 25 panels takes longer than all else
    room_above = 0.2 + 0.18 * len(textwrap.wrap(title, 90) if title else [])
    place = {"left": 0.5 / WIDE, "right": 1 - 0.1 / WIDE, "bottom": 0.85 / height, "top": 1 - room_above / height}
    panels = figure.subplots(
        rows, columns, sharex=True, squeeze=False, gridspec_kw=place | {"wspace": 0.34, "hspace": 0.28}
    ).ravel()
    low, high = curves.intervals(level)
    bottoms, span = _limits(measured, curves)
    # "0.001" is as wide as a third of a panel
    _max_lr_below(panels[0], measured, most=4 if measured.values[0] > 0.002 else 2)
    for cycle, axes in enumerate(panels[:cycles]):
        axes.set_ylim(bottoms[cycle], bottoms[cycle] + span)
        axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        axes.set_title(_panel_title(measured, cycle), pad=2, fontsize=7)
        _draw_panel(axes, measured, curves, cycle, (low[cycle], high[cycle]))
    for axes in panels[cycles:]:
        axes.set_axis_off()
    for axes in panels[max(cycles - columns, 0) : cycles]:
        axes.tick_params(labelbottom=True)
    for axes in panels[(rows - 1) * columns : cycles]:
        axes.set_xlabel("max_lr")
    figure.supylabel(f"Mean {chosen_on} accuracy (%)", x=0.06 / WIDE, fontsize=8)
    if title:
        figure.suptitle(textwrap.fill(drawable(title), 90), parse_math=False, fontsize=8)
    legend_below(figure, 4)
    return figure


def draw_response(
    axes: Axes, measured: Measurements | None, curves: Responses | None, cycle: int, level: float, chosen_on: str
) -> None:
    """Draw one panel of :func:`plot_responses`.

    Args:
        axes: what is drawn into; they say so where nothing can be judged.
        measured: as there.
        curves: as there.
        cycle: one of ``measured.cycles``.
        level: as there.
        chosen_on: as there.
    """
    if measured is None or curves is None:
        empty_axes(axes, NOTHING)
        return
    place = list(measured.cycles).index(cycle)
    low, high = curves.intervals(level)
    bottoms, span = _limits(measured, curves)
    _max_lr_below(axes, measured)
    axes.set_ylim(bottoms[place], bottoms[place] + span)
    axes.set_title(_panel_title(measured, place))
    axes.set_xlabel("max_lr")
    axes.set_ylabel(f"Mean {chosen_on} accuracy (%)")
    _draw_panel(axes, measured, curves, place, (low[place], high[place]))


def _max_lr_below(axes: Axes, measured: Measurements, most: int = 12) -> None:
    """Make x a log axis of max_lr that holds all values, with at most so many ticks."""
    first, last = measured.values[[0, -1]]
    room = max(last / first, 1.5) ** 0.06
    axes.set_xscale("log")
    axes.set_xlim(min(first, measured.silo.min()) / room, max(last, measured.silo.max()) * room)
    label_log(axes.xaxis, *axes.get_xlim(), most=most)


def _panel_title(measured: Measurements, cycle: int) -> str:
    return f"cycle {measured.cycles[cycle]}, {100 * measured.density[cycle]:.3g}%"


def _draw_panel(axes: Axes, measured: Measurements, curves: Responses, cycle: int, band: tuple[float, float]) -> None:
    """Draw a cycle into axes whose limits are set."""
    _draw_band(axes, float(curves.best[cycle]), *band)
    _draw_values(axes, measured, cycle)
    _draw_curve(axes, measured, curves, cycle)


def _limits(measured: Measurements, curves: Responses) -> tuple[np.ndarray, float]:
    """Each panel's lowest accuracy, and the points that all span: the values near the best with their bars, and the tops."""
    bars = measured.noise.sd[:, None]
    low = np.where(measured.near, measured.means - bars, np.inf).min(axis=1)
    high = np.where(measured.near, measured.means + bars, -np.inf).max(axis=1)
    top = curves.top[np.arange(len(low)), curves.at_best]
    high = np.maximum(high, top)
    span = 1.2 * float((high - low).max())
    return high + 0.06 * span - span, span


def _draw_band(axes: Axes, best: float, low: float, high: float) -> None:
    left, right = axes.get_xlim()
    axes.axvspan(max(2.0**low, left), min(2.0**high, right), color=BAND, linewidth=0, label="Its band")
    axes.axvline(2.0**best, **OPTIMUM, label="Optimum")


def _draw_values(axes: Axes, measured: Measurements, cycle: int) -> None:
    means, near, values = measured.means[cycle], measured.near[cycle], measured.values
    foot, top = axes.get_ylim()
    foot += 0.05 * (top - foot)
    axes.axvline(measured.silo[cycle], color=SILO_LINE["color"], linewidth=1.2, label="SILO")
    far = ~near & np.isfinite(means)
    for which, height, look, label in (
        (far & (means >= foot), means, FAR, "Not near it"),
        (far & (means < foot), np.full(len(means), foot), BELOW, "Below the axis"),
        (np.isneginf(means), np.full(len(means), foot), DIVERGED, "Diverged"),
    ):
        if which.any():  # else the legend would promise one
            axes.plot(values[which], height[which], **look, label=label)
    axes.errorbar(values[near], means[near], measured.noise.sd[cycle], **NEAR, label=NEAR_BEST)


def _draw_curve(axes: Axes, measured: Measurements, curves: Responses, cycle: int) -> None:
    """Draw the curve over the values near the best, and as far as its optimum."""
    ends = [*measured.log_values[measured.near[cycle]], curves.best[cycle]]
    x = np.linspace(min(ends), max(ends), 100)
    axes.plot(2**x, curves.curve(cycle, x), color=BLUE, linewidth=1.2, label="Fitted curve")
