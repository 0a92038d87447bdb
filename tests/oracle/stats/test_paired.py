"""Means as if every value had been tried in every seed: by hand, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.stats.paired import means_of, paired_means, residuals_of, table_of

NAN, LOST = np.nan, -np.inf


@pytest.mark.parametrize(
    ("table", "means"),
    [
        ([[90, 92], [80, 82]], [91, 81]),
        ([[90, 92], [80, NAN]], [91, 81]),  # the seed it lacks is 2 points better
        ([[90, NAN], [80, 82], [NAN, 92]], [91, 81, 91]),
        ([[90, 92], [NAN, NAN]], [91, NAN]),
        ([[90, 92], [80, LOST]], [91, LOST]),  # what diverged once can't win, and tells nothing of seeds
        ([[LOST, LOST], [LOST, NAN]], [LOST, LOST]),
        ([[90], [80]], [90, 80]),
        ([[NAN]], [NAN]),
    ],
)
def test_means(table, means):
    assert means_of(np.array(table, float)) == pytest.approx(means, nan_ok=True)


def test_a_table_of_accuracies_by_value_and_seed():
    values, table = table_of({(0.2, 1): 90.0, (0.1, 1): None, (0.2, 0): 80.0})
    assert values == [0.1, 0.2]
    np.testing.assert_equal(table, [[NAN, LOST], [80.0, 90.0]])
    assert paired_means({(0.2, 1): 90.0, (0.1, 1): None, (0.2, 0): 80.0}) == {0.1: None, 0.2: 85.0}


@pytest.mark.parametrize(
    ("table", "squares", "df"),
    [
        ([[91, 90], [90, 91]], 1.0, 1),
        ([[91, 90], [90, 91], [LOST, 50]], 1.0, 1),
        ([[91, 90, NAN], [90, 91, NAN]], 1.0, 1),
        ([[91, 90], [90, 91], [NAN, NAN]], 1.0, 1),
        ([[91, 90], [90, NAN]], 0.0, 0),
        ([[91, 90, 95]], 0.0, 0),
        ([[91], [90]], 0.0, 0),
        ([[NAN, LOST]], 0.0, 0),
    ],
)
def test_residuals(table, squares, df):
    found, freedom = residuals_of(np.array(table, float))
    assert found == pytest.approx(squares, abs=1e-9) and freedom == df


TABLES = st.integers(2, 4).flatmap(
    lambda seeds: st.lists(
        st.lists(st.integers(0, 100).map(float), min_size=seeds, max_size=seeds), min_size=2, max_size=5
    )
)


@given(TABLES, st.integers(-9, 9), st.randoms(use_true_random=False))
def test_a_shift_of_a_seed_shifts_all_means_alike_and_no_residual(table, by, random):
    table = np.array(table)
    hole = table.copy()
    hole[random.randrange(len(table)), random.randrange(table.shape[1])] = NAN
    seed = random.randrange(table.shape[1])
    for one in (table, hole):
        shifted = one.copy()
        shifted[:, seed] += by
        assert means_of(shifted) == pytest.approx(means_of(one) + by / table.shape[1], abs=1e-6)
        assert residuals_of(shifted) == pytest.approx(residuals_of(one), abs=1e-6)


@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_values_and_seeds_changes_nothing(table, random):
    table = np.array(table)
    table[0, 0] = NAN
    rows, columns = (random.sample(range(size), size) for size in table.shape)
    mixed = table[rows][:, columns]
    assert means_of(mixed) == pytest.approx(means_of(table)[rows], abs=1e-6)
    assert residuals_of(mixed) == pytest.approx(residuals_of(table), abs=1e-6)
