"""The look of every figure: colours, lines, log axes with readable ticks, a legend below; and how a figure is saved.

A figure is as wide as one column of a paper; one of many panels as two.
"""

import math
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, NullLocator

WIDTH = 3.4  # inches
WIDE = 7.0  # inches, where a figure needs both columns of a page
MAX_CYCLE_TICKS = 6  # up to so many cycles have a tick of their own each
ENDINGS = ("png", "svg", "pdf")  # of a figure's files
MEAN_STD = "mean ± std over seeds"  # what bars show in every figure, as ± does in every table

BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#999999"  # Okabe and Ito's colours, safe for the colour-blind
GREEN = "#009E73"
ORACLE_LINE = {"color": BLUE, "linestyle": (0, (3, 1.5)), "marker": "o", "markersize": 3.5, "linewidth": 1.0}
SILO_LINE = {"color": VERMILLION, "linestyle": "-", "marker": "D", "markersize": 2.6, "linewidth": 1.4}
HOLLOW_MARKER = {"linestyle": "none", "marker": "o", "markersize": 3.5, "markerfacecolor": "white"}

FONT, SQUARE = "DejaVu Sans", "\N{WHITE SQUARE}"  # a font that comes with matplotlib
# what shows an svg, whose text is text, takes the first that it has: Verdana's letters are as wide
FONTS = [FONT, "Bitstream Vera Sans", "Verdana", "Geneva", "sans-serif"]

# "default" first, so that the reader's own matplotlibrc changes nothing
styled = matplotlib.style.context(
    [
        "default",
        {
            "font.family": "sans-serif",
            "font.sans-serif": FONTS,
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
            "svg.fonttype": "none",  # text as text: it can be searched, copied and edited
            "pdf.fonttype": 42,  # TrueType: many publishers refuse Type 3
        },
    ]
)
NEAR_BEST = "Near the best, mean ± std"
LEGEND_ORDER = ["SILO", "SILO's own chain", "Oracle's best", "Optimal interval", "Its edge"]
LEGEND_ORDER += ["Best constant", "Tolerance", "Fitted optimum", "Fitted growth"]
LEGEND_ORDER += [
    "Fitted curve",
    "Optimum",
    "Its band",
    NEAR_BEST,
    "Not near it",
    "Below the axis",
]
LEGEND_ORDER += ["Open end", "Diverged", "Uninformative", "Emptied"]


