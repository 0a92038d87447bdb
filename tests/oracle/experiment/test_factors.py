"""A file of several experiments: what each level is, and what is wrong with one in a line."""

import json

import pytest
import yaml
from experiments import TINY, changed, write
from jsonschema import Draft202012Validator

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.factors import file_schema, load_levels
from oracle.experiment.load import load

FACTORS = {
    "epochs": {"x2": {"train.epochs": 6, "train.shape": "cosine"}, "x4": {"train.epochs": 12}},
    "restart": {"keep": {"prune.restart": "keep", "silo": {"epsilon": 0.2, "delta": 0.1, "beta": 5, "delay": 1}}},
}
VALID = Draft202012Validator(file_schema())


def file_of(folder, changes=None):
    return write(folder, {"label": "MLP", "factors": FACTORS, **(changes or {})})


def test_each_level_is_the_file_s_own_experiment_but_for_what_it_sets(tmp_path):
    found = load_levels(file_of(tmp_path))
    alone = changed(TINY, {"label": "MLP"})
    assert found == {
        "base": load(alone),
        "epochs/x2": load(
            changed(alone, {"name": "tiny-epochs-x2", "label": "MLP, epochs x2", **FACTORS["epochs"]["x2"]})
        ),
        "epochs/x4": load(changed(alone, {"name": "tiny-epochs-x4", "label": "MLP, epochs x4", "train.epochs": 12})),
        "restart/keep": load(
            changed(alone, {"name": "tiny-restart-keep", "label": "MLP, restart keep", **FACTORS["restart"]["keep"]})
        ),
    }
    assert list(found) == ["base", "epochs/x2", "epochs/x4", "restart/keep"]


def test_overrides_hold_for_every_level_and_come_last(tmp_path):
    found = load_levels(file_of(tmp_path), ["train.epochs=4", "oracle.seeds=3"], ["epochs/x2", "base"])
    assert {level: (one.train.epochs, len(one.oracle.seeds)) for level, one in found.items()} == {
        "base": (4, 3),
        "epochs/x2": (4, 3),
    }


