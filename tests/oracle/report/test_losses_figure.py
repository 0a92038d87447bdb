"""The figure of the losses draws every loss with its interval, the means over the cycles, and the tolerance."""

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer
from published import published

from oracle.analysis.findings import LOSSES_COLUMNS, mean_losses
from oracle.report.figures.losses import plot_losses
from oracle.report.figures.style import WIDTH, save

pytestmark = pytest.mark.filterwarnings("error")

LEVEL = 0.05
NAMES = {"SILO": "silo", "Best constant": "constant"}


@pytest.fixture(scope="module", params=["digits-mlp", "cifar10-policies", "digits-cnn"])
def results(request):
    return published(request.param)


def draw(results, title=None):
    means, tolerance = mean_losses(results.findings), results.experiment.oracle.tolerance
    return plot_losses(results.losses, means, title, tolerance, LEVEL)


def drawn(axes, label):
    """(x, value, low, high) of what was drawn of the cycles, and of the mean."""
    parts = []
    for bars in axes.containers:
        if isinstance(bars, ErrorbarContainer) and bars.get_label() == label:
            points, _, (spread,) = bars
            ends = [part[:, 1] for part in spread.get_segments()]
            parts.append(np.column_stack([points.get_xydata(), np.sort(ends, axis=1)]))
    cycles, mean = parts
    return cycles, mean[0]


@pytest.mark.parametrize("label", NAMES)
def test_every_loss_stands_with_its_interval_by_its_cycle(results, label):
    cycles, _ = drawn(draw(results).axes[0], label)
    name = NAMES[label]
    np.testing.assert_allclose(cycles[:, 1:], results.losses[[name, f"{name}_low", f"{name}_high"]], atol=1e-9)
    np.testing.assert_allclose(cycles[:, 0], results.losses.weights_remaining, rtol=0.06)


@pytest.mark.parametrize("label", NAMES)
def test_the_mean_over_the_cycles_stands_beyond_the_last_one_with_its_interval(results, label):
    axes = draw(results).axes[0]
    _, (x, value, low, high) = drawn(axes, label)
    one = mean_losses(results.findings)[NAMES[label]]
    assert axes.get_xlim()[1] < x < results.losses.weights_remaining.min()
    np.testing.assert_allclose([value, low, high], [one.value, one.lower(LEVEL), one.upper(LEVEL)])
    assert value == pytest.approx(results.losses[NAMES[label]].mean())


def test_the_mean_of_silo_is_the_one_that_claim_3_is_judged_by(results):
    verdict = results.verdicts[2]
    (number,) = [one for one in verdict.quantities if one.name == "loss to the best of each cycle"]
    _, (_, value, low, high) = drawn(draw(results).axes[0], "SILO")
    np.testing.assert_allclose([value, low, high], [number.estimate, number.low, number.high])


def test_the_tolerance_is_a_line_and_weights_fall_to_the_right(results):
    axes = draw(results).axes[0]
    (tolerance,) = [one for one in axes.lines if one.get_label() == "Tolerance"]
    assert set(tolerance.get_ydata()) == {results.experiment.oracle.tolerance}
    assert axes.get_xlim()[0] > axes.get_xlim()[1]
    assert "90% interval" in axes.get_ylabel()


def test_nothing_is_cut_off(results):
    figure = draw(results, "A title that is too long for one line: $x_1$ at 100% of what there is")
    figure.draw_without_rendering()
    assert figure.get_figwidth() == WIDTH
    (axes,), (shown,) = figure.axes, figure.legends
    for artist in (shown, axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
        box = artist.get_window_extent()
        assert figure.bbox.padded(1).contains(*box.min) and figure.bbox.padded(1).contains(*box.max)
    assert [text.get_text() for text in shown.get_texts()] == ["SILO", "Best constant", "Tolerance"]
    low, high = axes.get_ylim()
    columns = [name for name in LOSSES_COLUMNS if name.endswith(("_low", "_high"))]
    assert low < results.losses[columns].min(axis=None) and results.losses[columns].max(axis=None) < high


def test_the_word_mean_stands_clear_of_the_tolerance_where_nothing_is_lost():
    results = published("digits-mlp")
    figure = plot_losses(results.losses, mean_losses(results.findings), None, 5.0, LEVEL)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    foot = axes.texts[0].get_window_extent().y0
    assert axes.transData.transform((1, 5.0))[1] < foot


def test_where_no_losses_are_known_it_says_so(results):
    (axes,) = plot_losses(results.losses.iloc[:0], {}, "a title", 0.5, LEVEL).axes
    assert axes.texts[0].get_text() == "no losses are known yet"


def test_saved_bytes_depend_on_the_data_alone(results, tmp_path):
    first, second = ([p.read_bytes() for p in save(draw(results), tmp_path / name, "losses")] for name in "ab")
    assert first == second
