"""Figure of the accuracies: SILO's own chain and the Oracle's best, by weights remaining."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oracle.report.figures.cycles import cycles_with_weights
from oracle.report.figures.style import (
    MEAN_STD,
    ORACLE_LINE,
    SILO_LINE,
    empty_axes,
    empty_figure,
    hatch_uninformative,
    legend_below,
    new_figure,
    styled,
    weights_axis,
)

NOTHING = "nothing recorded yet"


@styled
def plot_accuracy(comparison: pd.DataFrame, title: str | None, same_masks: bool = False) -> Figure:
    """Plot the test accuracy (percent) of SILO's own chain and of the Oracle's best over the weights remaining (percent).

    Above, the means and, where there are several seeds, their standard deviations, the two side by side; below, SILO's
    mean less the Oracle's, in points. Uninformative cycles are hatched.

    Args:
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
        title: stands above the axes, as plain text; None: no title.
        same_masks: both are on SILO's own masks. Then the difference is over the seeds in which the Oracle's best was tried,
            and where these are not all seeds the Oracle's point stands that far from SILO's mean over all of them.

    Returns:
        The figure; one that says so where nothing is recorded.
    """
    table = _drawn(comparison, same_masks)
    if _is_empty(table):
        return empty_figure(title, NOTHING)
    figure, (means, differences) = new_figure(3.6, title, height_ratios=(2, 1))
    weights = table.weights_remaining
    steps = weights_axis([means, differences], weights.to_numpy(), table.cycle.to_numpy())
    hatch_uninformative([means, differences], steps, table)
    _draw_means(means, table, steps)
    differences.axhline(0, color="black", linewidth=0.6)
    differences.plot(weights, table.difference, **SILO_LINE)
    differences.margins(y=0.15)
    differences.locator_params(axis="y", nbins=4, steps=[1, 2, 5, 10])
    differences.set_ylabel("SILO \N{MINUS SIGN} Oracle\n(points)")
    legend_below(figure)
    return figure


def draw_accuracy(axes: Axes, comparison: pd.DataFrame, same_masks: bool = False) -> None:
    """Draw the upper panel of :func:`plot_accuracy`: the test accuracy of SILO's own chain and of the Oracle's best.

    Args:
        axes: what is drawn into; they say so where nothing is recorded.
        comparison: as there.
        same_masks: as there.
    """
    table = _drawn(comparison, same_masks)
    if _is_empty(table):
        empty_axes(axes, NOTHING)
        return
    steps = weights_axis([axes], table.weights_remaining.to_numpy(), table.cycle.to_numpy())
    hatch_uninformative([axes], steps, table)
    _draw_means(axes, table, steps)


def _drawn(comparison: pd.DataFrame, same_masks: bool) -> pd.DataFrame:
    """The cycles whose weights remaining are known, with what is drawn of them: best, and SILO's difference to it."""
    table = cycles_with_weights(comparison)
    best, difference = table.best_test, table.chain_test - table.best_test
    if same_masks:
        difference = table.silo_test - table.best_test
        same_seeds = table.chain_test.isna() | (table.chain_test == table.silo_test)
        best = best.where(same_seeds, table.chain_test - difference)
    return table.assign(best=best, difference=difference)


def _is_empty(table: pd.DataFrame) -> bool:
    return bool(table[["chain_test", "best_test"]].isna().all(axis=None))


def _draw_means(axes: Axes, table: pd.DataFrame, steps: np.ndarray) -> None:
    weights = table.weights_remaining
    # so that the bars of one cycle don't cover each other
    shift = np.minimum((steps[:-1] / steps[1:]) ** 0.12, (steps[0] / steps[-1]) ** 0.008)
    bars = {"elinewidth": 0.9, "capsize": 0, "linewidth": 1.0}
    oracle, silo = ORACLE_LINE | bars | {"markersize": 2.4}, SILO_LINE | bars | {"markersize": 2.0}
    axes.errorbar(weights * shift, table.best, table.best_test_std, **oracle, label="Oracle's best")
    axes.errorbar(weights / shift, table.chain_test, table.chain_test_std, **silo, label="SILO's own chain")
    has_std = table[["chain_test_std", "best_test_std"]].notna().any(axis=None)
    axes.set_ylabel(f"Test accuracy (%)\n{MEAN_STD}" if has_std else "Test accuracy (%)")
