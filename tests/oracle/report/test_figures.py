"""The figures of max_lr, accuracies and grid draw the numbers they are given, and the same bytes whatever is set outside."""

import struct

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_study import CASES, COLUMNS, made_study, nothing
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.patches import StepPatch
from published import published

from oracle.report.figures.accuracy import plot_accuracy
from oracle.report.figures.heat_map import grid_accuracy, plot_heat_map
from oracle.report.figures.max_lr import plot_max_lr
from oracle.report.figures.style import WIDTH, save, ticks

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def made():
    return made_study(flat=(9,), collapsed=(11,))


def figures(cells, comparison, title=None):
    fitted = comparison[comparison.informative].assign(optimum=lambda rows: rows.best_max_lr)
    fitted = fitted.astype(dict.fromkeys(("optimum", "low", "high"), float))
    return (
        plot_max_lr(comparison, title),
        plot_max_lr(comparison, title, fitted, fitted.assign(max_lr=fitted.silo_max_lr)[["cycle", "max_lr"]]),
        plot_accuracy(comparison, title),
        plot_heat_map(cells, comparison, title),
    )


def bars(figure, label):
    """(left, bottom, right, top) of each bar with this label."""
    found = [c.patches for c in figure.axes[0].containers if isinstance(c, BarContainer) and c.get_label() == label]
    corners = [patch.get_bbox().get_points() for patches in found for patch in patches]
    return np.reshape(corners, (-1, 4))


def line(figure, label):
    """(x, y) of the points of all lines with this label, without gaps."""
    lines = [one.get_xydata() for one in figure.axes[0].lines if one.get_label() == label]
    points = np.concatenate([np.empty((0, 2)), *lines])
    return points[np.isfinite(points).all(axis=1)]


def arrows(figure, marker):
    lines = [one.get_xydata() for one in figure.axes[0].lines if one.get_marker() == marker]
    points = np.concatenate([np.empty((0, 2)), *lines])
    return points[np.isfinite(points).all(axis=1)]


def test_the_band_is_the_interval(made):
    _, comparison = made
    figure = plot_max_lr(comparison, None)
    judged = comparison[comparison.informative]
    inside, edge = bars(figure, "Optimal interval"), bars(figure, "Its edge")
    np.testing.assert_allclose(inside[:, [1, 3]], judged[["low", "high"]].astype(float))
    assert ((inside[:, 0] - judged.weights_remaining) * (inside[:, 2] - judged.weights_remaining) < 0).all()
    low, high = judged.edge_low.notna(), judged.edge_high.notna()
    expected = [*judged[low][["edge_low", "low"]].to_numpy(), *judged[high][["high", "edge_high"]].to_numpy()]
    np.testing.assert_allclose(edge[:, [1, 3]], np.array(expected, dtype=float))


def test_a_closed_end_has_a_line_and_an_open_one_an_arrow_beyond_it(made):
    cells, comparison = made
    judged = comparison[comparison.informative]
    below, above = judged[judged.open_low.eq(True)], judged[judged.open_high.eq(True)]
    assert len(below) > 0
    assert len(above) > 0
    figure = plot_max_lr(comparison, None)
    lines = [part for c in figure.axes[0].collections if isinstance(c, LineCollection) for part in c.get_segments()]
    closed = [*judged.low[judged.open_low.eq(False)], *judged.high[judged.open_high.eq(False)]]
    np.testing.assert_allclose([part[0, 1] for part in lines if len(part)], closed)
    heat_map = plot_heat_map(cells, comparison, None)
    for shown in (figure, heat_map):
        bottom, top = shown.axes[0].get_ylim()
        np.testing.assert_allclose(arrows(shown, "v")[:, 0], below.weights_remaining)
        np.testing.assert_allclose(arrows(shown, "^")[:, 0], above.weights_remaining)
        assert ((bottom < arrows(shown, "v")[:, 1]) & (arrows(shown, "v")[:, 1] < below.low)).all()
        assert ((top > arrows(shown, "^")[:, 1]) & (arrows(shown, "^")[:, 1] > above.high)).all()


