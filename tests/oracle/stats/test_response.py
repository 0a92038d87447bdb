"""Response curves: exact where there is no noise, bounded by cliffs, and laws that hold for every study."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import GRID, measured, noise, parabolas

from oracle.stats.response import STEP, responses

X = np.log2(GRID)
LOST = -np.inf


@pytest.mark.parametrize("steps", [0, 5, 12, -17])
@pytest.mark.parametrize(("left", "right"), [(0.3, 0.3), (0.1, 0.4), (0.4, 0.2)])
def test_a_parabola_without_noise_has_its_optimum_and_no_width(steps, left, right):
    optimum = X[4] + steps * STEP
    curves = responses(measured(parabolas([optimum], left, right)))
    assert curves.best == pytest.approx([optimum])
    low, high = curves.intervals(0.05)
    assert low == pytest.approx([optimum], abs=STEP + 1e-9) and high == pytest.approx([optimum], abs=STEP + 1e-9)
    at = int(curves.misfit[0].argmin())
    assert curves.sides[:, 0, at] == pytest.approx([left, right], rel=1e-3)
    assert curves.top[0, at] == pytest.approx(90, abs=1e-3)
    near = np.flatnonzero(measured(parabolas([optimum], left, right)).near[0])
    assert curves.curve(0, X[near]) == pytest.approx(parabolas([optimum], left, right)[0, near, 0], abs=1e-3)


def test_of_three_values_near_the_best_many_optima_explain_all_and_the_middle_one_is_the_best():
    curves = responses(measured(parabolas([X[4]])))
    assert measured(parabolas([X[4]])).near.sum() == 3
    low, high = curves.intervals(0.05)
    assert curves.best == pytest.approx([X[4]], abs=STEP)
    assert X[3] <= low[0] < X[4] - 2 * STEP and X[4] + 2 * STEP < high[0] <= X[5]


def test_the_curve_never_bends_upwards():
    """A valley's best curve is flat, on either side of any optimum."""
    valley = 90 + 0.01 * (X - X[4])[None, :, None] ** 2
    curves = responses(measured(valley + noise((1, len(X), 3), 0.01)))
    assert (curves.sides >= 0).all() and np.isfinite(curves.misfit).all()


@pytest.mark.parametrize("beyond", [50.0, LOST])
def test_a_cliff_bounds_the_optimum(beyond):
    """Flat up to the fifth value: beyond the first one that is far from the best, or diverged, the optimum can't lie."""
    flat = np.full((1, len(X), 3), 90.0) + noise((1, len(X), 3), 0.05)
    flat[:, 5:] = beyond
    low, high = responses(measured(flat)).intervals(0.05)
    assert low == [-np.inf] and high[0] <= X[5] + STEP
    assert high[0] > X[4] - 1


def test_an_end_of_the_grid_that_still_rises_is_open():
    rising = parabolas([X[-1] + 1.5], 0.2, 0.2) + noise((1, len(X), 4), 0.1)
    curves = responses(measured(rising))
    assert curves.best[0] > X[-1] - 0.5 and curves.intervals(0.05)[1] == [np.inf]


def test_what_wasn_t_tried_is_passed_over_and_what_one_seed_lacks_is_paired():
    optimum = X[4] + 3 * STEP
    accuracies = np.repeat(parabolas([optimum]), 3, axis=2) + np.array([0.0, 5.0, -5.0])
    accuracies[0, 2] = np.nan
    accuracies[0, 5, 1] = np.nan  # the best seed lacks it: its plain mean would be 2.5 points too low
    assert responses(measured(accuracies)).best == pytest.approx([optimum], abs=STEP)


def test_a_flat_cycle_bounds_nothing():
    low, high = responses(measured(np.full((1, len(X), 3), 90.0) + noise((1, len(X), 3), 0.3))).intervals(0.05)
    assert (low, high) == (-np.inf, np.inf)


def test_images_that_seeds_share_widen_the_interval():
    accuracies = parabolas(X[[4] * 8], 0.2, 0.2) + noise((8, len(X), 4), 0.5)
    bands = [responses(measured(accuracies, overlap_chosen=o)).intervals(0.05) for o in (0, 1 / 3)]
    widths = [float((high - low).mean()) for low, high in bands]
    assert widths[0] < widths[1]


def test_two_seeds_and_one_cycle_are_enough_for_a_curve():
    curves = responses(measured(parabolas([X[4]]) + noise((1, len(X), 2), 0.3)))
    low, high = curves.intervals(0.05)
    assert low[0] <= X[4] <= high[0] and curves.df > 0


STUDIES = st.integers(0, 10**6).map(
    lambda seed: parabolas(X[4] + np.random.default_rng(seed).uniform(-1, 1, 2)) + noise((2, len(X), 3), 0.4, seed)
)


@settings(max_examples=15, deadline=None)
@given(STUDIES, st.integers(-30, 9), st.permutations(range(3)))
def test_a_shift_of_all_accuracies_and_the_order_of_seeds_change_nothing(accuracies, by, order):
    before, after = (responses(measured(one)) for one in (accuracies, accuracies[:, :, list(order)] + by))
    np.testing.assert_allclose(after.misfit, before.misfit, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(after.sides, before.sides, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(after.top - by, before.top, rtol=1e-6, atol=0)


@settings(max_examples=15, deadline=None)
@given(STUDIES)
def test_a_reversed_grid_has_the_reversed_curves(accuracies):
    before, after = (responses(measured(one)) for one in (accuracies, accuracies[:, ::-1]))
    np.testing.assert_allclose(after.misfit[:, ::-1], before.misfit, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(after.best - X[4], X[4] - before.best, atol=2 * STEP)


@settings(max_examples=15, deadline=None)
@given(STUDIES)
def test_a_band_holds_the_best_and_a_surer_one_is_wider(accuracies):
    curves = responses(measured(accuracies))
    (low, high), (lower, higher) = curves.intervals(0.1), curves.intervals(0.01)
    assert (
        (lower <= low).all() and (low <= curves.best).all() and (curves.best <= high).all() and (high <= higher).all()
    )
