"""Numbers are plain decimals: a spelling that YAML 1.1 reads as another number than most people do is refused everywhere."""

import pytest

from oracle.error import InputError
from oracle.experiment.yaml_text import parse_yaml

OCTAL = ["010", "064", "-001", "00", '!!int "010"', "!!int 1\u0660"]
OTHERS = ["1:30", "1:30.5", "1_000", "1__0", "1_0.5", "0x10", "0b11"]


@pytest.mark.parametrize("text", OCTAL + OTHERS)
@pytest.mark.parametrize("place", ["{}", "[1, {}]", "{{seeds: {}}}", "{{{}: 1}}"])
def test_another_spelling_is_refused(text, place):
    written = text.removeprefix("!!int ").strip('"')
    with pytest.raises(
        InputError, match=r"^--set x, line 1: must hold numbers as plain decimals, such as 10 or 5e-4, got "
    ) as error:
        parse_yaml(place.format(text), "--set x")
    assert f"got {written} (a text in quotes)" in str(error.value)


DECIMALS = {
    "10": 10,
    "+5": 5,
    "-7": -7,
    "0": 0,
    "0.5": 0.5,
    "00.5": 0.5,
    ".5": 0.5,
    "1.": 1.0,
    "5e-4": 5e-4,
    "01e3": 1000.0,
}


@pytest.mark.parametrize(("text", "value"), DECIMALS.items())
def test_a_decimal_is_itself(text, value):
    assert parse_yaml(text, "x") == value


def test_a_text_stays_a_text():
    assert parse_yaml('["010", "1:30", 08, 0o17, 010ep, 1_000it, 12:30 o\'clock]', "x") == [
        *("010", "1:30", "08", "0o17", "010ep", "1_000it", "12:30 o'clock")
    ]
