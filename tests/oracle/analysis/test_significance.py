"""How sure a cycle is: critical values of the literature, sets and intervals by hand, and how often they hold simulated."""

import math

import numpy as np
import pandas as pd
import pytest
from published import published
from scipy.stats import t

from oracle.analysis.significance import noises, significance_table
from oracle.report.advice import settling_text
from oracle.stats.multiple_comparisons import Noise, best_subset, critical, difference, seeds_to_settle


@pytest.mark.parametrize(
    ("comparisons", "df", "two_sided", "expected"),
    [
        # Dunnett 1955 and 1964, 5%: the tables of the textbooks
        (2, 10, False, 2.15),
        (3, 10, False, 2.34),
        (9, 20, False, 2.60),
        (5, 30, False, 2.33),
        (2, 10, True, 2.57),
        (4, 20, True, 2.65),
        (9, 60, True, 2.77),  # and by 2 million draws
    ],
)
def test_critical_values_are_dunnett_s(comparisons, df, two_sided, expected):
    assert critical(comparisons, df, 0.05, two_sided) == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize("df", [1, 3, 30])
@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_one_comparison_is_student_s(df, level):
    assert critical(1, df, level, True) == pytest.approx(t.isf(level / 2, df), rel=0.03)
    assert critical(1, df, level, False) == pytest.approx(t.isf(level, df), rel=0.03)


def test_who_is_not_worse_by_hand():
    """The standard error of a difference of two seeds each is 1 point; the bound for 2 comparisons and 10 degrees is 2.15."""
    noise, seeds = Noise(1.0, 10), {0.1: 2, 0.2: 2, 0.4: 2}
    assert best_subset({0.1: 90.0, 0.2: 92.0, 0.4: 92.5}, seeds, noise, 0.05) == [0.2, 0.4]
    assert best_subset({0.1: 90.4, 0.2: 92.0, 0.4: 92.5}, seeds, noise, 0.05) == [0.1, 0.2, 0.4]
    assert best_subset({0.1: 90.0, 0.2: 92.0, 0.4: 92.5}, seeds | {0.1: 1}, noise, 0.05) == [
        0.1,
        0.2,
        0.4,
    ]  # it is less sure
    assert best_subset({0.1: 90.0}, {0.1: 1}, noise, 0.05) == [0.1] and best_subset({}, {}, noise, 0.05) == []


def test_images_that_seeds_share_widen_the_interval():
    alone = difference(-1.0, 4, Noise(1.0, 12), 0.05, 8)
    shared = difference(-1.0, 4, Noise(1.0, 12, overlap=1 / 3), 0.05, 8)
    assert alone.error == pytest.approx(math.sqrt(2 / 4))
    assert shared.error == pytest.approx(math.sqrt(2 * (1 / 4 + 1 / 3)))  # Nadeau and Bengio 2003
    assert (shared.high - shared.low) / (alone.high - alone.low) == pytest.approx(shared.error / alone.error)
    assert (alone.low + alone.high) / 2 == pytest.approx(-1.0)


def test_so_many_seeds_settle_it():
    noise, tolerance = Noise(1.0, 20), 0.5
    found = difference(0.2, 4, noise, 0.05, 6)
    needed = seeds_to_settle(found, noise, tolerance)
    half = critical(6, 20, 0.05, True) * noise.error(needed, needed)
    assert half == pytest.approx(0.7) and needed > 4
    assert seeds_to_settle(difference(0.2, 4, Noise(1.0, 20, 0.3), 0.05, 6), Noise(1.0, 20, 0.3), tolerance) == math.inf


def test_a_cycle_that_tells_little_has_the_noise_of_all():
    two = {(v, s): float(v * 10 + s + (v == s)) for v in (0, 1) for s in (0, 1)}
    many = {(v, s): float(v * 10 + s + 2 * ((v + s) % 2)) for v in range(4) for s in range(4)}
    own, pooled = noises([many, two], 0.1)
    assert (own.df, pooled.df) == (9, 10) and own.overlap == 0.1
    assert noises([{(0, 0): 1.0}], 0.0) == [None]


