"""The path of a given slope: the truth's own start is found, and no other start fits better."""

import numpy as np
import pytest

from oracle.stats.path import path_along
from oracle.stats.response import STEP, Responses

FORM = np.array([0.0, 0.2, 0.7, 1.0, 1.0])


def responses_of(best):
    """Curves whose misfit grows with the squared distance to an optimum, in doublings."""
    optima = np.arange(-9, 3, STEP)
    misfit = 10 * (optima - np.array(best)[:, None]) ** 2
    none, sides = np.zeros_like(misfit), np.zeros((2, *misfit.shape))
    return Responses(optima, misfit, none, sides, none, sides, 1.0, 30)


@pytest.mark.parametrize("slope", [-1.5, 0.0, 0.8])
def test_a_path_that_the_optima_follow_is_found(slope):
    truth = -4 + slope * FORM
    np.testing.assert_allclose(path_along(responses_of(truth), FORM, slope), truth, atol=STEP)


def test_no_other_start_fits_better():
    curves = responses_of([-4.3, -3.0, -4.4, -2.9, -3.6])
    path = path_along(curves, FORM, 0.5)
    np.testing.assert_allclose(path - path[0], 0.5 * FORM)

    def misfit(path):
        return sum(np.interp(place, curves.optima, row) for place, row in zip(path, curves.misfit, strict=True))

    assert all(misfit(path) <= misfit(path + shift) + 1e-9 for shift in np.arange(-2, 2, STEP))
