"""Figure of the policies: test accuracy of each on its own chain of masks, by weights remaining."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oracle.analysis.policies import ORACLE, SILO
from oracle.report.figures.style import (
    GREEN,
    MEAN_STD,
    ORACLE_LINE,
    SILO_LINE,
    empty_axes,
    empty_figure,
    legend_below,
    new_figure,
    styled,
    weights_axis,
)

# Okabe and Ito's colours but the two that SILO and the Oracle have; markers and dashes tell them apart without colour
COLOURS = [GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999", "#F0E442"]
MARKERS, DASHES = ["s", "^", "v", "P", "X", "<", ">"], ["-", (0, (4, 1)), (0, (1, 1)), (0, (4, 1, 1, 1))]
NOTHING = "nothing recorded yet"


@styled
def plot_policies(policies: pd.DataFrame, title: str | None) -> Figure:
    """Plot the mean test accuracy (percent) of SILO, every baseline and the Oracle's best over the weights remaining (percent).

    Above, the means over the seeds with their standard deviations; below, SILO's mean less each policy's, in points. A mean
    that is not over all seeds is not drawn.

    Args:
        policies: as :func:`oracle.analysis.policies.policies_table` returns them.
        title: stands above the axes, as plain text; None: no title.

    Returns:
        The figure; one that says so where nothing is recorded.
    """
    drawn = _Drawn.of(policies)
    if drawn is None:
        return empty_figure(title, NOTHING)
    figure, (means, differences) = new_figure(4.2, title, height_ratios=(3, 2))
    weights_axis([means, differences], drawn.weights.to_numpy(), drawn.weights.index.to_numpy())
    _draw_means(means, drawn)
    table = drawn.means
    for name in drawn.in_order():
        if name != SILO:
            differences.plot(drawn.weights, table[SILO] - table[name], **_line_style(name, drawn.names))
    differences.axhline(0, color=SILO_LINE["color"], linewidth=1.4)
    differences.set_ylabel("SILO \N{MINUS SIGN} policy\n(points)")
    _limit_to_most(differences, (table[[SILO]].to_numpy() - table.drop(columns=SILO)).to_numpy())
    legend_below(figure)
    return figure


def draw_policies(axes: Axes, policies: pd.DataFrame) -> None:
    """Draw the upper panel of :func:`plot_policies`: the mean test accuracy of every policy with its standard deviation.

    Args:
        axes: what is drawn into; they say so where nothing is recorded.
        policies: as there.
    """
    drawn = _Drawn.of(policies)
    if drawn is None:
        empty_axes(axes, NOTHING)
        return
    weights_axis([axes], drawn.weights.to_numpy(), drawn.weights.index.to_numpy())
    _draw_means(axes, drawn)


@dataclass(frozen=True)
class _Drawn:
    """What is drawn of the policies, a row a cycle and a column a policy.

    Attributes:
        names: of the policies, in the table's order.
        weights: remaining (percent), by cycle.
        means: test accuracies (percent) over all seeds.
        deviations: their standard deviations over the seeds.
    """

    names: list[str]
    weights: pd.Series
    means: pd.DataFrame
    deviations: pd.DataFrame

    @classmethod
    def of(cls, policies: pd.DataFrame) -> "_Drawn | None":
        """What is drawn of a table of policies; None where nothing is recorded."""
        policies = policies.assign(test=policies.test.where(policies.seeds == policies.seeds.max()))
        table = policies.pivot(index="cycle", columns="policy", values="test").astype(float)
        deviations = policies.pivot(index="cycle", columns="policy", values="test_std").astype(float)
        weights = policies.groupby("cycle").weights_remaining.first().astype(float)
        known = weights.notna() & table.notna().any(axis=1)
        if not known.any():
            return None
        return cls(list(policies.policy.unique()), weights[known], table[known], deviations[known])

    def in_order(self) -> list[str]:
        """The names of the policies that have a mean, in the order in which they are drawn."""
        return _silo_and_oracle_last([name for name in self.names if self.means[name].notna().any()])


def _draw_means(axes: Axes, drawn: _Drawn) -> None:
    for name in drawn.in_order():
        style, mean, std = _line_style(name, drawn.names), drawn.means[name], drawn.deviations[name]
        axes.plot(drawn.weights, mean, **style, label="Oracle's best" if name == ORACLE else name)
        axes.vlines(drawn.weights, mean - std, mean + std, color=style["color"], linewidth=0.5, alpha=0.6)
    has_std = drawn.deviations.notna().any(axis=None)
    axes.set_ylabel(f"Test accuracy (%)\n{MEAN_STD}" if has_std else "Test accuracy (%)")


def _silo_and_oracle_last(names: Sequence[str]) -> list[str]:
    """The names in the order in which they are drawn: what is drawn last covers the others."""
    baselines = [name for name in names if name not in (ORACLE, SILO)]
    return baselines + [name for name in (ORACLE, SILO) if name in names]


def _line_style(name: str, names: Sequence[str]) -> dict[str, Any]:
    """The line of a policy; a baseline's follows from its place among the baselines."""
    if name == SILO:
        return SILO_LINE
    if name == ORACLE:
        return ORACLE_LINE
    place = [other for other in names if other not in (SILO, ORACLE)].index(name)
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 2.6,
        "linestyle": DASHES[place % len(DASHES)],
        "linewidth": 0.9,
    }


def _limit_to_most(axes: Axes, points: np.ndarray) -> None:
    """Set limits of y that a policy that collapsed leaves, so that the others can be told apart."""
    points = points[np.isfinite(points)]
    if len(points):
        middle, reach = np.median(points), max(2.0, 4 * np.median(np.abs(points - np.median(points))))
        low, high = max(points.min(), middle - reach), min(points.max(), middle + reach)
        room = 0.1 * (max(high, 0) - min(low, 0)) or 1.0
        axes.set_ylim(min(low, 0) - room, max(high, 0) + room)
