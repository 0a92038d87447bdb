"""Growth along a form, one optimum for all, and differences of groups of cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import GRID, measured, noise, parabolas

from oracle.stats.path import Slope, difference, excess, same_optimum, slope_along
from oracle.stats.response import responses

X = np.log2(GRID)
FORM = np.array([0, 0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
LEVEL = 0.1


def study(growth, sd=0.0, seed=0, form=FORM):
    accuracies = parabolas(X[4] - growth / 2 + growth * form, 0.3, 0.3)
    return responses(measured(accuracies + noise((len(form), len(X), 4), sd, seed)))


@pytest.mark.parametrize("growth", [-2.0, 0.0, 0.5, 1.5, 2.0])
def test_growth_without_noise_is_found(growth):
    slope = slope_along(study(growth, 1e-3), FORM, LEVEL)
    assert slope.estimate == pytest.approx(growth, abs=0.03)
    assert slope.low == pytest.approx(growth, abs=0.11) and slope.high == pytest.approx(growth, abs=0.11)


def test_in_units_of_the_form():
    """Half the form needs twice the slope; a constant added to it none."""
    curves = study(1.0, 0.3)
    one, half = slope_along(curves, FORM, LEVEL), slope_along(curves, FORM / 2 + 7, LEVEL)
    assert half.estimate == pytest.approx(2 * one.estimate, abs=0.02)
    assert (half.low, half.high) == pytest.approx((2 * one.low, 2 * one.high), abs=0.02)


@pytest.mark.parametrize("form", [np.zeros(8), np.full(8, 3.0)])
def test_no_slope_along_a_form_that_stands_still(form):
    assert slope_along(study(1.0, 0.3), form, LEVEL) is None


def test_no_slope_of_two_cycles_but_of_three():
    assert slope_along(study(1.0, 0.3, form=FORM[[0, -1]]), FORM[[0, -1]], LEVEL) is None
    assert slope_along(study(1.0, 0.3, form=FORM[[0, 3, -1]]), FORM[[0, 3, -1]], LEVEL) is not None


def test_flat_curves_bound_no_slope():
    curves = study(1.0, 0.3)
    flat = replace(curves, misfit=np.zeros_like(curves.misfit))
    slope = slope_along(flat, FORM, LEVEL)
    assert slope.low == -np.inf and slope.high == np.inf and slope.detectable == np.inf


def test_a_path_that_leaves_the_form_is_less_sure():
    zigzag = FORM + np.where(np.arange(8) % 2, 0.6, -0.6)
    straight, crooked = (slope_along(study(1.0, 0.05, form=form), FORM, LEVEL) for form in (FORM, zigzag))
    assert crooked.high - crooked.low > 2 * (straight.high - straight.low)


def test_one_optimum_for_all():
    assert same_optimum(study(2.0, 0.2)) < 1e-6
    assert same_optimum(study(0.0, 0.2)) > 0.05
    assert same_optimum(responses(measured(parabolas([X[4]]) + noise((1, len(X), 3), 0.2)))) == 1.0


def test_a_difference_of_groups_and_its_reverse():
    curves = study(1.0, 0.2, seed=1)
    early, late = FORM == 0, FORM == 1
    there, back = difference(curves, early, late, LEVEL), difference(curves, late, early, LEVEL)
    assert there.low < 1.0 < there.high and there.estimate == pytest.approx(1.0, abs=0.4)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=0.1)
    only_one = difference(curves, early, np.zeros(8, dtype=bool), LEVEL)
    assert (only_one.low, only_one.high) == (-np.inf, np.inf)


TRIED = np.linspace(-6, 6, 121)


def slope_of(estimate, low, high, level=LEVEL):
    """A slope whose profile is a parabola on either side."""
    sides = np.where(estimate > TRIED, estimate - low, high - estimate)
    return Slope(estimate, low, high, level, TRIED, ((TRIED - estimate) / sides) ** 2)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((1.0, 0.7, 1.3), (0.0, -0.4, 0.4), (1.0, 0.5, 1.5)),  # 0.5 = the root of 0.3^2 + 0.4^2
        ((0.0, -0.4, 0.4), (1.0, 0.7, 1.3), (-1.0, -1.5, -0.5)),
        (
            (2.0, 1.7, 2.8),
            (1.0, 0.4, 1.4),
            (1.0, 0.5, 2.0),
        ),  # each end from the sides that face away: 0.3, 0.4; 0.8, 0.6
        ((1.0, 0.7, np.inf), (0.0, -0.4, 0.4), (1.0, 0.5, np.inf)),
        ((1.0, 0.7, 1.3), (0.0, -0.4, np.inf), (1.0, -np.inf, 1.5)),
    ],
)
def test_by_how_much_a_slope_exceeds_another(one, other, expected):
    found = excess(slope_of(*one), slope_of(*other))
    assert (found.estimate, found.low, found.high, found.level) == pytest.approx((*expected, LEVEL), abs=0.03)


def test_a_slope_that_fits_in_two_places_exceeds_by_either():
    """Its own interval, to the first end, would not say so; nor does a distance to its end tell how fast it gets worse."""
    two = np.minimum(((TRIED - 1.0) / 0.3) ** 2, ((TRIED - 2.0) / 0.3) ** 2 + 0.2)
    one = Slope(1.0, 0.7, 1.3, LEVEL, TRIED, two)
    found = excess(one, slope_of(0.0, -0.4, 0.4))
    assert found.low == pytest.approx(0.5, abs=0.03)
    assert found.high == pytest.approx(2 + 0.5 * np.sqrt(0.8), abs=0.03)


def test_a_slope_does_not_exceed_itself():
    found = excess(own := slope_along(study(1.0, 0.3), FORM, LEVEL), own)
    assert found.estimate == 0 and found.low == pytest.approx(-found.high)
    assert found.high > (own.high - own.low) / 2


def test_the_smallest_slope_that_is_shown():
    assert slope_of(0.0, -1.645, 1.645, 0.1).detectable == pytest.approx(1.645 + 0.842, abs=1e-3)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([-1.0, 0.0, 1.0]))
def test_reversed_cycles_fall_where_they_grew(seed, growth):
    accuracies = parabolas(X[4] - growth / 2 + growth * FORM, 0.3, 0.3) + noise((8, len(X), 3), 0.3, seed)
    up = slope_along(responses(measured(accuracies)), FORM, LEVEL)
    down = slope_along(responses(measured(accuracies[::-1])), 1 - FORM[::-1], LEVEL)
    # slopes are tried every tenth of a doubling, starts every twelfth
    assert (down.estimate, down.low, down.high) == pytest.approx((-up.estimate, -up.high, -up.low), abs=0.2)
