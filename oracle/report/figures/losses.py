"""Figure of the losses: points lost to the best of each cycle by SILO and by the best constant, by weights remaining."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oracle.report.figures.style import (
    GREEN,
    GREY,
    SILO_LINE,
    empty_axes,
    empty_figure,
    legend_below,
    new_figure,
    styled,
    weights_axis,
)
from oracle.stats.held_out import Estimate

BARS = {"elinewidth": 0.8, "capsize": 0, "markersize": 2.8}
WHO = {  # the columns' names -> their look; hollow and lighter, so that both are told apart where they overlap
    "constant": BARS | {"color": GREEN, "marker": "s", "markerfacecolor": "white", "label": "Best constant"},
    "silo": BARS | {"color": SILO_LINE["color"], "marker": SILO_LINE["marker"], "label": "SILO"},
}
NOTHING = "no losses are known yet"
TOLERANCE = {"color": "black", "linewidth": 0.8, "linestyle": (0, (4, 2)), "label": "Tolerance"}


@styled
def plot_losses(
    losses: pd.DataFrame, means: Mapping[str, Estimate], title: str | None, tolerance: float, level: float
) -> Figure:
    """Plot the points that SILO and the best constant lose to the best of each cycle, as :func:`draw_losses` draws them.

    Args:
        losses: as :func:`oracle.analysis.findings.losses_table` returns them.
        means: as there.
        title: stands above the axes, as plain text; None: no title.
        tolerance: as there.
        level: as there.

    Returns:
        The figure; one that says so where there are no losses.
    """
    if losses.empty:
        return empty_figure(title, NOTHING)
    figure, (axes,) = new_figure(2.9, title)
    draw_losses(axes, losses, means, tolerance, level)
    legend_below(figure)
    return figure


def draw_losses(
    axes: Axes, losses: pd.DataFrame, means: Mapping[str, Estimate], tolerance: float, level: float
) -> None:
    """Draw the points that SILO and the best constant lose to the best of each cycle, with their intervals.

    At the right edge, their means over the cycles. All are held out: chosen on the other seeds, on test images.

    Args:
        axes: what is drawn into; they say so where there are no losses.
        losses: as :func:`oracle.analysis.findings.losses_table` returns them.
        means: over the cycles, as :func:`oracle.analysis.findings.mean_losses` returns them.
        tolerance: points within which a value is as good as the best; a line.
        level: probability that a truth lies beyond its interval, on each side.
    """
    if losses.empty:
        empty_axes(axes, NOTHING)
        return
    weights = losses.weights_remaining.to_numpy()
    steps = weights_axis([axes], weights, losses.cycle.to_numpy())
    axes.axhline(0, color="black", linewidth=0.6)
    axes.axhline(tolerance, **TOLERANCE)
    # side by side, so that neither covers the other
    shift = np.minimum((steps[:-1] / steps[1:]) ** 0.12, (steps[0] / steps[-1]) ** 0.008)
    for (name, look), place in zip(WHO.items(), (weights / shift, weights * shift), strict=True):
        low, value, high = (losses[f"{name}{end}"].to_numpy() for end in ("_low", "", "_high"))
        axes.errorbar(place, value, [value - low, high - value], linestyle="none", **look)
    _draw_means(axes, means, steps, level)
    axes.set_ylabel(f"Points lost to the best\nof each cycle ({1 - 2 * level:.0%} interval)")


def _draw_means(axes: Axes, means: Mapping[str, Estimate], steps: np.ndarray, level: float) -> None:
    """Draw the means over the cycles beyond the last one."""
    room = (steps[0] / steps[-1]) ** 0.11
    axes.set_xlim(steps[0], steps[-1] / room)
    axes.axvline(steps[-1], color=GREY, linewidth=0.6)
    for (name, look), share in zip(WHO.items(), (0.65, 0.35), strict=True):
        one = means[name]
        ends = [[one.value - one.lower(level)], [one.upper(level) - one.value]]
        axes.errorbar([steps[-1] / room**share], [one.value], ends, linestyle="none", **look)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.07 * (high - low))  # room for the word
    axes.text(steps[-1] / room**0.5, 0.98, "mean", transform=axes.get_xaxis_transform(), ha="center", va="top", size=6)
