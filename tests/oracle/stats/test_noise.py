"""How far a training goes by luck: by hand, on drawn accuracies, and what is above chance."""

import math

import numpy as np
import pytest

from oracle.stats.noise import PRIOR_DF, above_chance, noise_of


def test_a_cycle_s_noise_is_shrunk_to_that_of_all():
    # two values, two seeds: residuals of 0.5 each, one degree of freedom; the other cycle has none
    noise = noise_of([np.array([[91.0, 90.0], [90.0, 91.0]]), np.array([[90.0, 91.0], [90.0, 91.0]])], 0.0)
    pooled = (1.0 + 0.0) / 2
    assert noise.df_of_all == 2 and noise.df.tolist() == [1 + PRIOR_DF] * 2
    expected = [(squares + PRIOR_DF * pooled) / (1 + PRIOR_DF) for squares in (1.0, 0.0)]
    assert noise.sd**2 == pytest.approx(expected)


def test_what_a_seed_adds_to_all_values_and_a_value_to_all_seeds_is_no_noise():
    table = np.arange(5.0)[:, None] * 3 + np.array([0.0, 10.0, -7.0])
    assert noise_of([table], 0.0).sd == pytest.approx([0.0], abs=1e-6)


def test_drawn_noise_is_found_though_cycles_differ():
    random = np.random.default_rng(0)
    truth = np.repeat([0.5, 2.0], 150)
    found = noise_of([random.normal(90, sd, (6, 8)) for sd in truth], 0.0).sd
    pooled = math.sqrt((truth**2).mean())
    shrunk = [math.sqrt((35 * sd**2 + PRIOR_DF * pooled**2) / (35 + PRIOR_DF)) for sd in (0.5, 2.0)]
    assert [math.sqrt((found[truth == sd] ** 2).mean()) for sd in (0.5, 2.0)] == pytest.approx(shrunk, rel=0.03)


@pytest.mark.parametrize("table", [np.empty((0, 3)), np.array([[90.0, 91.0, 92.0]]), np.array([[90.0], [91.0]])])
def test_one_value_or_one_seed_tells_none(table):
    noise = noise_of([table], 0.0)
    assert noise.df_of_all == 0 and np.isnan(noise.sd).all()
    told = noise_of([table, np.array([[91.0, 90.0], [90.0, 91.0]])], 0.0)
    assert told.sd[0] == pytest.approx(1.0)  # as much as all others


def test_the_error_of_a_difference_and_what_shared_images_add():
    noise = noise_of([np.array([[91.0, 90.0], [90.0, 91.0]])], 0.0)
    assert noise.error(8) == pytest.approx([math.sqrt(2 / 8)])
    shared = noise_of([np.array([[91.0, 90.0], [90.0, 91.0]])], 1 / 3)
    assert shared.variance(4) == pytest.approx([1 / 4 + 1 / 3])
    assert shared.error(10**9) == pytest.approx([math.sqrt(2 / 3)])  # no number of seeds takes that away


@pytest.mark.parametrize(
    ("chance", "images", "least"),
    [(10.0, 10**6, 15.0), (10.0, 100, 19.0), (50.0, 100, 65.0), (0.0, 100, 5.0), (100.0, 10, 105.0)],
)
def test_above_chance(chance, images, least):
    assert above_chance(chance, images) == pytest.approx(least)