@pytest.mark.parametrize(
    ("overrides", "levels", "message"),
    [
        (["train.epochs=4"], (), "factors.epochs.x4 must differ from base in a field"),
        (
            ["train.epochs=4", "train.shape=cosine"],
            ["epochs/x2", "epochs/x4"],
            "epochs.x4 must differ from epochs/x2 in",
        ),
    ],
)
def test_a_level_that_is_another_one_is_refused_before_it_trains(tmp_path, capsys, overrides, levels, message):
    file = file_of(tmp_path)
    with pytest.raises(InputError, match=message):
        load_levels(file, overrides, levels)
    words = [f"--set={one}" for one in overrides] + [f"--level={one}" for one in levels]
    assert main(["run", str(file), "--local", "--out", str(tmp_path / "runs"), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "runs").exists()
    assert len(load_levels(file, overrides, ["epochs/x4"])) == 1


def test_a_file_without_factors_is_one_experiment(tmp_path):
    file = write(tmp_path)
    assert load_levels(file) == {"": load(file)}
    with pytest.raises(InputError, match="--level must be of a file that has factors"):
        load_levels(file, levels=["base"])


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({}, "factors must be a mapping of at least one name, got {}"),
        ([1], r"factors must be a mapping of at least one name, got \[1\]"),
        ({"a b": {"x": {"train.epochs": 2}}}, 'the names in factors must be letters.*got "a b"'),
        ({"a/b": {"x": {"train.epochs": 2}}}, 'the names in factors must be letters.*got "a/b"'),
        ({2: {"x": {"train.epochs": 2}}}, "the names in factors must be letters.*got 2"),
        ({"base": {"x": {"train.epochs": 2}}}, "factors must have other names than base"),
        ({"epochs": {}}, "factors.epochs must be a mapping of at least one name, got {}"),
        ({"epochs": {"..": {"train.epochs": 2}}}, r"the names in factors.epochs must be letters.*got \"\.\.\""),
        ({"epochs": {"compare": {"train.epochs": 2}}}, "levels must have other names than compare"),
        ({"epochs": {"x2": {}}}, "factors.epochs.x2 must be a mapping of fields.*got {}"),
        ({"epochs": {"x2": 30}}, "factors.epochs.x2 must be a mapping of fields.*got 30"),
        ({"epochs": {"x2": {2: 30}}}, "factors.epochs.x2 must be a mapping of fields"),
        ({"epochs": {"x2": {"name.x": 30}}}, 'factors.epochs.x2: name must be a mapping, got "tiny"'),
        (
            {"epochs": {"x2": {"train.epochs": 0}}},
            "epochs/x2: train.epochs must be at least 1 and at most 100000, got 0",
        ),
        ({"epochs": {"x2": {"train.epoch": 2}}}, "epochs/x2: .*epoch"),
    ],
)
def test_what_is_wrong_is_one_line_with_exit_code_2(tmp_path, capsys, factors, message):
    file = file_of(tmp_path, {"factors": factors})
    with pytest.raises(InputError, match=message) as raised:
        load_levels(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert main(["run", str(file), "--out", str(tmp_path / "runs")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "runs").exists()


@pytest.mark.parametrize("level", ["base", "epochs/x2"])
@pytest.mark.parametrize(("field", "value"), [("name", None), ("name", 5), ("label", 5)])
def test_a_level_s_name_and_label_must_be_the_file_s_own(tmp_path, level, field, value):
    file = file_of(tmp_path, {field: value}) if value else tmp_path / "unnamed.yaml"
    if not value:
        file.write_text(
            yaml.safe_dump({key: one for key, one in (TINY | {"factors": FACTORS}).items() if key != field})
        )
    with pytest.raises(InputError, match=field):
        load_levels(file, levels=[level])


def test_an_unknown_level_names_those_that_are_there(tmp_path):
    with pytest.raises(InputError, match=r"^--level must be one of base, epochs/x2, epochs/x4, restart/keep, got x2$"):
        load_levels(file_of(tmp_path), levels=["x2"])


def test_the_schema_takes_a_file_with_factors(tmp_path):
    assert list(VALID.iter_errors(yaml.safe_load(file_of(tmp_path).read_text()))) == []
    for wrong in (
        {},
        {"a b": {"x": {"train.epochs": 2}}},
        {"epochs": {"x2": {}}},
        {"epochs": {"x2": 3}},
        {"base": {"x": {"a": 1}}},
        {"epochs": {"compare": {"train.epochs": 2}}},
    ):
        assert list(VALID.iter_errors(json.loads(json.dumps(changed(TINY, {"factors": wrong})))))


def test_a_run_trains_every_level_and_compares_those_of_each_factor(tmp_path, capsys):
    small = {
        "prune.cycles": 2,
        "oracle.grid": [0.1, 0.3],
        "oracle.seeds": 1,
        "train.epochs": 1,
        "train.shape": "constant",
    }
    factors = {
        "epochs": {"x2": {"train.epochs": 2}, "x3": {"train.epochs": 3}},
        "restart": {"keep": {"prune.restart": "keep"}},
    }
    file, out = write(tmp_path, {**small, "factors": factors}), tmp_path / "runs"
    run = ["run", str(file), "--local", "--out", str(out)]
    assert main(run) == 0
    shown = capsys.readouterr().out
    headings = [line for line in shown.splitlines() if line.startswith("== ")]
    assert headings == [f"== {one}" for one in ("base", "epochs/x2", "epochs/x3", "restart/keep", "epochs", "restart")]
    for level in ("base", "epochs/x2", "epochs/x3", "restart/keep"):
        assert (out / level / "study.json").exists() and (out / level / "report" / "report.html").exists()
    page = (out / "epochs" / "compare" / "compare.md").read_text()
    assert all(f"epochs: {count}" in page for count in (1, 2, 3)) and "keep" not in page
    assert (out / "restart" / "compare" / "compare.md").exists()
    # a part of it is the same part, alone, and goes on in the same folder
    assert main([*run, "--level", "epochs/x2", "--set", "oracle.seeds=2"]) == 0
    assert main(["status", str(out / "epochs" / "x2")]) == 0
    assert "recorded: 8 of 8" in capsys.readouterr().out
    assert main(["status", str(out)]) == 2
    assert f"(it has no study.json; one is {out / 'base'})" in capsys.readouterr().err
