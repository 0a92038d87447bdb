"""Each plot draws what the report's figure draws, into the axes it is given and nowhere else."""

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from published import published

import oracle
from oracle.interface.results import StudyResults
from oracle.report.figures import accuracy, content, losses, max_lr, policies, responses

CYCLE = 8
FIGURES = {
    "max_lr": max_lr.plot_max_lr,
    "responses": responses.plot_responses,
    "accuracy": accuracy.plot_accuracy,
    "policies": policies.plot_policies,
    "losses": losses.plot_losses,
}


@pytest.fixture(scope="module")
def results():
    return StudyResults(published("digits-mlp"))


def plotted(results, name, ax=None):
    return results.plot.responses(CYCLE, ax) if name == "responses" else getattr(results.plot, name)(ax)


def state(figure):
    """What else a figure has."""
    return figure.axes, figure.get_size_inches().tolist(), figure.get_layout_engine(), figure.legends + figure.texts


def points(axes):
    return [np.asarray(line.get_xydata(), float) for line in axes.lines]


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_is_that_of_the_report_in_the_axes_that_are_given_and_touches_nothing_else(results, name):
    figure = Figure()
    other, ax = figure.subplots(2)
    settings, held = dict(matplotlib.rcParams), state(figure)
    assert plotted(results, name, ax) is ax
    assert (dict(matplotlib.rcParams), state(figure)) == (settings, held) and not other.has_data()
    panels = FIGURES[name](**getattr(content, name)(results._results), title=None).axes
    panel = panels[CYCLE if name == "responses" else 0]
    assert len(ax.lines) == len(panel.lines) > 0
    for own, shown in zip(points(ax), points(panel), strict=True):
        np.testing.assert_array_equal(own, shown)
    np.testing.assert_allclose([ax.get_xlim(), ax.get_ylim()], [panel.get_xlim(), panel.get_ylim()], rtol=1e-12)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels and sorted(labels) == sorted({*ax.get_legend_handles_labels()[1]})  # each once
    assert ax.get_xlabel() and ax.get_ylabel()


def test_without_axes_a_plot_makes_a_figure_of_its_own_in_the_style_that_is_set(results):
    with pyplot.rc_context({"figure.figsize": (5, 4), "axes.labelsize": 17, "figure.max_open_warning": 0}):
        ax = results.plot.accuracy()
        assert pyplot.get_fignums() == [ax.figure.number] and pyplot.gca() is ax
        assert ax.yaxis.label.get_size() == 17 and ax.figure.get_size_inches().tolist() == [5, 4]
        ax.figure.draw_without_rendering()
    pyplot.close(ax.figure)


@pytest.mark.parametrize("cycle", [-1, 18, "8"])
def test_a_cycle_that_is_not_judged_is_refused_before_a_figure_is_made(results, cycle):
    with pytest.raises(oracle.InputError, match=f"cycle must be one of the judged cycles 0, .*17, got {cycle!r}$"):
        results.plot.responses(cycle)
    assert pyplot.get_fignums() == []


def test_axes_with_nothing_to_show_say_so():
    results = StudyResults(published("digits-mlp-adaptive"))
    for ax, why in (
        (results.plot.losses(Figure().subplots()), "no losses are known yet"),
        (results.plot.responses(0, Figure().subplots()), "no response curves are known yet"),
    ):
        assert [text.get_text() for text in ax.texts] == [why] and ax.get_legend() is None
