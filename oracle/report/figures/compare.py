"""Figures of several runs: where their optima lie, how these grow, and the accuracy of each policy in every run."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from oracle.analysis.policies import ORACLE
from oracle.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    MEAN_STD,
    SILO_LINE,
    WIDE,
    cycles_above,
    drawable,
    empty_figure,
    label_log,
    max_lr_axis,
    styled,
)

BLACK = "#000000"
# Okabe and Ito's colours but SILO's; markers and dashes tell them apart without colour
COLOURS = [BLUE, "#E69F00", GREEN, "#CC79A7", BLACK, "#56B4E9"]
MARKERS, DASHES = ["o", "s", "^", "v", "X", "P"], ["-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (2, 2))]
COLUMNS = 3  # panels side by side
SILO_OWN = {"color": SILO_LINE["color"], "linestyle": "-", "linewidth": 1.0}
OTHERS = {"color": "#A8A8A8", "linewidth": 0.5, "zorder": 1.5}
# in grey a run's own line is told from the others' by its dark edges
OWN = {"linestyle": "-", "linewidth": 1.3, "markersize": 3.4, "markeredgecolor": "black", "markeredgewidth": 0.5}
RIVALS = {0.0: "constant", 0.5: "density$^{-1/2}$", 1.0: "density$^{-1}$"}  # exponents that other schedules have
NAMES_FIT = 3.2  # the range of exponents up to which their names stand beside each other
OPTIMA_ORDER = [
    "Optimum",
    "Band of all optima",
    "Oracle's best and interval",
    "Fitted growth",
    "SILO",
    "The other runs",
]
FURTHEST = 32.0  # times: further ends of growth's intervals are arrows
STEEPEST = 3.0  # exponent likewise
SAME_WEIGHTS = 0.05  # weights remaining that differ by less, as a share, are those of one cycle


@styled
def plot_optima(optima: pd.DataFrame, paths: dict[str, pd.DataFrame], grid: Sequence[float]) -> Figure:
    """Plot where the response curves of each run have their optimum over the weights remaining, a panel a run, on log axes.

    A panel has its run's optima with the band that holds all of them, the growth along SILO's curve that fits them, and SILO;
    in grey, the other runs' optima. Of a run without response curves the Oracle's best and its interval stand, hollow.

    Args:
        optima: of all runs, as ``oracle.analysis.compare.Comparison.optima`` returns them.
        paths: by run, the growth that fits it, as ``oracle.analysis.findings.Findings.path`` has it.
        grid: the values that any run tried: the axes hold them.
    """
    optima = optima[optima.weights_remaining.notna()]
    if optima[["optimum", "best_max_lr"]].isna().all(axis=None):
        return empty_figure(None, "no cycle is complete yet")
    runs = list(dict.fromkeys(optima.run))
    figure, panels = _panels(len(runs), "Weights remaining (%)")
    _weights_axis(panels[0], optima.weights_remaining)
    values = [*grid, *optima.optimum.dropna(), *optima.silo_max_lr.dropna()]
    max_lr_axis(panels[0], min(values), max(values))
    panels[0].set_ylabel("")
    label_log(panels[0].yaxis, *panels[0].get_ylim(), most=7)
    for number, (run, axes) in enumerate(zip(runs, panels, strict=False)):
        for other in runs:
            if other != run:
                _line(axes, optima[optima.run == other], "optimum", **OTHERS, label="The other runs")
        _draw_run(axes, optima[optima.run == run], paths.get(run), _look(number))
        axes.set_title(_wrapped(run, 30), parse_math=False, fontsize=8)
        own = optima[optima.run == run]
        _tell_cycles(axes, own.set_index("cycle").weights_remaining, first_row=number < _columns(len(runs)))
    figure.supylabel("max_lr", fontsize=8)
    _legend(figure, 3, OPTIMA_ORDER)
    return figure


def _draw_run(axes: Axes, own: pd.DataFrame, path: pd.DataFrame | None, look: dict[str, Any]) -> None:
    bottom, top = axes.get_ylim()
    judged = own[own.optimum.notna()]
    _line(axes, own, "silo_max_lr", **SILO_OWN, label="SILO")
    if len(judged):
        low, high = (judged[end].clip(bottom, top) for end in ("low", "high"))
        band = {"color": look["color"], "alpha": 0.12 if look["color"] == BLACK else 0.22, "linewidth": 0}
        axes.fill_between(judged.weights_remaining, low, high, **band, label="Band of all optima")
        _line(axes, judged, "optimum", **look | OWN, label="Optimum")
        if path is not None and len(path):
            drawn = judged.merge(path, on="cycle")
            _line(axes, drawn, "max_lr", color="black", linewidth=0.9, linestyle=(0, (1, 1)), label="Fitted growth")
    elif own.best_max_lr.notna().any():
        ends = [own.best_max_lr - own.interval_low, own.interval_high - own.best_max_lr]
        bars = look | {"linestyle": "none", "markerfacecolor": "white", "elinewidth": 0.7}
        axes.errorbar(own.weights_remaining, own.best_max_lr, ends, **bars, label="Oracle's best and interval")


@styled
def plot_growth(growth: pd.DataFrame) -> Figure:
    """Plot by which factor the optimum of each run grows, and the exponent of max_lr ~ density^-a, each with its interval.

    A row a run. An arrow: the interval goes on beyond the axis. Diamonds: SILO's own growth. Dotted: no growth, and the
    exponents that other schedules have.

    Args:
        growth: as ``oracle.analysis.compare.Comparison.growth`` returns it.
    """
    if growth[["growth", "exponent"]].isna().all(axis=None):
        return empty_figure(None, "no growth is known yet")
    figure = Figure(figsize=(WIDE, 1.15 + 0.24 * len(growth)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.set_xscale("log")
    known = growth[["growth", "growth_low", "growth_high", "silo_growth"]].to_numpy(float).ravel()
    known = np.clip(known[np.isfinite(known) & (known > 0)], 1 / FURTHEST, FURTHEST)
    left.set_xlim(min([*known, 0.8]) / 1.25, max([*known, 1.25]) * 1.25)
    label_log(left.xaxis, *left.get_xlim(), most=9)
    left.axvline(1, **_dotted())
    exponents = growth[["exponent", "exponent_low", "exponent_high"]].to_numpy(float).ravel()
    exponents = np.clip(exponents[np.isfinite(exponents)], -STEEPEST, STEEPEST)
    right.set_xlim(min([*exponents, 0]) - 0.15, max([*exponents, 1]) + 0.15)
    for exponent in RIVALS:
        right.axvline(exponent, **_dotted())
    for number, row in enumerate(growth.itertuples()):
        look = _look(number)
        _interval(left, number, (row.growth, row.growth_low, row.growth_high), look)
        _interval(right, number, (row.exponent, row.exponent_low, row.exponent_high), look)
        if math.isfinite(row.silo_growth):
            silo = {"color": SILO_LINE["color"], "marker": "D", "markersize": 3.5, "linestyle": "none"}
            left.plot([row.silo_growth], [number + 0.28], **silo, label="SILO's own growth")
    left.set_yticks(range(len(growth)), [_wrapped(run, 26) for run in growth.run], parse_math=False)
    left.set_ylim(len(growth) - 0.4, -0.6)
    left.set_xlabel("Growth along SILO's curve (times)")
    right.set_xlabel("Exponent a of max_lr ~ density$^{-a}$")
    top = right.secondary_xaxis("top")
    left_end, right_end = right.get_xlim()
    named = RIVALS if right_end - left_end <= NAMES_FIT else {0.0: RIVALS[0.0]}
    top.set_xticks(list(named), list(named.values()), fontsize=6)
    top.tick_params(length=0)
    _legend(figure, 3)
    return figure


def _interval(axes: Axes, place: int, ends: tuple[float, float, float], look: dict[str, Any]) -> None:
    """Draw an estimate with its interval in a row; an end beyond the axis is an arrow."""
    value, low, high = ends
    if math.isnan(value):
        axes.text(0.02, place, "can't be told", transform=axes.get_yaxis_transform(), va="center", fontsize=6.5)
        return
    left, right = axes.get_xlim()
    color = look["color"]
    axes.plot([max(low, left), min(high, right)], [place, place], color=color, linewidth=1.1)
    for beyond, at, marker in ((low < left, left, "<"), (high > right, right, ">")):
        if beyond:
            axes.plot([at], [place], color=color, marker=marker, markersize=5, clip_on=False, zorder=3)
    if left <= value <= right:
        axes.plot([value], [place], color=color, marker=look["marker"], markersize=4.5)


@styled
def plot_accuracies(accuracy: pd.DataFrame, policies: Sequence[str]) -> Figure:
    """Plot the mean test accuracy (percent) of every policy over the weights remaining (percent).

    A panel a policy, a line a run.
    Vertical bars: standard deviations over the seeds. The cycles stand above where all runs have as many weights in each.
    A mean that isn't over all seeds of its run isn't drawn.

    Args:
        accuracy: of all runs, as ``oracle.analysis.compare.Comparison.accuracy`` returns it.
        policies: a panel each, in this order.
    """
    most = accuracy.groupby("run").seeds.transform("max")
    known = accuracy[accuracy.test.notna() & accuracy.weights_remaining.notna() & (accuracy.seeds == most)]
    policies = [name for name in policies if (known.policy == name).any()]
    if not policies:
        return empty_figure(None, "nothing recorded yet")
    figure, panels = _panels(len(policies), "Weights remaining (%)")
    _weights_axis(panels[0], known.weights_remaining)
    weights = known.groupby("cycle").weights_remaining
    same_weights = (weights.max() / weights.min() < 1 + SAME_WEIGHTS).all()
    for place, (policy, axes) in enumerate(zip(policies, panels, strict=False)):
        for number, run in enumerate(dict.fromkeys(accuracy.run)):
            own, look = known[(known.policy == policy) & (known.run == run)].sort_values("cycle"), _look(number)
            _line(axes, own, "test", **look, label=run)
            std = own.test_std.astype(float).fillna(0)
            bars = {"color": look["color"], "linewidth": 0.5, "alpha": 0.6}
            axes.vlines(own.weights_remaining, own.test - std, own.test + std, **bars)
        axes.set_title(_wrapped("Oracle's best" if policy == ORACLE else policy, 30), parse_math=False)
        if same_weights:
            _tell_cycles(axes, weights.mean(), first_row=place < _columns(len(policies)))
    panels[0].yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    figure.supylabel(f"Test accuracy (%), {MEAN_STD}", fontsize=8)
    longest = max(map(len, accuracy.run))
    _legend(figure, 4 if longest <= 18 else 3 if longest <= 28 else 2)
    return figure


def _panels(number: int, below: str) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels that share their axes, and these panels; the lowest of each column is labelled."""
    rows = math.ceil(number / COLUMNS)
    columns = _columns(number)
    figure = Figure(figsize=(WIDE, 0.95 + 1.9 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel())
    for axes in panels[number:]:
        axes.set_axis_off()
    for axes in panels[max(number - columns, 0) : number]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(below)
    return figure, panels[:number]


def _columns(number: int) -> int:
    """How many of so many panels stand side by side."""
    return min(number, COLUMNS) if number <= COLUMNS else math.ceil(number / math.ceil(number / COLUMNS))


def _tell_cycles(axes: Axes, weights: pd.Series, first_row: bool) -> None:
    """Tell the pruning cycles above a panel; weights: remaining (percent), by cycle."""
    weights = weights.sort_index()
    above = cycles_above(axes, weights.to_numpy(float), weights.index.to_numpy(), most=7)
    if first_row:
        above.set_xlabel("Pruning cycle")


def _weights_axis(axes: Axes, weights: pd.Series) -> None:
    """Make x a log axis of the weights remaining, falling to the right."""
    room = max(weights.max() / weights.min(), 1.5) ** 0.04
    axes.set_xscale("log")
    axes.set_xlim(weights.max() * room, weights.min() / room)
    label_log(axes.xaxis, weights.min() / room, weights.max() * room, most=6)


def _line(axes: Axes, frame: pd.DataFrame, column: str, **style: Any) -> None:
    """Draw a column over the weights remaining, unless no value is known."""
    known = frame[frame[column].notna()].sort_values("weights_remaining", ascending=False)
    if len(known):
        axes.plot(known.weights_remaining, known[column].astype(float), **style)


def _look(number: int) -> dict[str, Any]:
    """The line of a run, by its place."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number % len(DASHES)],
        "markersize": 2.8,
        "linewidth": 1.0,
    }


def _dotted() -> dict[str, Any]:
    return {"color": GREY, "linewidth": 0.7, "linestyle": (0, (1, 1.5)), "zorder": 0.5}


def _wrapped(text: str, width: int) -> str:
    """A label in lines of at most so many characters."""
    return textwrap.fill(drawable(text), width)


def _legend(figure: Figure, columns: int, order: Sequence[str] = ()) -> None:
    """A legend below the panels; artists that share a label share an entry, and no label is a formula."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        handles = {label: handles[label] for label in sorted(handles, key=[*order, *handles].index)}
        labels = [drawable(label) for label in handles]
        legend = figure.legend(list(handles.values()), labels, loc="outside lower center", ncols=columns)
        for text in legend.get_texts():
            text.set_parse_math(False)
