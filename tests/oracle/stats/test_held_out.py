"""Schedules chosen on the other seeds: the choices by hand, and losses whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import GRID, measured, noise, parabolas

from oracle.stats.held_out import (
    Estimate,
    HeldOut,
    Loss,
    best_constant,
    best_of_each_cycle,
    best_segments,
    best_two_levels,
    segment_bounds,
)

X = np.log2(GRID)
LOST = -np.inf
# four cycles, three values, two seeds alike
TABLE = np.repeat(np.array([[9, 5, 0], [6, 5, 0], [0, 5, 7], [0, 5, 6.0]])[..., None], 2, axis=2)


@pytest.mark.parametrize(
    ("choice", "values"),
    [
        (best_of_each_cycle, [0, 0, 2, 2]),
        (best_constant, [1, 1, 1, 1]),
        (best_two_levels, [0, 0, 2, 2]),
        (best_segments, [0, 0, 2, 2]),
    ],
)
def test_choices(choice, values):
    assert choice(TABLE).tolist() == [[value] * 2 for value in values]


def test_two_levels_are_one_where_a_change_gains_nothing():
    assert best_two_levels(TABLE[:1]).tolist() == [[0, 0]]
    assert best_two_levels(np.repeat(TABLE[:1], 4, axis=0)).tolist() == [[0, 0]] * 4


@pytest.mark.parametrize(
    ("cycles", "bounds"),
    [(1, [0, 1]), (3, [0, 1, 2, 3]), (4, [0, 1, 2, 3, 4]), (8, [0, 2, 4, 6, 8]), (6, [0, 2, 3, 4, 6])],
)
def test_segments(cycles, bounds):
    assert segment_bounds(cycles) == bounds


def test_a_seed_is_chosen_for_by_the_others():
    # each of three seeds likes a value of its own by far; the other two make it win nowhere
    accuracies = np.full((1, 4, 3), 80.0)
    accuracies[0, 3] = 85.0
    for seed in range(3):
        accuracies[0, seed, seed] = 89.0
    held = HeldOut(measured(accuracies, silo=GRID[[7]], silo_accuracies=[[85.0] * 3]))
    assert held.chosen(best_of_each_cycle).tolist() == [[3, 3, 3]]
    mean, by_cycle = held.over_silo(held.chosen(best_of_each_cycle))
    assert mean.value == 0 and by_cycle[0].value == 0


def test_chosen_on_one_set_of_images_and_measured_on_another():
    accuracies = parabolas(X[[4, 4, 4]])
    held = HeldOut(measured(accuracies, tested=np.repeat(accuracies - 5, 3, axis=2), silo_accuracies=[[84.0] * 3] * 3))
    mean, _ = held.over_silo(held.chosen(best_of_each_cycle))
    assert mean.value == pytest.approx(1.0)


def test_silo_at_a_value_of_the_grid_is_that_training_and_loses_nothing_to_it():
    accuracies = parabolas(X[[4, 4, 4]]) + noise((3, len(X), 4), 0.1)
    held = HeldOut(measured(accuracies, silo=GRID[[4, 4, 4]] * (1 + 1e-12), silo_accuracies=accuracies[:, 4]))
    mean, by_cycle = held.over_silo(held.chosen(best_of_each_cycle))
    assert (mean.value, mean.error) == (0, 0) and all(one.error == 0 for one in by_cycle)
    assert mean.lower(0.05) == mean.upper(0.05) == 0


def test_what_diverged_counts_as_chance_and_what_a_seed_lacks_is_no_choice():
    accuracies = np.repeat(parabolas(X[[4, 4, 4]]), 2, axis=2)
    accuracies[0, 4, 0] = LOST
    accuracies[1, 5, 1] = np.nan
    silo = np.full((3, 2), 90.0)
    silo[2, 0] = LOST
    held = HeldOut(measured(accuracies, silo_accuracies=silo))
    assert held.common.tolist() == [value != 5 for value in range(len(X))]
    chosen = held.chosen(best_of_each_cycle)
    assert chosen[0].tolist() == [4, 3]  # seed 1's choice is by seed 0, in which it diverged
    assert held.tested(chosen)[0].tolist() == [10.0, 89.0]
    assert held.silo[2].tolist() == [10.0, 90.0]


def test_seeds_that_differ_in_all_cycles_alike_make_the_mean_less_sure():
    accuracies = np.repeat(parabolas(X[[4] * 6]), 4, axis=2) + noise((6, len(X), 4), 0.2)
    alike = HeldOut(measured(accuracies, silo_accuracies=89.0 + noise((6, 4), 0.2, 1)))
    apart = HeldOut(measured(accuracies, silo_accuracies=89.0 + noise((6, 4), 0.2, 1) + np.array([-2.0, -1, 1, 2])))
    (sure, _), (unsure, _) = (held.over_silo(held.chosen(best_of_each_cycle)) for held in (alike, apart))
    assert unsure.error > 3 * sure.error and 3 <= unsure.df < 5 < sure.df


def test_images_that_seeds_share_widen_the_interval():
    accuracies = np.repeat(parabolas(X[[4] * 6]), 4, axis=2) + noise((6, len(X), 4), 0.2)
    plain, shared = (HeldOut(measured(accuracies, overlap_tested=overlap)) for overlap in (0.0, 1 / 3))
    (narrow, _), (wide, _) = (held.over_silo(held.chosen(best_of_each_cycle)) for held in (plain, shared))
    assert wide.error == pytest.approx(narrow.error * math.sqrt((1 / 4 + 1 / 3) / (1 / 4)))


def test_bounds_of_an_estimate():
    estimate = Estimate(1.0, 0.5, 10**9)
    assert estimate.lower(0.05) == pytest.approx(1 - 0.5 * 1.6449, abs=1e-3)
    assert estimate.upper(0.05) == pytest.approx(1 + 0.5 * 1.6449, abs=1e-3)
    assert estimate.detectable(0.05) == pytest.approx(0.5 * (1.6449 + 0.8416), abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(-30, 9), st.permutations(range(4)))
def test_a_shift_of_all_accuracies_and_the_order_of_seeds_change_nothing(seed, by, order):
    accuracies = parabolas(X[[4, 5, 5]]) + noise((3, len(X), 4), 0.5, seed)
    silo = 89 + noise((3, 4), 0.5, seed + 1)
    found = []
    for table, own in ((accuracies, silo), (accuracies[:, :, list(order)] + by, silo[:, list(order)] + by)):
        held = HeldOut(measured(table, silo_accuracies=own))
        found += [
            held.over_silo(held.chosen(choice))[0] for choice in (best_of_each_cycle, best_constant, best_two_levels)
        ]
    for before, after in zip(found[:3], found[3:], strict=True):
        assert (before.value, before.error, before.df) == pytest.approx((after.value, after.error, after.df), abs=1e-6)


def test_a_loss_is_bounded_above_at_four_fifths_of_the_level_as_what_few_seeds_chose_is_not_the_best():
    loss = Loss(1.0, 0.5, 10**9)
    assert loss.upper(0.05) == pytest.approx(1 + 0.5 * 1.7507, abs=1e-3)  # the 96% quantile
    assert loss.lower(0.05) == pytest.approx(1 - 0.5 * 1.6449, abs=1e-3)
    held = HeldOut(measured(parabolas(X[[4, 4, 5]]).repeat(4, axis=2) + noise((3, len(X), 4), 0.2)))
    mean, by_cycle = held.over_silo(held.chosen(best_constant))
    assert {type(mean), *map(type, by_cycle)} == {Loss}
