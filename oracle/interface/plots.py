"""The plots of a study's results into matplotlib axes, in the style that is set: what a report's figures are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.report.figures import content
from oracle.report.figures.accuracy import draw_accuracy
from oracle.report.figures.losses import draw_losses
from oracle.report.figures.max_lr import draw_max_lr
from oracle.report.figures.policies import draw_policies
from oracle.report.figures.responses import draw_response
from oracle.report.figures.style import legend_inside


@dataclass(frozen=True, repr=False, eq=False)
class Plots:
    """Draws each plot into given axes, or into those of a new figure.

    Nothing else of the figure is touched, and no setting of matplotlib: fonts and sizes are those that are set. Axes that
    have nothing to show say why. Over cycles, x are the weights remaining, and an axis above tells the cycles.
    """

    _results: Results

    def max_lr(self, ax: Axes | None = None) -> Axes:
        """Plot the Oracle's optimal interval of max_lr, its best and SILO's max_lr over the weights remaining (%).

        Both axes are logarithmic. Arrows: an end of the interval is open. Hatched: the cycle is uninformative. Dashes on
        thin lines: the optima of the response curves with their bands; dotted: the growth that fits them.

        Args:
            ax: the axes to draw into; None: those of a new figure.

        Returns:
            The axes.
        """
        return _drawn(ax, draw_max_lr, content.max_lr(self._results))

    def responses(self, cycle: int, ax: Axes | None = None) -> Axes:
        """Plot the mean accuracy (%) over max_lr in one cycle, and the curve that is fitted to it.

        Values near the best have bars of one standard deviation of a training. The shaded band holds the optimum.

        Args:
            cycle: one of the judged cycles: those of ``optima``.
            ax: the axes to draw into; None: those of a new figure.

        Returns:
            The axes.

        Raises:
            InputError: the cycle isn't judged, while others are.
        """
        shown = content.responses(self._results)
        judged = [] if shown["measured"] is None else [int(one) for one in shown["measured"].cycles]
        if judged and cycle not in judged:
            raise InputError(f"cycle must be one of the judged cycles {', '.join(map(str, judged))}, got {cycle!r}")
        return _drawn(ax, draw_response, shown | {"cycle": cycle})

    def accuracy(self, ax: Axes | None = None) -> Axes:
        """Plot the mean test accuracy (%) of SILO's own chain and of the Oracle's best over the weights remaining (%).

        Bars: standard deviations over the seeds. Hatched: the cycle is uninformative.

        Args:
            ax: the axes to draw into; None: those of a new figure.

        Returns:
            The axes.
        """
        return _drawn(ax, draw_accuracy, content.accuracy(self._results))

    def policies(self, ax: Axes | None = None) -> Axes:
        """Plot the mean test accuracy (%) of every policy and of the Oracle's best over the weights remaining (%).

        Bars: standard deviations over the seeds. A mean that is not over all seeds is not drawn.

        Args:
            ax: the axes to draw into; None: those of a new figure.

        Returns:
            The axes.
        """
        return _drawn(ax, draw_policies, content.policies(self._results))

    def losses(self, ax: Axes | None = None) -> Axes:
        """Plot what SILO and the best constant lose to each cycle's best (points) over the weights remaining (%).

        With their intervals; at the right edge the means over the cycles.

        Args:
            ax: the axes to draw into; None: those of a new figure.

        Returns:
            The axes.
        """
        return _drawn(ax, draw_losses, content.losses(self._results))


def _drawn(ax: Axes | None, draw: Callable[..., None], shown: Mapping[str, Any]) -> Axes:
    """The axes, or those of a new figure, after something was drawn into them with a legend."""
    if ax is None:
        from matplotlib import pyplot  # here: to draw into given axes needs no backend

        ax = pyplot.figure(layout="constrained").subplots()
    draw(ax, **shown)
    legend_inside(ax)
    return ax
