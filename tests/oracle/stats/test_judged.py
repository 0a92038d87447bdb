"""What more trainings may yet decide; and what is known of constants that weren't tried."""

from dataclasses import replace

import numpy as np
import pytest

from oracle.stats.constant import losses_of_constants
from oracle.stats.judged import _easier, is_judgeable, judge_all, outlook
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.response import responses

LEVEL = 0.05


def study(growth=3.0, curvature=1.0, noise=0.2, seeds=4, values=12, cycles=6, tolerance=0.5):
    """A parabola whose optimum grows by so many doublings; SILO is right."""
    random, x = np.random.default_rng(0), np.linspace(-4.5, 1.5, values)
    optimum = np.linspace(-3, -3 + growth, cycles)
    tried = np.hstack([np.tile(x, (cycles, 1)), optimum[:, None]])
    accuracies = (90 - curvature * (tried - optimum[:, None]) ** 2)[..., None]
    chosen, tested = (accuracies + noise * random.normal(size=(*tried.shape, seeds)) for _ in range(2))
    return Measurements(
        np.arange(cycles),
        0.8 ** np.arange(cycles),
        2**x,
        chosen[:, :-1],
        tested[:, :-1],
        2**optimum,
        tested[:, -1],
        tolerance,
    )


def without(measured, untried):
    """The same, some values untried."""
    chosen, tested = measured.chosen.copy(), measured.tested.copy()
    chosen[:, untried], tested[:, untried] = np.nan, np.nan
    return replace(measured, chosen=chosen, tested=tested)


def test_the_easier_level():
    assert _easier(LEVEL, 1.0) == pytest.approx(LEVEL)
    levels = [_easier(LEVEL, share) for share in (0.9, 0.7, 0.5, 0.4)]
    assert levels == sorted(levels) and levels[0] > LEVEL
    assert _easier(LEVEL, 0.05) is None  # so little is measured that anything may yet be


def test_the_outlook_is_the_verdict_where_it_is_decided_or_nothing_more_comes():
    large = study()
    verdicts = judge_all(large, responses(large), LEVEL).judgements
    assert Judgement.UNDECIDED not in verdicts
    assert outlook(large, LEVEL, LEVEL, 0.3) == list(verdicts)
    noisy = study(growth=1.0, noise=1.0)
    undecided = judge_all(noisy, responses(noisy), LEVEL).judgements
    assert Judgement.UNDECIDED in undecided
    assert outlook(noisy, LEVEL, LEVEL, 1.0) == list(undecided)
    hoped = outlook(noisy, LEVEL, LEVEL, 0.05)
    assert [one is None for one in hoped] == [one is Judgement.UNDECIDED for one in undecided]


def test_too_few_cycles_or_values_cannot_be_judged():
    assert is_judgeable(study())
    assert not is_judgeable(study(cycles=2))
    assert not is_judgeable(without(study(), slice(1, None)))


def test_an_untried_constant_between_values_near_the_best_has_the_curves_loss():
    whole = study(curvature=0.2, noise=0.05)
    part = without(whole, slice(1, None, 2))
    bounds, expected = (losses_of_constants(one, responses(one), LEVEL) for one in (part, whole))
    between = whole.near & (np.arange(12) % 2 == 1) & (np.arange(12) < 11)
    between &= np.roll(part.near, 1, axis=1) & np.roll(part.near, -1, axis=1)
    assert between.any()
    assert np.abs(bounds[0] - expected[0])[between].max() < 0.2
    assert (bounds[1] <= bounds[0] + 1e-9)[between].all() and (bounds[0] <= bounds[2] + 1e-9)[between].all()


def test_an_untried_constant_elsewhere_loses_at_least_what_the_next_one_inward_does():
    part = without(study(curvature=4.0), [1, 11])
    estimate, low, high = losses_of_constants(part, responses(part), LEVEL)
    late = 5  # its best lies high above the value 1
    assert not part.near[late, :3].any()
    assert (low[late, 1], high[late, 1], estimate[late, 1]) == (low[late, 2], high[late, 0], estimate[late, 0])
    early = 0
    assert low[early, 11] == low[early, 10] and np.isnan([high[early, 11], estimate[early, 11]]).all()


def test_a_rival_is_refused_although_not_every_value_was_tried():
    whole = study()
    part = without(whole, slice(1, None, 2))
    for one in (whole, part):
        assert judge_all(one, responses(one), LEVEL).rival.judgement is Judgement.CONFIRMED