# -- on published runs


@pytest.fixture(scope="module", params=["quickstart", "cifar10-policies", "digits-cnn", "quickstart-adaptive"])
def results(request):
    return published(request.param)


def test_every_informative_cycle_has_a_row_that_hangs_together(results):
    table, comparison = results.significance, results.comparison.set_index("cycle")
    assert table.cycle.tolist() == comparison.index[comparison.informative].tolist()
    for row in table.itertuples():
        values = [float(value) for value in row.not_worse.split()]
        assert row.best_max_lr in values and values == sorted(values)
        assert row.chosen_on_difference == -comparison.gap[row.cycle]
        if row.decided == "undecided":
            assert row.low < -results.experiment.oracle.tolerance <= row.high and row.seeds_needed > 1
        elif row.decided == "within":
            assert row.low >= -results.experiment.oracle.tolerance
        assert row.low <= row.test_difference <= row.high
    fixed = results.experiment.data.split.kind == "carve"
    assert bool(np.isinf(table.seeds_needed).any()) is not fixed  # with a fixed test set seeds settle everything


def test_the_difference_is_measured_on_test(results):
    if results.experiment.oracle.search.kind != "exhaustive":
        return
    comparison = results.comparison.set_index("cycle")
    for row in results.significance.itertuples():
        own = comparison.loc[row.cycle]
        assert row.test_difference == pytest.approx(own.silo_test - own.best_test, abs=1e-9)


def test_silo_that_diverged_is_worse_and_silo_that_is_the_best_within():
    results = published("quickstart")
    cells = results.cells.copy()
    silo = cells.silo & (cells.cycle == 4)
    cells.loc[silo, ["status", "validation", "test"]] = ["diverged", np.nan, np.nan]
    table = significance_table(cells, results.comparison, results.experiment, results.data).set_index("cycle")
    assert table.decided[4] == "worse" and np.isnan(table.test_difference[4])
    assert table.decided[1] == "within" and table.high[1] == table.low[1] == 0  # 0.1184 is both


def test_one_seed_tells_nothing():
    results = published("quickstart")
    oracle = results.experiment.oracle.model_copy(update={"seeds": (10,)})
    spec = results.experiment.model_copy(update={"oracle": oracle})
    cells = results.cells[results.cells.seed == 10]
    table = significance_table(cells, results.comparison, spec, results.data)
    assert table.empty and settling_text(table, spec) == ""


def test_what_would_settle_it_in_words():
    spec = published("quickstart").experiment  # seeds 10 to 13
    needed = [math.nan, 6.0, 7.0, 40.0, math.inf]
    frame = pd.DataFrame({"decided": ["within", *["undecided"] * 4], "seeds_needed": needed})
    assert settling_text(frame, spec).split("; ") == [
        "On test images, and beyond the noise (the verdicts ask less), SILO is within the tolerance of the best in 1, "
        "undecided in 4 of 5 cycles",
        "about 7 seeds would settle half of the 3 that more seeds can settle "
        "(--set 'oracle.seeds=[10, 11, 12, 13, 14, 15, 16]')",
        "1 is settled by no number of seeds, since these share the images of one pool: more "
        "images, or a fixed test set, would.",
    ]


def test_where_a_search_tried_few_seeds_more_of_them_may_not_be_tried():
    spec = published("quickstart-adaptive").experiment  # 4 seeds
    frame = pd.DataFrame({"seeds": [4, 2], "decided": ["undecided"] * 2, "seeds_needed": [6.0, 6.0]})
    assert settling_text(frame, spec).endswith(
        "(--set 'oracle.seeds=[10, 11, 12, 13, 14, 15]'), where the search tries SILO's value and the best in all of them "
        "(--set 'oracle.search=\"exhaustive\"')."
    )
    assert "exhaustive" not in settling_text(frame.assign(seeds=4), spec)