@styled
def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as png (300 dpi), svg and pdf.

    The same figure gives the same bytes: neither a date nor the name of a program is written.

    Args:
        figure: what to write.
        folder: where to; it is made where it is missing.
        name: the files' name without its ending.

    Returns:
        The paths of the files, in the order of ``ENDINGS``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    png, svg, pdf = paths = [folder / f"{name}.{ending}" for ending in ENDINGS]
    dpi, canvas, layout = figure.dpi, figure.canvas, figure.get_layout_engine()
    figure.dpi = 300
    # savefig would draw a figure that has a layout twice for each file. The layout is computed for the png, and the others
    # have it, too: their text is as wide to within a point, and a layout leaves three of them around everything.
    FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
    figure.set_layout_engine("none")
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
    FigureCanvasPdf(figure).print_pdf(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    figure.set_layout_engine(layout)
    figure.dpi = dpi
    figure.set_canvas(canvas)
    return paths


def new_figure(height: float, title: str | None, height_ratios: Sequence[float] = (1,)) -> tuple[Figure, list[Axes]]:
    """A figure with panels one below the other, and these panels.

    Args:
        height: of the figure, in inches.
        title: stands above the first panel, as plain text; None: no title.
        height_ratios: each panel's share of the height.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(len(height_ratios), sharex=True, squeeze=False, height_ratios=height_ratios)[:, 0]
    figure.align_ylabels(panels)
    if title:
        panels[0].set_title(textwrap.fill(drawable(title), 44), parse_math=False)
    return figure, list(panels)


def drawable(text: str) -> str:
    """Return a text with a square for each character that the font of the figures lacks, such as a Chinese one."""
    return "".join(char if ord(char) in _glyphs() else SQUARE for char in text)


@cache
def _glyphs() -> frozenset[int]:
    """The characters that the font has."""
    return frozenset(get_font(findfont(FONT)).get_charmap())


def empty_figure(title: str | None, why: str) -> Figure:
    """A figure that says why it shows nothing."""
    figure, (axes,) = new_figure(1.5, title)
    empty_axes(axes, why)
    return figure


def empty_axes(axes: Axes, why: str) -> None:
    """Say in axes why they show nothing."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)


def legend_below(figure: Figure, columns: int = 3) -> None:
    """Add a legend of so many columns below the axes, where it covers no data."""
    figure.legend(*_legend_entries(figure.axes), loc="outside lower center", ncols=columns)


def legend_inside(axes: Axes) -> None:
    """Add a legend to axes, unless they have nothing to explain."""
    handles, labels = _legend_entries([axes])
    if handles:
        axes.legend(handles, labels)


def _legend_entries(panels: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """The handles and labels of panels in the legend's order; artists that share a label share an entry."""
    handle: dict[str, Any] = {}
    for axes in panels:
        for one, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handle.setdefault(label, one)
    labels = [label for label in LEGEND_ORDER if label in handle]
    labels += [label for label in handle if label not in LEGEND_ORDER]
    return [handle[label] for label in labels], labels


def ticks(low: float, high: float, most: int = 12) -> list[float]:
    """Readable values between two bounds, as dense as their labels allow on a log axis; the bounds where none are."""
    digits = [(1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 6, 8), (1, 2, 5), (1, 3), (1,)]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for chosen in digits:
        ticks = [float(f"{digit}e{power}") for power in powers for digit in chosen]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if np.all(np.diff(np.log(ticks)) >= math.log(high / low) / most):
            break
    return ticks[:: math.ceil(len(ticks) / (most + 1))] if len(ticks) > 1 else sorted({low, high})


def label_log(axis: Axis, low: float, high: float, most: int = 12) -> None:
    """Give a log axis readable ticks between two bounds, as dense as if it had room for so many, and no others."""
    axis.set_major_locator(FixedLocator(ticks(low, high, most)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axis.set_minor_locator(NullLocator())


def max_lr_axis(axes: Axes, low: float, high: float) -> None:
    """Make y a log axis of max_lr that holds both bounds, with room beyond them for the arrows of open ends."""
    room = max(high / low, 1.5) ** 0.09
    axes.set_yscale("log")
    axes.set_ylim(low / room, high * room)
    axes.set_ylabel("max_lr")
    label_log(axes.yaxis, low, high)


def weights_axis(panels: Sequence[Axes], weights: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    """Make x a log axis of the weights remaining, falling to the right, with the pruning cycles above.

    Args:
        panels: axes that share x, one below the other.
        weights: weights remaining (percent) of each cycle, shape (cycles,).
        cycles: their numbers, shape (cycles,).

    Returns:
        The borders between the cycles, shape (cycles + 1,).
    """
    steps = borders(weights)
    panels[-1].set_xscale("log")
    panels[-1].set_xlim(steps[0], steps[-1])
    panels[-1].set_xlabel("Weights remaining (%)")
    label_log(panels[-1].xaxis, weights.min(), weights.max())
    if len(weights) <= MAX_CYCLE_TICKS:
        panels[-1].xaxis.set_major_locator(FixedLocator(weights))
    cycles_above(panels[0], weights, cycles).set_xlabel("Pruning cycle")
    return steps


def cycles_above(axes: Axes, weights: np.ndarray, cycles: np.ndarray, most: int = 12) -> Axes:
    """Tell the pruning cycles above axes whose x are the weights remaining.

    Args:
        axes: with a log x axis.
        weights: weights remaining (percent) of each cycle, falling, shape (cycles,).
        cycles: their numbers, shape (cycles,).
        most: so many have room; where there are more, some are left out.

    Returns:
        The axis above.
    """
    least = math.log(weights[0] / weights[-1]) / most
    shown = [0]
    for place in range(1, len(weights)):
        if math.log(weights[shown[-1]] / weights[place]) >= least:
            shown.append(place)
    above = axes.secondary_xaxis("top")
    above.xaxis.set_major_locator(FixedLocator(weights[shown]))
    above.xaxis.set_major_formatter(FixedFormatter([str(cycle) for cycle in cycles[shown]]))
    above.xaxis.set_minor_locator(NullLocator())
    return above


def borders(centres: np.ndarray) -> np.ndarray:
    """Borders (n + 1) of the bins around centres (n, above 0): halfway on a log axis; the outer bins are symmetric."""
    log = np.log(centres)
    if len(log) == 1:
        return np.exp(log[0] + np.array([-0.1, 0.1]))
    middle = (log[1:] + log[:-1]) / 2
    return np.exp([2 * log[0] - middle[0], *middle, 2 * log[-1] - middle[-1]])


def draw_line(axes: Axes, x: np.ndarray | pd.Series, y: pd.Series, **style: Any) -> None:
    """Draw a line, unless no value is known: then the legend would promise one."""
    if y.notna().any():
        axes.plot(x, y, **style)


def draw_open_ends(axes: Axes, x: np.ndarray | pd.Series, low: pd.Series, high: pd.Series) -> None:
    """Draw an arrow just beyond each open end of an interval.

    Args:
        axes: with a log y axis whose limits are set.
        x: the place of each cycle.
        low: the lower end of each cycle's interval; NaN: it is not open.
        high: the upper end.
    """
    bottom, top = axes.get_ylim()
    distance = (top / bottom) ** 0.045
    for ends, marker in ((low / distance, "v"), (high * distance, "^")):
        draw_line(axes, x, ends, marker=marker, linestyle="none", color="black", markersize=3.2, label="Open end")


def hatch_uninformative(panels: Sequence[Axes], steps: np.ndarray, comparison: pd.DataFrame) -> None:
    """Hatch the cycles that are complete, but uninformative; steps: the borders between the cycles."""
    for cycle in np.flatnonzero((comparison.seeds > 0) & ~comparison.informative):
        for axes in panels:
            axes.axvspan(*steps[cycle : cycle + 2], fc="none", ec="#BBBBBB", hatch="////", lw=0, label="Uninformative")