def test_no_arrow_where_the_grid_is_wide_enough():
    _, comparison = made_study(grid=np.geomspace(1e-4, 100, 12))
    figure = plot_max_lr(comparison, None)
    assert len(arrows(figure, "v")) == len(arrows(figure, "^")) == 0
    assert "Open end" not in legend(figure)


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_uninformative_cycles_are_hatched_and_their_best_is_hollow_and_unconnected(made):
    cells, comparison = made
    for figure in (plot_max_lr(comparison, None), plot_accuracy(comparison, None)):
        for axes in figure.axes:
            hatched = [patch.get_bbox().intervalx for patch in axes.patches if patch.get_hatch()]
            assert len(hatched) == 2
            for (left, right), cycle in zip(hatched, (9, 11), strict=True):
                assert left > comparison.weights_remaining[cycle] > right
    for figure in (plot_max_lr(comparison, None), plot_heat_map(cells, comparison, None)):
        hollow = [one for one in figure.axes[0].lines if one.get_markerfacecolor() == "white"]
        (y,) = [one.get_ydata() for one in hollow]
        np.testing.assert_array_equal(np.flatnonzero(np.isfinite(y)), [9, 11])
        np.testing.assert_array_equal(y[[9, 11]], comparison.best_max_lr[[9, 11]])
        best = line(figure, "Oracle's best")
        np.testing.assert_array_equal(best[:, 1], comparison.best_max_lr[comparison.informative])


OPTIMA = pd.DataFrame(
    {
        "cycle": [0, 1, 2, 5],
        "weights_remaining": [100.0, 80.0, 64.0, 32.768],
        "optimum": [0.02, 0.03, 0.1, 0.3],
        "low": [0.0, 0.01, 0.002, 0.1],
        "high": [0.1, 0.2, np.inf, 5.0],
    }
)
PATH = pd.DataFrame({"cycle": [0, 1, 2, 5], "max_lr": [0.02, 0.025, 0.06, 0.2]})


def fitted(figure):
    """(x, optimum, low, high) of each fitted optimum."""
    (bars,) = [one for one in figure.axes[0].containers if one.get_label() == "Fitted optimum"]
    points, _, (spread,) = bars
    return np.column_stack([points.get_xydata(), [part[:, 1] for part in spread.get_segments()]])


def test_each_fitted_optimum_stands_on_its_band_and_what_nothing_bounds_reaches_to_the_end(made):
    figure = plot_max_lr(made[1], None, OPTIMA, PATH)
    bottom, top = figure.axes[0].get_ylim()
    assert bottom < 0.002 and top > 5.0
    expected = OPTIMA[["weights_remaining", "optimum", "low", "high"]].replace({0.0: bottom, np.inf: top})
    np.testing.assert_allclose(fitted(figure), expected)
    assert len(line(figure, "Oracle's best")) and {"Fitted optimum", "Fitted growth"} < set(legend(figure))


def test_the_fitted_growth_is_a_line_over_the_judged_cycles(made):
    figure = plot_max_lr(made[1], None, OPTIMA, PATH)
    np.testing.assert_allclose(line(figure, "Fitted growth")[:, 0], OPTIMA.weights_remaining)
    np.testing.assert_allclose(line(figure, "Fitted growth")[:, 1], PATH.max_lr)


def test_where_nothing_is_fitted_the_figure_is_as_without(made):
    for optima, path in ((OPTIMA.iloc[:0], PATH.iloc[:0]), (None, None)):
        figure = plot_max_lr(made[1], None, optima, path)
        assert not {"Fitted optimum", "Fitted growth"} & set(legend(figure))
        assert figure.axes[0].get_ylim() == plot_max_lr(made[1], None).axes[0].get_ylim()
    assert "Fitted growth" not in legend(plot_max_lr(made[1], None, OPTIMA, PATH.iloc[:0]))  # SILO doesn't change


