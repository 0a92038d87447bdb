"""Simulated studies: what is drawn is the truth that was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from oracle.stats.response import responses
from oracle.stats.simulated import Truth

VALUES = np.geomspace(0.01, 1, 9)
SILO = np.array([0.05, 0.1, VALUES[6]])
TRUTH = Truth(
    density=0.8 ** np.arange(3),
    values=VALUES,
    silo=SILO,
    optimum=np.array([0.05, 0.1, 0.2]),
    left=0.5,
    right=2.0,
    noise_chosen=np.array([0.1, 0.2, 0.4]),
    noise_tested=np.array([0.3, 0.3, 0.3]),
    tolerance=0.5,
)


def drawn(truth, seeds=3, number=0):
    return truth.draw(seeds, np.random.default_rng(number))


def test_a_doubling_away_costs_the_curvature_and_two_four_times_as_much():
    away = replace(TRUTH, values=np.array([0.025, 0.05, 0.1, 0.2]), optimum=np.full(3, 0.05), silo=np.full(3, 0.0125))
    np.testing.assert_allclose(away.losses(), np.tile([0.5, 0, 2, 8, 2.0], (3, 1)), atol=1e-12)


def test_without_noise_the_curves_are_found():
    still = np.full(3, 1e-6)
    measured = drawn(replace(TRUTH, values=np.geomspace(0.01, 1, 25), noise_chosen=still, noise_tested=still))
    curves = responses(measured)
    np.testing.assert_allclose(curves.best, np.log2(TRUTH.optimum), atol=1 / 24)
    at = curves.misfit.argmin(axis=1)
    np.testing.assert_allclose(curves.sides[:, range(3), at], [[0.5] * 3, [2.0] * 3], rtol=0.2)


def test_the_noise_is_each_cycles_own_and_test_has_another():
    parts = drawn(TRUTH, seeds=4000)
    np.testing.assert_allclose(parts.chosen.std(axis=2).mean(axis=1), TRUTH.noise_chosen, rtol=0.03)
    np.testing.assert_allclose(parts.tested.std(axis=2).mean(axis=1), TRUTH.noise_tested, rtol=0.03)
    np.testing.assert_allclose(parts.silo_tested[:2].std(axis=1), TRUTH.noise_tested[:2], rtol=0.05)


@pytest.mark.parametrize("overlap", [0.0, 0.3])
def test_seeds_that_share_images_share_the_luck_of_their_mean(overlap):
    shared = replace(TRUTH, overlap_chosen=overlap)
    means = np.array([drawn(shared, 4, number).chosen[2].mean(axis=1) for number in range(600)])
    assert means.var(axis=0).mean() == pytest.approx(0.4**2 * (1 / 4 + overlap), rel=0.1)


def test_silo_at_a_grid_value_is_that_training():
    measured = drawn(TRUTH)
    np.testing.assert_array_equal(measured.silo_tested[2], measured.tested[2, 6])
    assert not np.isin(measured.silo_tested[0], measured.tested[0]).any()


def test_a_study_of_more_seeds_begins_with_the_same_ones():
    np.testing.assert_array_equal(drawn(TRUTH, 8).chosen[..., :3], drawn(TRUTH, 3).chosen)
    assert not np.array_equal(drawn(TRUTH, 3, number=1).chosen, drawn(TRUTH, 3).chosen)


def test_where_values_are_chosen_on_test_it_is_all_there_is():
    measured = drawn(replace(TRUTH, noise_tested=None))
    np.testing.assert_array_equal(measured.chosen, measured.tested)
    np.testing.assert_array_equal(measured.chosen, measured.tested)
