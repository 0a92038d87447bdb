from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.container import BarContainer

from oracle.report.figures.layers import plot_layers
from oracle.report.figures.style import WIDTH, save
from oracle.report.tables.paper_table import layers_table

pytestmark = pytest.mark.filterwarnings("error")


def layers(*rows):
    return pd.DataFrame(rows, columns=["policy", "cycle", "layer", "alive", "prunable"])


SMALL = layers(
    ("SILO", 0, "stem.weight", 1600.0, 1600),
    ("SILO", 0, "head.weight", 400.0, 400),
    ("SILO", 1, "stem.weight", 1000.5, 1600),
    ("SILO", 1, "head.weight", 0.0, 400),
    ("cosine", 0, "stem.weight", 1600.0, 1600),
)


def test_the_table_has_a_row_a_layer_in_network_order_headed_by_what_remains_of_all():
    shown = layers_table(SMALL)
    assert list(shown) == ["Layer", "Weights", "100%", "50%"]
    assert shown.to_numpy().tolist() == [["stem.weight", "1,600", "100", "62.5"], ["head.weight", "400", "100", "0"]]


def test_the_table_of_another_policy_and_of_cycles_that_it_does_not_have():
    shown = layers_table(SMALL, policy="cosine", cycles=[0, 1])
    assert list(shown) == ["Layer", "Weights", "100%", "cycle 1"]
    assert shown.to_numpy().tolist() == [["stem.weight", "1,600", "100", "\N{EN DASH}"]]


def test_the_table_has_at_most_eight_cycles(make_finished):
    assert layers_table(make_finished(cycles=25).layers).shape == (4, 2 + 8)


def image(figure):
    (found,) = [artist for artist in figure.axes[0].collections if isinstance(artist, QuadMesh)]
    return found


def emptied(figure):
    """(place, row) of each cell that is marked as emptied, place being its column's."""
    boxes = [patch.get_bbox() for c in figure.axes[0].containers if isinstance(c, BarContainer) for patch in c.patches]
    borders = image(figure).get_coordinates()[0, :, 0]
    return [(int(np.flatnonzero(borders == box.x0)[0]), (box.y0 + box.y1) / 2) for box in boxes]


def test_the_map_shows_the_share_alive_with_the_first_layer_on_top_and_marks_what_is_emptied():
    figure = plot_layers(SMALL, "Small")
    axes = figure.axes[0]
    np.testing.assert_array_equal(image(figure).get_array().filled(-1), [[100, 100 * 1000.5 / 1600], [100, -1]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["stem", "head"]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert emptied(figure) == [(1, 1)]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Emptied"]


def test_a_cycle_that_is_not_recorded_is_blank_and_not_emptied():
    frame = SMALL[SMALL.policy == "SILO"].assign(cycle=lambda rows: rows.cycle * 2, alive=[1600, 400, 1000, 300])
    figure = plot_layers(frame, None)
    assert image(figure).get_array().mask.tolist() == [[False, True, False]] * 2
    assert emptied(figure) == []
    assert figure.legends[0].get_texts() == []


def test_colours_reach_from_the_least_that_is_alive_to_all():
    norm = image(plot_layers(SMALL.assign(alive=[1600, 400, 8, 0, 1600]), None)).norm
    assert (norm.vmin, norm.vmax) == (0.5, 100)


@pytest.mark.parametrize(("count", "ticks"), [(1, 1), (4, 4), (40, 40), (107, 36)])
def test_every_network_is_drawn_at_a_columns_width_with_nothing_cut_off(make_finished, count, ticks, tmp_path):
    frame = make_finished(cycles=3, layers=count).layers
    frame["layer"] = "features.denseblock1." + frame.layer
    figure = plot_layers(frame, "A title that is too long for one line: $x_1$ at 100% of what there is")
    figure.draw_without_rendering()
    axes, bar = figure.axes
    assert figure.get_figwidth() == WIDTH
    assert figure.get_figheight() < 8
    labels = axes.get_yticklabels()
    assert len(labels) == ticks
    assert axes.get_window_extent().width > figure.bbox.width / 3
    for artist in (axes.title, axes.xaxis.label, bar.yaxis.label, *labels, *figure.legends):
        box = artist.get_window_extent()
        assert box.width == 0 or figure.bbox.padded(1).contains(*box.min)
        assert box.width == 0 or figure.bbox.padded(1).contains(*box.max)
    boxes = [label.get_window_extent() for label in labels]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_nothing_recorded_is_said():
    figure = plot_layers(SMALL, "Title", policy="lr-warmup")
    assert [text.get_text() for text in figure.axes[0].texts] == ["no layers of lr-warmup recorded yet"]


def test_a_network_that_is_empty_from_the_start_is_drawn(tmp_path):
    assert len(emptied(plot_layers(SMALL.assign(alive=0.0), None))) == 4


def test_saved_bytes_depend_on_the_data_alone(tmp_path):
    first, second = ([p.read_bytes() for p in save(plot_layers(SMALL, "x"), tmp_path / n, "layers")] for n in "ab")
    assert first == second
