"""Which values are near the best: whole tables, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.stats.near_best import near_best

NAN, LOST = np.nan, -np.inf


@pytest.mark.parametrize(
    ("means", "reach", "near"),
    [
        ([10, 88, 90, 89, 10], 3, "-xxx-"),  # the top three's mean is 89
        ([10, 85.9, 90, 89, 88, 10], 3, "--xxx-"),
        ([10, 86, 90, 89, 88, 10], 3, "-xxxx-"),  # just within reach of it
        ([90, 90, 90], 0, "xxx"),
        ([90, 10, 90, 90], 0, "x---"),  # of equal ones the lowest, and its run alone
        ([80, 10, 90, 89, 88], 3, "--xxx"),
        ([90], 1, "x"),
        ([90, LOST, 89, 89], 3, "x---"),  # what diverged ends the run
        ([90, NAN, 89, 88], 3, "x-xx"),  # what wasn't tried doesn't
        ([NAN, 90, NAN, 50, 88], 50, "-x-xx"),
        ([NAN, NAN], 3, "--"),
        ([LOST, LOST, NAN], 3, "---"),
        ([LOST, 40, LOST], 3, "-x-"),
    ],
)
def test_near_best(means, reach, near):
    assert "".join("x" if one else "-" for one in near_best(np.array(means, float), reach)) == near


MEANS = st.lists(st.one_of(st.integers(0, 100).map(float), st.just(NAN), st.just(LOST)), min_size=1, max_size=12)


@given(MEANS, st.integers(0, 20), st.integers(-50, 50))
def test_a_shift_changes_nothing(means, reach, by):
    means = np.array(means)
    assert (near_best(means, reach) == near_best(means + by, reach)).all()


@given(MEANS, st.integers(0, 20), st.integers(0, 20))
def test_a_wider_reach_holds_the_narrower_one_and_the_best(means, reach, more):
    means = np.array(means)
    narrow, wide = near_best(means, reach), near_best(means, reach + more)
    assert (narrow <= wide).all()
    assert np.isfinite(means[wide]).all()
    if np.isfinite(means).any():
        assert wide[np.nanargmax(means)]


@given(MEANS.filter(lambda means: len(set(means)) == len(means)), st.integers(0, 20))
def test_a_reversed_grid_has_the_reversed_run(means, reach):
    means = np.array(means)
    assert (near_best(means[::-1], reach) == near_best(means, reach)[::-1]).all()