def test_the_fitted_growth_of_a_study_goes_as_silo_does_and_as_far_as_its_verdict_says():
    found = published("digits-mlp")
    path, silo = found.findings.path, found.optima.silo_max_lr
    np.testing.assert_array_equal(path.cycle, found.optima.cycle)
    (growth,) = [one.estimate for one in found.verdicts[0].quantities if one.name == "growth along SILO's curve"]
    own = np.log2(silo.max() / silo.min())
    np.testing.assert_allclose(np.log2(path.max_lr / path.max_lr[0]) / np.log2(growth), np.log2(silo / silo[0]) / own)
    assert published("digits-mlp-adaptive").findings.path.empty


def test_weights_remaining_fall_to_the_right_on_a_log_axis_with_readable_ticks(made):
    _, comparison = made
    axes = plot_max_lr(comparison, None).axes[0]
    left, right = axes.get_xlim()
    assert left > 100 > comparison.weights_remaining.min() > right
    assert axes.get_xscale() == axes.get_yscale() == "log"
    labels = [axes.xaxis.get_major_formatter()(tick) for tick in axes.get_xticks()]
    assert labels == ["10", "20", "30", "40", "60", "80", "100"]
    assert len(axes.xaxis.get_minorticklocs()) == len(axes.yaxis.get_minorticklocs()) == 0


@given(st.floats(1e-6, 1e3), st.floats(1, 1e6))
def test_ticks_lie_within_the_bounds_and_apart(low, ratio):
    high = low * ratio
    found = ticks(low, high)
    assert all(low <= tick <= high for tick in found)
    assert found == sorted(set(found))
    assert 1 <= len(found) <= 13


def test_accuracy_is_the_chains_own_with_its_spread(made):
    _, comparison = made
    other = comparison.assign(chain_test=comparison.silo_test - 3, chain_test_std=0.7)
    means, differences = plot_accuracy(other, None).axes
    shown = {bar.get_label(): bar for bar in means.containers if isinstance(bar, ErrorbarContainer)}
    for label, name in (("SILO's own chain", "chain_test"), ("Oracle's best", "best_test")):
        points, _, (spread,) = shown[label]
        np.testing.assert_allclose(points.get_ydata().astype(float), other[name])
        reach = [np.ptp(segment[:, 1]) / 2 for segment in spread.get_segments()]
        np.testing.assert_allclose(reach, other[f"{name}_std"])
        np.testing.assert_allclose(points.get_xdata().astype(float), other.weights_remaining, rtol=0.03)
    np.testing.assert_allclose(differences.lines[-1].get_ydata(), other.chain_test - other.best_test)
    assert "std" in means.get_ylabel()


def test_on_the_same_masks_accuracy_is_compared_over_the_same_seeds():
    """A search may have tried the best in fewer seeds than SILO's chain has; the bars lie about the points."""
    comparison = published("digits-mlp-adaptive").comparison
    assert (comparison.seeds < 4).any()
    means, differences = plot_accuracy(comparison, None, same_masks=True).axes
    drawn = np.asarray(differences.lines[-1].get_ydata(), float)
    np.testing.assert_allclose(drawn, (comparison.silo_test - comparison.best_test).astype(float))
    shown = {bar.get_label(): bar[0].get_ydata() for bar in means.containers if isinstance(bar, ErrorbarContainer)}
    np.testing.assert_allclose((shown["SILO's own chain"] - shown["Oracle's best"]).astype(float), drawn)


def test_accuracy_of_one_seed_promises_no_spread():
    figure = plot_accuracy(made_study(cycles=3, seeds=1)[1], None)
    assert figure.axes[0].get_ylabel() == "Test accuracy (%)"


