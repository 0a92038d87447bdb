"""Figure of what each layer has left, by pruning cycle: an emptied layer explains a collapse."""

import math

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from oracle.report.figures.style import (
    VERMILLION,
    drawable,
    empty_figure,
    label_log,
    legend_below,
    new_figure,
    styled,
    weights_axis,
)

MAX_LAYER_TICKS = 40  # up to so many layers have a tick of their own each
MAX_NAME_LENGTH = 20  # characters of a layer's name that leave the map room enough


@styled
def plot_layers(layers: pd.DataFrame, title: str | None, policy: str = "SILO") -> Figure:
    """Plot the share of each layer's prunable weights that is alive (percent, log colours), by weights remaining in all.

    Rows are the layers in the order of the network, the first on top; blank: not recorded. A layer in which no seed has
    a weight left is marked as emptied.

    Args:
        layers: one row for each (policy, cycle, layer) with alive (mean over the seeds) and prunable (counts).
        title: stands above the axes, as plain text; None: no title.
        policy: whose layers are drawn.

    Returns:
        The figure; one that says so where no layer of the policy is recorded.
    """
    own = layers[layers.policy == policy]
    if own.empty:
        return empty_figure(title, f"no layers of {policy} recorded yet")
    cycles = range(own.cycle.min(), own.cycle.max() + 1)
    names = own.layer.unique()
    share = (
        own.assign(share=100 * own.alive / own.prunable)
        .pivot(index="layer", columns="cycle", values="share")
        .reindex(index=names, columns=cycles)
    )
    figure, (axes,) = new_figure(1.65 + 0.125 * min(max(len(names), 7), MAX_LAYER_TICKS), title)
    columns = weights_axis([axes], _weights(own, cycles), np.array(cycles))
    rows = np.arange(len(names) + 1) - 0.5
    left = np.ma.masked_invalid(share.where(share > 0))
    least = min(left.min(), 50) if left.count() else 1  # not all one colour where nothing is pruned yet
    image = axes.pcolormesh(columns, rows, left, cmap="cividis", norm=LogNorm(least, 100))
    bar = figure.colorbar(image, ax=axes, aspect=25)
    label_log(bar.ax.yaxis, least, 100)
    bar.set_label("Weights alive (%)")
    row, column = np.nonzero((share == 0).to_numpy())
    if len(row):
        axes.bar(
            columns[column], 1, np.diff(columns)[column], rows[row], align="edge", color=VERMILLION, label="Emptied"
        )
    axes.set_ylim(rows[-1], rows[0])
    every = math.ceil(len(names) / MAX_LAYER_TICKS)
    axes.set_yticks(range(0, len(names), every), [_shortened(name) for name in names[::every]], parse_math=False)
    axes.set_ylabel("Layer")
    legend_below(figure)
    return figure


def _weights(layers: pd.DataFrame, cycles: range) -> np.ndarray:
    """The weights remaining in all layers (percent) by cycle; of one that isn't recorded between those of its neighbours.

    They fall by 1% of themselves at least, so that each cycle has a place of its own: where nothing more could be pruned, too.
    """
    counts = layers.groupby("cycle")[["alive", "prunable"]].sum()
    known = np.log(100 * counts.alive.clip(lower=1) / counts.prunable)
    fall = np.log(0.99) * np.arange(len(cycles))
    return np.exp(np.minimum.accumulate(np.interp(cycles, counts.index, known) - fall) + fall)


def _shortened(name: str) -> str:
    """A layer's name without what nearly all share; of a long one the end, in which neighbours differ."""
    name = drawable(name.removesuffix(".weight"))
    return name if len(name) <= MAX_NAME_LENGTH else "\N{HORIZONTAL ELLIPSIS}" + name[1 - MAX_NAME_LENGTH :]
