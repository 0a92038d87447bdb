"""The look of every figure: one column of a paper wide, log axes with readable ticks, legends below; and how it is saved."""

import math
import textwrap
from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

WIDTH = 3.4  # inches
FEW = 6  # so many cycles have a tick of their own each

# "default" first, so that the reader's own matplotlibrc changes nothing
styled = matplotlib.style.context(
    [
        "default",
        {
            "font.family": "DejaVu Sans",
            "font.size": 7.5,
            "axes.titlesize": 8,
            "axes.labelsize": 8,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "legend.fontsize": 7,
            "legend.frameon": False,
            "legend.handlelength": 1.8,
            "legend.columnspacing": 1.2,
            "axes.linewidth": 0.6,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2.5,
            "ytick.major.size": 2.5,
            "lines.linewidth": 1.2,
            "lines.markersize": 3.5,
            "hatch.linewidth": 0.4,
            "svg.hashsalt": "silo-oracle",
        },
    ]
)
LEGEND = ["SILO", "SILO's own chain", "Oracle's best", "Optimal interval", "Its edge"]  # in this order
LEGEND += ["Open end", "Diverged", "Uninformative", "Emptied"]


@styled
def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name``.png (300 dpi) and ``name``.svg; the paths. The folder is made where it is missing.

    The same figure gives the same bytes: neither a date nor the name of a program is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    for ending, fields in metadata.items():
        figure.savefig(folder / f"{name}.{ending}", dpi=300, metadata=fields)
    return [folder / f"{name}.{ending}" for ending in metadata]


def new_figure(height: float, title: str | None, heights: tuple[float, ...] = (1,)) -> tuple[Figure, list[Axes]]:
    """A figure (height in inches) with one axes a share of the height, one below the other."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    figure.align_ylabels(axes)
    if title:
        axes[0].set_title(textwrap.fill(title, 44), parse_math=False)
    return figure, list(axes)


def empty_figure(title: str | None, why: str) -> Figure:
    """A figure that says why it shows nothing."""
    figure, (axes,) = new_figure(1.5, title)
    axes.set_axis_off()
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)
    return figure


def legend_below(figure: Figure) -> None:
    """Below the axes, where it covers no data; two artists of one label are one entry."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    handle = dict(zip(labels, handles, strict=True))
    labels = [label for label in LEGEND if label in handle] + [label for label in handle if label not in LEGEND]
    figure.legend([handle[label] for label in labels], labels, loc="outside lower center", ncols=3)


def ticks(low: float, high: float) -> list[float]:
    """Readable values between two bounds, as dense as their labels allow on a log axis; the bounds where none are."""
    digits = [(1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 6, 8), (1, 2, 5), (1, 3), (1,)]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for chosen in digits:
        ticks = [float(f"{digit}e{power}") for power in powers for digit in chosen]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if np.all(np.diff(np.log(ticks)) >= math.log(high / low) / 12):
            break
    return ticks if len(ticks) > 1 else sorted({low, high})


def label_log(axis: Axis, low: float, high: float) -> None:
    """Readable ticks between the bounds of a log axis, and no others."""
    axis.set_major_locator(FixedLocator(ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axis.set_minor_locator(NullLocator())


def max_lr_axis(axes: Axes, low: float, high: float) -> None:
    """Log axis over both bounds, with room beyond them for the arrows of open ends."""
    room = max(high / low, 1.5) ** 0.09
    axes.set_yscale("log")
    axes.set_ylim(low / room, high * room)
    axes.set_ylabel("max_lr")
    label_log(axes.yaxis, low, high)


def weights_axis(panels: list[Axes], table: pd.DataFrame) -> np.ndarray:
    """Log axis from the most weights remaining down to the fewest; the borders between the cycles (cycles + 1)."""
    weights = table.weights_remaining.to_numpy()
    steps = borders(weights)
    panels[-1].set_xscale("log")
    panels[-1].set_xlim(steps[0], steps[-1])
    panels[-1].set_xlabel("Weights remaining (%)")
    label_log(panels[-1].xaxis, weights.min(), weights.max())
    if len(weights) <= FEW:
        panels[-1].xaxis.set_major_locator(FixedLocator(weights))
    return steps


def borders(centres: np.ndarray) -> np.ndarray:
    """Borders of cells (n + 1) around centres (n, above 0): halfway on a log axis; the outer cells are symmetric."""
    log = np.log(centres)
    if len(log) == 1:
        return np.exp(log[0] + np.array([-0.1, 0.1]))
    middle = (log[1:] + log[:-1]) / 2
    return np.exp([2 * log[0] - middle[0], *middle, 2 * log[-1] - middle[-1]])
