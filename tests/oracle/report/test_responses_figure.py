"""The figure of the response curves draws the means, the noise, the curves and the optima that it is given, a panel a cycle."""

from itertools import pairwise

import numpy as np
import pytest
from made_measurements import made_measurements
from matplotlib.container import ErrorbarContainer
from published import published

from oracle.report.figures.responses import plot_responses
from oracle.report.figures.style import WIDE, save
from oracle.stats.response import responses

pytestmark = pytest.mark.filterwarnings("error")

LEVEL = 0.05
HOLE = (2, 3)


@pytest.fixture(scope="module")
def measured():
    return made_measurements(untried=[HOLE])


@pytest.fixture(scope="module")
def curves(measured):
    return responses(measured)


@pytest.fixture(scope="module")
def figure(measured, curves):
    return plot_responses(measured, curves, "a title", LEVEL, "validation")


def draw(measured, title=None):
    return plot_responses(measured, responses(measured), title, LEVEL, "validation")


def line(axes, label):
    """(x, y) of the points of the one line with this label."""
    (found,) = [one.get_xydata() for one in axes.lines if one.get_label() == label]
    return found


def points(axes, label):
    """(x, y) of the points with this label, which may be none."""
    return np.concatenate([np.empty((0, 2)), *[one.get_xydata() for one in axes.lines if one.get_label() == label]])


def near(axes):
    """(x, y, half a bar) of each value near the best."""
    (bars,) = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    drawn, _, (spread,) = bars
    return np.column_stack([drawn.get_xydata(), [np.ptp(part[:, 1]) / 2 for part in spread.get_segments()]])


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_a_cycle_says_which_one_and_what_remains(figure, measured):
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:4] == ["cycle 0, 100%", "cycle 1, 80%", "cycle 2, 64%", "cycle 3, 51.2%"]
    assert len(titles) == len(measured.cycles)
    assert figure.get_suptitle() == "a title"
    assert figure.get_supylabel() == "Mean validation accuracy (%)"


def test_values_near_the_best_are_their_means_with_their_noise(figure, measured):
    for cycle, axes in enumerate(figure.axes):
        chosen, drawn = measured.near[cycle], near(axes)
        np.testing.assert_allclose(drawn[:, 0], measured.values[chosen])
        np.testing.assert_allclose(drawn[:, 1], measured.means[cycle, chosen])
        np.testing.assert_allclose(drawn[:, 2], measured.noise.sd[cycle])


def test_every_other_value_is_hollow_or_at_the_foot_and_an_untried_one_nowhere(figure, measured):
    for cycle, axes in enumerate(figure.axes):
        foot, means = axes.get_ylim()[0], measured.means[cycle]
        hollow, below, crosses = (points(axes, label) for label in ("Not near it", "Below the axis", "Diverged"))
        np.testing.assert_allclose(crosses[:, 0], measured.values[np.isneginf(means)])
        far = ~measured.near[cycle] & np.isfinite(means)
        np.testing.assert_allclose(sorted([*hollow[:, 0], *below[:, 0]]), measured.values[far])
        expected = dict(zip(measured.values, means, strict=True))
        np.testing.assert_allclose(hollow[:, 1], [expected[value] for value in hollow[:, 0]])
        assert all(expected[value] < height for value, height in below)
        assert (foot < np.array([*below[:, 1], *crosses[:, 1]])).all()
        drawn = {*near(axes)[:, 0], *hollow[:, 0], *below[:, 0], *crosses[:, 0]}
        assert len(drawn) == len(measured.values) - (cycle == HOLE[0])
    assert not (points(figure.axes[HOLE[0]], "Not near it")[:, 0] == measured.values[HOLE[1]]).any()


def test_the_curve_is_the_fitted_one_over_the_values_that_it_is_fitted_to(figure, measured, curves):
    for cycle, axes in enumerate(figure.axes):
        drawn = line(axes, "Fitted curve")
        np.testing.assert_allclose(drawn[:, 1], curves.curve(cycle, np.log2(drawn[:, 0])))
        ends = [*measured.values[measured.near[cycle]], 2 ** curves.best[cycle]]
        np.testing.assert_allclose(drawn[[0, -1], 0], [min(ends), max(ends)])


