"""ALLR's max_lr: its formula over what was pruned and how long is retrained."""

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from silo.allr import allr_max_lr

TABLE = [  # (share pruned, relative norm, relative length, share of max_lr)
    (0.25, 0.2, 0.1, 0.4),  # by the norm: 0.2 / 0.5
    (0.25, 0.2, 0.4, 0.4),
    (0.25, 0.2, 0.5, 0.5),  # by the length, which is the least
    (0.25, 0.5, 0.1, 1),  # as much as weights that go at random
    (0.25, 0.9, 0.1, 1),  # more: the greatest is 1
    (0.25, 0, 0.1, 0.1),
    (0.04, 0.1, 0.01, 0.5),
    *((share, norm, length, 1) for share in (0.2, 0.9) for norm in (0, 0.3, 1) for length in (1, 2.5)),  # not shorter
]


@pytest.mark.parametrize(("share", "norm", "length", "expected"), TABLE)
def test_the_formula(share, norm, length, expected):
    assert allr_max_lr(0.3, share, norm, length) == pytest.approx(0.3 * expected, rel=1e-12)


@given(st.floats(1e-6, 0.999), st.floats(0, 1), st.floats(1e-3, 10))
def test_it_lies_between_its_bounds(share, norm, length):
    assert min(length, 1) * 0.1 - 1e-12 <= allr_max_lr(0.1, share, norm, length) <= 0.1


def test_weights_that_go_at_random_leave_max_lr_and_the_smallest_ones_less():
    weight = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    for share in (0.2, 0.5):
        count = int(share * len(weight))
        norms = {"random": weight[:count].norm() / weight.norm()}
        norms["magnitude"] = weight.abs().sort().values[:count].norm() / weight.norm()
        rates = {name: allr_max_lr(1.0, share, norm.item(), 0.05) for name, norm in norms.items()}
        assert rates["random"] == pytest.approx(1, abs=0.03)
        assert rates["magnitude"] < 0.5


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_lr", (0, -1, math.nan, "0.1")),
        ("share_pruned", (0, 1, math.nan)),
        ("relative_norm", (-0.1, 1.1, math.nan)),
        ("relative_length", (0, math.inf)),
    ],
)
def test_bad_values_are_named(name, values):
    good = {"max_lr": 0.1, "share_pruned": 0.2, "relative_norm": 0.1, "relative_length": 1}
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name} must be .*got {re.escape(repr(value))}$"):
            allr_max_lr(**good | {name: value})