def test_the_heat_map_shows_the_shortfall_and_hatches_what_diverged(made):
    cells, comparison = made
    figure = plot_heat_map(cells, comparison, None)
    tried = cells[cells.candidate]
    mean = tried.groupby(["max_lr", "cycle"]).validation.mean().unstack()
    lost = (tried.status == "diverged").groupby([tried.max_lr, tried.cycle]).any().unstack()
    (image,) = [artist for artist in figure.axes[0].collections if isinstance(artist, QuadMesh)]
    np.testing.assert_allclose(image.get_array().filled(np.nan), (mean.max() - mean).to_numpy())
    hatched = bars(figure, "Diverged")
    assert len(hatched) == lost.to_numpy().sum() > 0
    weights = comparison.set_index("cycle").weights_remaining
    centres = {(round(np.log(x0 * x1) / 2, 6), round(np.log(y0 * y1) / 2, 6)) for x0, y0, x1, y1 in hatched}
    diverged = lost.stack()[lambda flag: flag].index
    assert centres == {(round(np.log(weights[cycle]), 6), round(np.log(value), 6)) for value, cycle in diverged}
    np.testing.assert_allclose(line(figure, "SILO"), comparison[["weights_remaining", "silo_max_lr"]])


def test_the_outline_runs_around_the_cells_of_the_interval(made):
    cells, comparison = made
    figure = plot_heat_map(cells, comparison, None)
    (lower, _, _), (upper, _, _) = [p.get_data() for p in figure.axes[0].patches if isinstance(p, StepPatch)]
    bottom, top = figure.axes[0].get_ylim()
    for cycle, row in comparison.iterrows():
        if not row.informative:
            assert np.isnan([lower[cycle], upper[cycle]]).all()
            continue
        assert lower[cycle] < bottom if row.open_low else row.edge_low < lower[cycle] < row.low
        assert upper[cycle] > top if row.open_high else row.high < upper[cycle] < row.edge_high


def test_a_cell_is_the_mean_as_if_its_value_had_been_tried_in_every_seed():
    cells, _ = made_study(cycles=2, grid=[0.01, 0.1], seeds=3)
    first = cells.candidate & (cells.max_lr == 0.01)
    partial = cells[~(first & (cells.cycle == 0) & (cells.seed == 2)) & ~(first & (cells.cycle == 1))]
    partial = partial[partial.candidate]  # SILO's own value would tell of the seeds, too
    mean, _ = grid_accuracy(partial, "validation")
    tried = partial[partial.candidate & (partial.cycle == 0)].pivot(index="seed", columns="max_lr", values="validation")
    assert mean.loc[0.1, 0] == pytest.approx(tried[0.1].mean())
    assert mean.loc[0.1, 0] - mean.loc[0.01, 0] == pytest.approx((tried[0.1] - tried[0.01]).dropna().mean())
    assert np.isnan(mean.loc[0.01, 1])
    assert np.isfinite(mean.loc[0.1, 1])


@pytest.mark.parametrize("name", ["digits-mlp", "digits-mlp-adaptive"])
def test_the_best_of_the_table_is_the_brightest(name):
    found = published(name)
    mean, _ = grid_accuracy(found.cells, "validation")
    for row in found.comparison.itertuples():
        assert mean.loc[row.best_max_lr, row.cycle] == pytest.approx(mean[row.cycle].max(), abs=1e-8)


def test_a_failed_training_leaves_its_cell_blank():
    cells, _ = made_study(cycles=1, grid=[0.01, 0.1], seeds=2)
    at = cells.index[cells.candidate & (cells.max_lr == 0.1)][0]
    cells.loc[at, ["status", "validation"]] = ["failed", np.nan]
    mean, diverged = grid_accuracy(cells, "validation")
    assert np.isnan(mean.loc[0.1, 0])
    assert not diverged.to_numpy().any()


@pytest.mark.parametrize("cycles", [1, 5])
def test_nothing_recorded_is_said(cycles, tmp_path):
    said = ["no cycle is complete yet"] * 2 + ["nothing recorded yet", "nothing recorded yet"]
    for figure, why in zip(figures(*nothing(cycles), "Nothing yet"), said, strict=True):
        (text,) = figure.axes[0].texts
        assert text.get_text() == why
        assert figure.axes[0].get_title() == "Nothing yet"
        save(figure, tmp_path, "nothing")


