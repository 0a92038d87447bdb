"""The policies' figure shows every policy's numbers, SILO's less each below, and hides no SILO behind a collapsed one."""

import pandas as pd
import pytest

from oracle.report.figures.policies import plot_policies

NAMES = ["SILO", "lr-warmup", "cosine", "Oracle"]
TEST = {
    "SILO": [90.0, 89.0, 88.0],
    "lr-warmup": [91.0, 89.5, 87.0],
    "cosine": [90.0, 10.0, 10.0],
    "Oracle": [91, 90, 89],
}


def policies(**changes):
    rows = [(name, cycle, 100 * 0.8**cycle, (TEST | changes)[name][cycle]) for name in NAMES for cycle in range(3)]
    frame = pd.DataFrame(rows, columns=["policy", "cycle", "weights_remaining", "test"])
    return frame.assign(test_std=1.0, seeds=4)


def drawn(axes):
    return [list(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) == 3]


def test_every_policy_is_drawn_and_silo_less_each_below():
    means, differences = plot_policies(policies(), "a title").axes
    assert sorted(drawn(means)) == sorted([float(value) for value in values] for values in TEST.values())
    less = [[s - o for s, o in zip(TEST["SILO"], TEST[name], strict=True)] for name in NAMES[1:]]
    assert sorted(drawn(differences)) == sorted(less)
    assert means.get_xlim()[0] > means.get_xlim()[1]  # the weights fall to the right


def test_each_mean_has_its_standard_deviation():
    means, _ = plot_policies(policies(), None).axes
    bars = [segment[:, 1] for lines in means.collections for segment in lines.get_segments()]
    assert sorted(map(list, bars)) == sorted([a - 1, a + 1] for values in TEST.values() for a in values)
    assert means.get_ylabel().endswith("std over seeds")
    one, _ = plot_policies(policies().assign(test_std=float("nan"), seeds=1), None).axes
    assert not one.get_ylabel().endswith("std over seeds")


def test_a_collapsed_policy_leaves_the_lower_panel_and_the_others_stay():
    low, high = plot_policies(policies(), None).axes[1].get_ylim()
    assert low < -1 < 1 < high
    assert high < 70


@pytest.mark.parametrize("frame", [policies(), policies().assign(weights_remaining=float("nan"))])
def test_where_nothing_is_recorded_it_says_so(frame):
    (axes,) = plot_policies(frame.assign(test=float("nan")), "a title").axes
    assert axes.texts[0].get_text() == "nothing recorded yet"
