"""The learning rate range test: which max_lr its losses choose."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from silo import RangeTest

TABLE = [  # of a test of 4 epochs from 0.1 to 1.6, whose rates after each are 0.2, 0.4, 0.8, 1.6
    ([2.0, 1.5, 1.0, 3.0], 0.8),
    ([2.0, 1.5, 1.0, 0.5], 1.6),
    ([0.5, 1.0, 1.5, 2.0], 0.2),
    ([2.0, 1.0, 1.0, 3.0], 0.4),  # the first of equals
    ([2.0, 1.5], 0.4),  # it diverged in the third epoch
    ([2.0, 2.5, 2.7], 0.2),
    ([], 0.1),  # in the first
]


@pytest.mark.parametrize(("losses", "expected"), TABLE, ids=str)
def test_the_rate_after_the_epoch_of_the_lowest_loss(losses, expected):
    assert RangeTest(0.1, 1.6).max_lr(losses, epochs=4) == expected


def test_a_choice_is_the_test_s_own_rate_at_the_end_of_that_epoch():
    test = RangeTest(0.003, 7)
    for best in range(9):
        losses = [1.0 + (epoch != best) for epoch in range(9)]
        rate = test.high * test.shape.factor((best + 1) * 32, steps_per_epoch=32, epochs=9)
        assert test.max_lr(losses, 9) == pytest.approx(rate, rel=1e-3)
        assert test.max_lr(losses, 9) == float(f"{rate:.4g}")  # of few digits, which every machine has alike


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(0, 5))
def test_a_choice_lies_within_what_was_tried_and_a_greater_loss_elsewhere_changes_nothing(losses, cut):
    test, epochs = RangeTest(0.01, 10), len(losses) + cut
    chosen = test.max_lr(losses, epochs)
    assert 0.01 <= chosen <= 10
    assert test.max_lr([loss if loss == min(losses) else loss + 1 for loss in losses], epochs) == chosen
    if cut:
        assert test.max_lr([*losses, math.nextafter(max(losses), math.inf)], epochs) == chosen


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        *(
            (value, 1, f"low must be a finite number above 0, got {value!r}")
            for value in (0, -1, math.nan, "0.1", True)
        ),
        (0.1, math.inf, "high must be a finite number above 0, got inf"),
        (0.1, 0.1, "low must be below high (0.1), got 0.1"),
        (1, 0.1, "low must be below high (0.1), got 1"),
    ],
)
def test_bad_ends(low, high, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        RangeTest(low, high)


def test_numpy_numbers_become_plain():
    assert repr(RangeTest(np.float64(0.1), np.int64(2))) == "RangeTest(low=0.1, high=2)"