def test_incomplete_cycles_leave_gaps(made):
    cells, comparison = made
    _, unknown = nothing(len(comparison))
    half = comparison.astype(object)
    half.loc[[1, 2, 8], COLUMNS] = unknown.loc[[1, 2, 8], COLUMNS].astype(object)
    half.loc[8:, "weights_remaining"] = np.nan
    figure = plot_max_lr(half, None)
    np.testing.assert_allclose(line(figure, "SILO")[:, 0], comparison.weights_remaining[:8])
    np.testing.assert_allclose(line(figure, "Oracle's best")[:, 0], comparison.weights_remaining[[0, 3, 4, 5, 6, 7]])
    for shown in figures(cells[cells.cycle != 2], half):
        shown.draw_without_rendering()


@pytest.mark.parametrize("case", CASES)
def test_every_shape_is_drawn_at_a_columns_width_with_nothing_cut_off(case):
    for figure in figures(
        *made_study(**CASES[case]), "A title that is too long for one line: $x_1$ at 100% of what there is"
    ):
        figure.draw_without_rendering()
        assert figure.get_figwidth() == WIDTH
        frame, (shown,) = figure.bbox, figure.legends
        title = figure.axes[0].title
        for artist in (
            shown,
            title,
            *(axes.xaxis.label for axes in figure.axes),
            *(a.yaxis.label for a in figure.axes),
        ):
            box = artist.get_window_extent()
            assert box.width == 0 or frame.padded(1).contains(*box.min)
            assert box.width == 0 or frame.padded(1).contains(*box.max)
        assert not any(shown.get_window_extent().overlaps(axes.get_window_extent()) for axes in figure.axes)
        assert all(text.get_fontsize() >= 7 for axes in figure.axes for text in axes.get_xticklabels())
        assert len(legend(figure)) == len(set(legend(figure)))


def test_saved_bytes_depend_on_the_data_alone(made, tmp_path):
    def bytes_of(folder):
        return [p.read_bytes() for n, f in enumerate(figures(*made)) for p in save(f, tmp_path / folder, str(n))]

    first = bytes_of("first")
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9, "axes.facecolor": "red", "svg.hashsalt": "x"}):
        before = dict(matplotlib.rcParams)
        assert bytes_of("second") == first
        assert dict(matplotlib.rcParams) == before
    for content in first:
        assert b"dc:date" not in content
        assert b"Software" not in content


def test_save_makes_the_folder_and_returns_what_it_wrote(tmp_path):
    figure = plot_max_lr(nothing(1)[1], None)
    paths = save(figure, tmp_path / "a" / "b", "max_lr")
    assert paths == [tmp_path / "a" / "b" / f"max_lr.{ending}" for ending in ("png", "svg", "pdf")]
    _, svg, pdf = (path.read_bytes() for path in paths)
    assert (
        b">no cycle is complete yet</text>" in svg and b"'DejaVu Sans', " in svg and b"sans-serif" in svg
    )  # text as text
    assert pdf.startswith(b"%PDF") and b"Date" not in pdf and b"/Type3" not in pdf
    width, height = struct.unpack(">II", paths[0].read_bytes()[16:24])
    assert (width, height) == (round(300 * WIDTH), 450)


def test_every_figure_over_cycles_has_the_weights_remaining_below_and_the_cycles_above(made):
    """On one axis, log and falling; a cycle's number stands above its weights."""
    cells, comparison = made
    for figure in (
        plot_max_lr(comparison, None),
        plot_accuracy(comparison, None),
        plot_heat_map(cells, comparison, None),
    ):
        top, bottom = figure.axes[0], [axes for axes in figure.axes if axes.get_xlabel()][-1]
        assert bottom.get_xlabel() == "Weights remaining (%)" and top.get_xscale() == "log"
        (above,) = top.child_axes
        assert above.get_xlabel() == "Pruning cycle" and np.diff(top.get_xlim()) < 0
        labels = [above.xaxis.get_major_formatter()(None, place) for place in range(len(above.get_xticks()))]
        weights = comparison.set_index("cycle").weights_remaining
        np.testing.assert_allclose(above.get_xticks(), [weights[int(label)] for label in labels])
        assert labels[0] == "0" and len(labels) <= 13