def test_the_optimum_its_band_and_silo_are_where_they_are(figure, measured, curves):
    low, high = curves.intervals(LEVEL)
    for cycle, axes in enumerate(figure.axes):
        assert line(axes, "Optimum")[0, 0] == pytest.approx(2 ** curves.best[cycle])
        assert line(axes, "SILO")[0, 0] == pytest.approx(measured.silo[cycle])
        (band,) = axes.patches
        np.testing.assert_allclose(band.get_bbox().intervalx, [2 ** low[cycle], 2 ** high[cycle]])


def test_a_band_that_nothing_bounds_reaches_to_the_panels_end():
    measured = made_measurements(values=np.geomspace(0.04, 0.08, 4), diverged=False)
    low, high = responses(measured).intervals(LEVEL)
    assert np.isinf(low).any() and np.isinf(high).any()
    for axes, left, right in zip(draw(measured).axes, low, high, strict=True):
        limits = axes.get_xlim()
        np.testing.assert_allclose(axes.patches[0].get_bbox().intervalx, np.clip([2**left, 2**right], *limits))


@pytest.mark.parametrize("name", ["digits-mlp", "cifar10-policies", "digits-cnn"])
def test_all_panels_span_as_many_points_and_hold_what_is_near_the_best(name):
    found = published(name).findings
    figure = plot_responses(found.measured, found.responses, None, LEVEL, "validation")
    panels = [axes for axes in figure.axes if axes.get_title()]
    spans = [np.ptp(axes.get_ylim()) for axes in panels]
    np.testing.assert_allclose(spans, spans[0])
    for axes in panels:
        (low, high), drawn = axes.get_ylim(), near(axes)
        assert low < (drawn[:, 1] - drawn[:, 2]).min() and (drawn[:, 1] + drawn[:, 2]).max() < high
        assert line(axes, "Fitted curve")[:, 1].max() < high
    heights = np.concatenate([near(axes)[:, 1] - axes.get_ylim()[0] for axes in panels])
    assert spans[0] < 3 * np.ptp(heights)  # a collapsed value doesn't flatten what is near the best


def test_what_no_cycle_has_is_not_promised(figure):
    assert "Diverged" in legend(figure)
    assert "Diverged" not in legend(draw(made_measurements(diverged=False)))
    later = made_measurements(cycles=4, diverged=False)
    later.means[3, 0] = -np.inf  # a later panel's, not the first's
    assert "Diverged" in legend(draw(later))


@pytest.mark.parametrize("cycles", [3, 7, 12, 25])
@pytest.mark.parametrize("values", [np.geomspace(0.01, 1, 13), np.geomspace(1e-3, 1, 13), np.geomspace(1e-4, 100, 25)])
def test_every_number_of_cycles_is_drawn_at_two_columns_width_with_nothing_cut_off(cycles, values):
    title = "A title that is too long for one line: $x_1$ at 100% of what there is, and of what there isn't any more"
    figure = draw(made_measurements(cycles, values=values), title)
    figure.draw_without_rendering()
    assert figure.get_figwidth() == WIDE
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert len(panels) == cycles
    shown = figure.legends[0]
    for artist in (shown, figure._suptitle, figure._supylabel, *(axes.xaxis.label for axes in panels)):
        box = artist.get_window_extent()
        assert box.width == 0 or (figure.bbox.padded(1).contains(*box.min) and figure.bbox.padded(1).contains(*box.max))
    for axes in panels:
        assert axes.get_window_extent().width > 0.75 * figure.dpi and axes.get_window_extent().height > 0.6 * figure.dpi
        assert not shown.get_window_extent().overlaps(axes.get_window_extent())
        labels = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_visible()]
        assert not any(one.overlaps(other) for one, other in pairwise(labels))
    assert any(axes.get_xlabel() == "max_lr" for axes in panels)


def test_where_nothing_can_be_judged_it_says_so():
    (axes,) = plot_responses(None, None, "a title", LEVEL, "validation").axes
    assert axes.texts[0].get_text() == "no response curves are known yet"


def test_saved_bytes_depend_on_the_data_alone(measured, tmp_path):
    first, second = ([p.read_bytes() for p in save(draw(measured), tmp_path / name, "responses")] for name in "ab")
    assert first == second
