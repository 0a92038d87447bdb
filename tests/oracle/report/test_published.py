"""Published figures: read from a file, placed at their cycles; what is wrong with a file is one line."""

import numpy as np
import pandas as pd
import pytest

from oracle.error import InputError
from oracle.report.tables.published import read_published

WEIGHTS = [100 * 0.8**cycle for cycle in range(25)]
EXPERIMENTS = {
    "resnet20-cifar10": pd.DataFrame({"policy": "SILO", "cycle": range(25), "weights_remaining": WEIGHTS}),
    "half-done": pd.DataFrame({"policy": "SILO", "cycle": range(3), "weights_remaining": [100.0, 80.0, np.nan]}),
}
HEAD = 'source: "Table 3\n  of A & B, page 8"\nexperiment: resnet20-cifar10\n'


@pytest.fixture
def published(tmp_path):
    """Read a file with this text; errors without its folder."""

    def read(text):
        path = tmp_path / "p.yaml"
        path.write_text(text)
        try:
            return read_published(path, EXPERIMENTS)
        except InputError as error:
            raise InputError(str(error).replace(f"{path}", "p.yaml")) from error

    return read


def test_figures_are_rows_at_the_cycle_whose_weights_are_written(published):
    text = HEAD + "accuracy: {SILO: {100: 91.2, 51.2: [91.0, 0.25]}, 'LR-warmup': {33: 90, 0.472: 10.5}}"
    name, rows = published(text)
    assert name == "resnet20-cifar10"
    source = "Table 3 of A & B, page 8"
    expected = pd.DataFrame(
        [
            ("SILO", 0, 100.0, 91.2, np.nan, source),
            ("SILO", 3, WEIGHTS[3], 91.0, 0.25, source),
            ("LR-warmup", 5, WEIGHTS[5], 90.0, np.nan, source),
            ("LR-warmup", 24, WEIGHTS[24], 10.5, np.nan, source),
        ],
        columns=["policy", "cycle", "weights_remaining", "test", "test_std", "source"],
    )
    pd.testing.assert_frame_equal(rows, expected)


@pytest.mark.parametrize(
    ("written", "cycle"), [("80", 1), ("80.0", 1), ("41", 4), ("41.0", 4), ("40.96", 4), ("4.4", 14), ("4.398", 14)]
)
def test_weights_match_when_rounded_as_written(published, written, cycle):
    assert published(HEAD + f"accuracy: {{SILO: {{{written}: 1}}}}")[1].cycle.tolist() == [cycle]


def one_line(error, *parts):
    """Whether an error is one line that begins with the file and holds the parts."""
    line = str(error)
    return line.startswith("p.yaml") and "\n" not in line and all(part in line for part in parts)


PERCENTAGE = "must be a percentage from 0 to 100, or [mean, standard deviation]"
NO_CYCLE = "must be the weights remaining (%) of a cycle; nearest:"


@pytest.mark.parametrize(
    ("accuracy", "field", "parts"),
    [
        ("{SILO: {41.1: 1}}", "accuracy.SILO.41.1", (NO_CYCLE, "51.2 (cycle 3), 41 (cycle 4)", "got 41.1")),
        ("{SILO: {0.5: 1}}", "accuracy.SILO.0.5", (NO_CYCLE, "0.59 (cycle 23), 0.472 (cycle 24)", "got 0.5")),
        ("{SILO: {90: 1}}", "accuracy.SILO.90", (NO_CYCLE, "100 (cycle 0), 80 (cycle 1)", "got 90")),
        ("{SILO: {51: 1, 51.2: 2}}", "accuracy.SILO.51.2", ("another cycle than accuracy.SILO.51,", "got cycle 3")),
        ("{SILO: {100: 101}}", "accuracy.SILO.100", (PERCENTAGE, "101")),
        ("{SILO: {100: -1}}", "accuracy.SILO.100", (PERCENTAGE, "-1")),
        ("{SILO: {51.2: .nan}}", "accuracy.SILO.51.2", (PERCENTAGE, "NaN")),
        ("{SILO: {100: true}}", "accuracy.SILO.100", (PERCENTAGE, "true")),
        ("{SILO: {100: '91'}}", "accuracy.SILO.100", (PERCENTAGE, '"91"')),
        ("{SILO: {100: [91]}}", "accuracy.SILO.100", (PERCENTAGE, "[91]")),
        ("{SILO: {100: [91, 0.1, 2]}}", "accuracy.SILO.100", (PERCENTAGE, "[91, 0.1, 2]")),
        ("{SILO: {100: [91, -0.1]}}", "accuracy.SILO.100", (PERCENTAGE, "[91, -0.1]")),
        ("{SILO: {0: 1}}", "accuracy.SILO", (" 0",)),
        ("{SILO: {120: 1}}", "accuracy.SILO", (" 100",)),
        ("{SILO: {dense: 1}}", "accuracy.SILO", ("a number",)),
        ("{SILO: {}}", "accuracy.SILO", ("must not be empty",)),
        ("{}", "accuracy", ("must not be empty",)),
        ("{SILO: 91}", "accuracy.SILO", ("91", "a mapping")),
    ],
)
def test_what_is_wrong_with_a_figure_is_one_line(published, accuracy, field, parts):
    with pytest.raises(InputError) as raised:
        published(HEAD + f"accuracy: {accuracy}")
    assert one_line(raised.value, f"p.yaml: {field}", *parts)


FIGURES = "accuracy: {SILO: {100: 91}}"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"experiment: half-done\n{FIGURES}", ("source is missing",)),
        (f"source: ' '\nexperiment: half-done\n{FIGURES}", ("source", '" "', "must not be empty")),
        (f"source: a\n{FIGURES}", ("experiment is missing",)),
        (
            f"source: a\nexperiment: resnet20\n{FIGURES}",
            ("experiment", "resnet20", "did you mean resnet20-cifar10?", "resnet20-cifar10, half-done"),
        ),
        (HEAD + "accurracy: {}", ("accurracy", "did you mean accuracy?", "source, experiment, accuracy")),
        (HEAD + "accuracy: {SILO: {100: 1, 100.0: 2}}", ("line 4", "100", "twice")),
        (HEAD + f"{FIGURES}\n{FIGURES}", ("line 5", "accuracy", "twice")),
        ("[]", ("a mapping", "source, experiment, accuracy")),
        (
            "source: a\nexperiment: half-done\naccuracy: {SILO: {64: 1}}",
            ("accuracy.SILO.64", NO_CYCLE, "100 (cycle 0), 80 (cycle 1)", "got 64"),
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(published, text, parts):
    with pytest.raises(InputError) as raised:
        published(text)
    assert one_line(raised.value, *parts)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"none\.yaml.*No such file or directory"):
        read_published(tmp_path / "none.yaml", EXPERIMENTS)


def test_a_yaml_merge_is_no_duplicate(published):
    text = HEAD + "accuracy: {SILO: &s {100: 91, 80: 90}, other: {<<: *s, 80: 85}}"
    assert published(text)[1].test.tolist() == [91, 90, 91, 85]
