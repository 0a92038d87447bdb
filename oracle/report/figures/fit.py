"""A fitted curve over the Oracle's intervals."""

import pandas as pd
from matplotlib.figure import Figure

from oracle.report.figures.max_lr import plot_max_lr
from oracle.report.figures.style import GREEN, SILO_LINE, styled
from silo.schedule import SiloSchedule

FITTED = SILO_LINE | {"color": GREEN, "marker": "s"}


@styled
def plot_fit(comparison: pd.DataFrame, curve: SiloSchedule, title: str) -> Figure:
    """Draw the Oracle's intervals and the experiment's SILO, as the report shows them, and the fitted curve."""
    table = comparison[comparison.weights_remaining.notna()]
    fitted = [curve.max_lr(cycle) for cycle in table.cycle]
    figure = plot_max_lr(comparison, title, shown=fitted)
    (axes,) = figure.axes
    axes.plot(table.weights_remaining, fitted, **FITTED, label="SILO, fitted")
    figure.legends[0].remove()
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=3)
    return figure
