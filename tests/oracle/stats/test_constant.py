"""What one constant loses in each cycle: exact without noise, bounds around it, values far from the best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import GRID, measured, noise, parabolas

from oracle.stats.constant import losses_of_constants
from oracle.stats.response import responses

X = np.log2(GRID)


def losses(study, level=0.05):
    return losses_of_constants(study, responses(study), level)


def test_losses_of_a_parabola_without_noise():
    optima = X[[3, 4, 5]]
    study = measured(parabolas(optima, 0.3, 0.3))
    estimate, low, high = losses(study)
    truth = 0.3 * (X[None] - optima[:, None]) ** 2
    assert estimate == pytest.approx(truth, abs=0.01)
    assert low[study.near] == pytest.approx(truth[study.near], abs=0.01)
    assert high[study.near] == pytest.approx(truth[study.near], abs=0.01)
    assert estimate.max(axis=0).argmin() == 4 and estimate.max(axis=0)[4] == pytest.approx(0.3, abs=0.01)


def test_what_diverged_loses_all_and_what_wasn_t_tried_loses_at_least_what_the_next_one_does():
    accuracies = np.repeat(parabolas(X[[4]]), 3, axis=2)
    accuracies[0, 8, 1] = -np.inf
    accuracies[0, 0] = np.nan
    estimate, low, high = losses(measured(accuracies))
    for part in (estimate, low, high):
        assert part[0, 8] == np.inf and np.isfinite(part[0, 1:8]).all()
    assert np.isnan([estimate[0, 0], high[0, 0]]).all() and low[0, 0] == low[0, 1]


def test_beyond_a_cliff_a_value_stands_with_its_own_mean():
    accuracies = np.repeat(parabolas(X[[4]], 0.2, 0.2), 3, axis=2) + noise((1, len(X), 3), 0.1)
    accuracies[0, 6:] = 60.0
    estimate, low, high = losses(measured(accuracies))
    assert estimate[0, 6:] == pytest.approx(30.0, abs=0.5)
    assert (low[0, 6:] > 29).all() and (high[0, 6:] < 31).all()


def test_noise_and_shared_images_widen_the_bounds():
    widths = []
    for sd, overlap in ((0.1, 0.0), (0.5, 0.0), (0.5, 1 / 3)):
        study = measured(parabolas(X[[4, 4]]) + noise((2, len(X), 4), sd), overlap_chosen=overlap)
        _, low, high = losses(study)
        widths.append((high - low)[:, 3:6].mean())
    assert widths == sorted(widths) and len(set(widths)) == 3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(-30, 9))
def test_bounds_hold_the_estimate_widen_with_certainty_and_stay_where_all_accuracies_shift(seed, by):
    accuracies = parabolas(X[[4, 5]]) + noise((2, len(X), 3), 0.4, seed)
    estimate, low, high = losses(measured(accuracies))
    _, lower, higher = losses(measured(accuracies), 0.01)
    assert (low <= estimate + 1e-9).all() and (estimate <= high + 1e-9).all()
    assert (lower <= low + 1e-9).all() and (high <= higher + 1e-9).all()
    for before, after in zip((estimate, low, high), losses(measured(accuracies + by)), strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-5)
