"""Durations: units, normal form, and what is none."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silo.duration import Duration

TABLE = [  # (text, normal form, count, unit, iterations at 7 steps an epoch)
    ("10ep", "10ep", 10, "ep", 70),
    ("10it", "10it", 10, "it", 10),
    ("0ep", "0ep", 0, "ep", 0),
    ("000it", "0it", 0, "it", 0),
    ("007ep", "7ep", 7, "ep", 49),
]
NONE = [
    10,
    10.0,
    None,
    "",
    "10",
    "ep",
    "10 ep",
    " 10ep",
    "10ep ",
    "10ep\n",
    "-1ep",
    "+1ep",
    "1.5ep",
    "1e3it",
    "10epochs",
]


@pytest.mark.parametrize(("text", "normal", "count", "unit", "iterations"), TABLE)
def test_reading(text, normal, count, unit, iterations):
    duration = Duration(text)
    assert (str(duration), duration.count, duration.unit, duration.iterations(7)) == (normal, count, unit, iterations)
    assert Duration(duration) == duration == normal


@pytest.mark.parametrize("value", NONE)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="its unit"):
        Duration(value)


@given(st.integers(0, 10**12 - 1), st.sampled_from(["ep", "it"]), st.integers(1, 10**4))
def test_every_count_survives_writing_and_copying(count, unit, steps):
    duration = Duration(f"{count}{unit}")
    for same in (duration, copy.deepcopy(duration), pickle.loads(pickle.dumps(duration))):
        assert (same.count, same.unit, same.iterations(steps)) == (count, unit, count * (steps if unit == "ep" else 1))
