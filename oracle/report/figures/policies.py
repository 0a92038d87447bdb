"""Figure of the policies: test accuracy of each on its own chain of masks, by weights remaining."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oracle.analysis.policies import ORACLE, SILO
from oracle.report.figures.figure import empty_figure, legend_below, new_figure, styled, weights_axis
from oracle.report.figures.plot import ORACLE_LINE, SILO_LINE

# Okabe and Ito's colours but the two that SILO and the Oracle have; markers and dashes tell them apart without colour
COLOURS = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999", "#F0E442"]
MARKERS, DASHES = ["s", "^", "v", "P", "X", "<", ">"], ["-", (0, (4, 1)), (0, (1, 1)), (0, (4, 1, 1, 1))]


@styled
def plot_policies(policies: pd.DataFrame, title: str | None) -> Figure:
    """Mean test accuracy (percent) over the seeds, with its standard error, of SILO, every baseline and the Oracle's best;
    below, SILO's less each.

    policies: as policies_table gives them; what isn't over all seeds isn't drawn. Both panels over the weights remaining
    (percent, falling to the right).
    """
    policies = policies.assign(test=policies.test.where(policies.seeds == policies.seeds.max()))
    table = policies.pivot(index="cycle", columns="policy", values="test").astype(float)
    errors = policies.assign(error=policies.test_std.astype(float) / policies.seeds.astype(float) ** 0.5)
    errors = errors.pivot(index="cycle", columns="policy", values="error")
    weights = policies.groupby("cycle").weights_remaining.first().astype(float)
    known = weights.notna() & table.notna().any(axis=1)
    if not known.any():
        return empty_figure(title, "nothing recorded yet")
    figure, panels = new_figure(3.9, title, heights=(3, 2))
    means, differences = panels
    table, weights = table[known], weights[known]
    weights_axis(panels, weights.to_frame())
    for name in _drawn_last([name for name in policies.policy.unique() if table[name].notna().any()]):
        style = _style(name, list(policies.policy.unique()))
        means.plot(weights, table[name], **style, label="Oracle's best" if name == ORACLE else name)
        low, high = table[name] - errors[name][known], table[name] + errors[name][known]
        means.vlines(weights, low, high, color=style["color"], linewidth=0.5, alpha=0.6)
        if name != SILO:
            differences.plot(weights, table[SILO] - table[name], **style)
    differences.axhline(0, color=SILO_LINE["color"], linewidth=1.4)
    told = "\nmean ± standard error" if errors.notna().any(axis=None) else ""
    means.set_ylabel("Test accuracy (%)" + told)
    differences.set_ylabel("SILO \N{MINUS SIGN} policy\n(points)")
    _no_outlier(differences, (table[[SILO]].to_numpy() - table.drop(columns=SILO)).to_numpy())
    legend_below(figure)
    return figure


def _drawn_last(names: list[str]) -> list[str]:
    return [*(name for name in names if name not in (ORACLE, SILO)), *(n for n in (ORACLE, SILO) if n in names)]


def _style(name: str, names: list[str]) -> dict:
    if name in (SILO, ORACLE):
        return SILO_LINE if name == SILO else ORACLE_LINE
    at = [one for one in names if one not in (SILO, ORACLE)].index(name)
    marked = {"color": COLOURS[at % len(COLOURS)], "marker": MARKERS[at % len(MARKERS)], "markersize": 2.6}
    return marked | {"linestyle": DASHES[at % len(DASHES)], "linewidth": 0.9}


def _no_outlier(axes: Axes, points: np.ndarray) -> None:
    """A policy that collapsed leaves the panel, so that the others can be told apart."""
    points = points[np.isfinite(points)]
    if len(points):
        middle, reach = np.median(points), max(2.0, 4 * np.median(np.abs(points - np.median(points))))
        low, high = max(points.min(), middle - reach), min(points.max(), middle + reach)
        room = 0.1 * (max(high, 0) - min(low, 0)) or 1.0
        axes.set_ylim(min(low, 0) - room, max(high, 0) + room)
