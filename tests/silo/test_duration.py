"""Durations: units, normal form, and what is none."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silo.duration import Duration

TABLE = [  # (text, normal form, count, unit, iterations at 7 steps an epoch of 5)
    ("10ep", "10ep", 10, "ep", 70),
    ("10it", "10it", 10, "it", 10),
    ("0ep", "0ep", 0, "ep", 0),
    ("000it", "0it", 0, "it", 0),
    ("007ep", "7ep", 7, "ep", 49),
    ("10%", "10%", 10, "%", 3),  # the whole iterations in 3.5
    ("0%", "0%", 0, "%", 0),
    ("020%", "20%", 20, "%", 7),
    ("29%", "29%", 29, "%", 10),  # of 10.15
    ("100%", "100%", 100, "%", 35),
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
    "101%",
    "12.5%",
    "10 %",
    "%",
    "0.1",
]


@pytest.mark.parametrize(("text", "normal", "count", "unit", "iterations"), TABLE)
def test_reading(text, normal, count, unit, iterations):
    duration = Duration(text)
    assert (str(duration), duration.count, duration.unit, duration.iterations(7, 5)) == (
        normal,
        count,
        unit,
        iterations,
    )
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


def test_a_share_is_exact_whatever_the_number():
    """By whole numbers: 0.29 * 100 is 28.999999999999996."""
    for percent in range(101):
        duration = Duration(f"{percent}%")
        assert duration.iterations(10, 10) == percent
        assert duration.iterations(563, 50) == percent * 28150 // 100


def test_a_share_needs_the_cycle():
    with pytest.raises(ValueError, match=r"epochs.*10%"):
        Duration("10%").iterations(7)
