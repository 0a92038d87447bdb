"""Several runs side by side: in what their experiments differ, their labels, and that all numbers are each run's own."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from experiments import changed, experiment
from made import made_data
from published import RESULTS, published

from oracle.analysis.compare import compare, load_comparison
from oracle.analysis.differences import MISSING, find_differences, value_text
from oracle.analysis.findings import verdicts_table
from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.imported import Imported
from oracle.experiment.load import validate
from oracle.stats.path import excess
from silo.schedule import SiloSchedule

CNN = "digits-cnn"


def differences(*changes, data=None):
    """The differences of the tiny experiment with each of these changes."""
    return find_differences([experiment(one) for one in changes], data or [made_data()] * len(changes))


def as_dict(found):
    return {one.field: one.values for one in found}


def variant(data=None, **changes):
    """Published results as if their experiment had other fields, a dot in a field's path written as two underscores."""
    results = published(CNN)
    fields = {path.replace("__", "."): value for path, value in changes.items()}
    tree = changed(results.experiment.redacted(), fields)
    other = validate(tree, "test", context=Imported(code={}, max_lr={}))
    return replace(results, experiment=other, data=data or results.data)


def labels(*results):
    return [run.label for run in compare(results, [f"at/{number}" for number in range(len(results))]).runs]


def notes_of(*results):
    return [str(note) for note in compare(results, [f"at/{number}" for number in range(len(results))]).notes]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (({}, {"train.epochs": 30}, {"train.epochs": 60}), {"train.epochs": ("3", "30", "60")}),
        (({}, {"prune.criterion": "random"}), {"prune.criterion": ("magnitude", "random")}),
        (  # a component of another kind is one difference
            ({}, {"prune.restart": "reinit"}),
            {"prune.restart": ("rewind (to: 0it)", "reinit (keep_statistics: false)")},
        ),
        (({}, {"prune.restart": {"kind": "rewind", "to": "5it"}}), {"prune.restart.to": ("0it", "5it")}),
        (
            ({}, {"model": {"name": "small-cnn", "width": 8}}),
            {"model": ("mlp (init: kaiming, hidden: [16])", "small-cnn (init: kaiming, width: 8)")},
        ),
        (({}, {"model.hidden": [8, 8]}), {"model.hidden": ("[16]", "[8, 8]")}),
        (  # however the grid is written
            ({"oracle.grid": [0.1, 1.0]}, {"oracle.grid": {"low": 0.1, "high": 1.0, "points": 2}}),
            {},
        ),
        (
            ({"oracle.grid": {"low": 0.1, "high": 1.0, "points": 9}}, {"oracle.grid": [0.1, 1.0]}),
            {"oracle.grid": ("0.1, 0.1334, ..., 1 (9)", "[0.1, 1]")},
        ),
        (  # by the baseline's name, whatever else it has
            ({"policies.baselines": {"flat": {"max_lr": 0.1}}}, {}),
            {"policies.baselines.flat": ("{max_lr: constant (value: 0.1)}", MISSING)},
        ),
        (
            ({"train.epochs": 3, "prune.rate": 0.5}, {"train.epochs": 6}),
            {"train.epochs": ("3", "6"), "prune.rate": ("0.5", "0.2")},
        ),
        (  # what changes no number
            ({}, {"name": "other", "label": "another", "compute": {"workers": 1}, "silo.chosen": "by hand"}),
            {},
        ),
    ],
)
def test_what_differs(changes, expected):
    assert as_dict(differences(*changes).fields) == expected


def test_durations_that_go_with_the_epochs_are_no_difference_of_their_own():
    shape = {"kind": "warmup-step", "warmup": "2ep", "drops": {"4ep": 0.1}}
    found = differences({}, {"train.epochs": 6, "train.shape": shape})
    assert as_dict(found.fields) == {"train.epochs": ("3", "6")}
    stretched = {"train.shape.warmup": ("1ep", "2ep"), "train.shape.drops": ("{2ep: 0.1}", "{4ep: 0.1}")}
    assert as_dict(found.stretched) == stretched
    for other in ({"warmup": "1ep", "drops": {"5ep": 0.1}}, {"warmup": "2ep", "drops": {"4ep": 0.2}}):
        found = differences({}, {"train.epochs": 6, "train.shape": shape | other})
        assert "train.shape.drops" in as_dict(found.fields)
        assert ("train.shape.warmup" in as_dict(found.stretched)) is (other["warmup"] == "2ep")


def test_where_equal_data_lies_is_none_and_other_data_is_one():
    folder = {"source": "folder", "path": "here"}
    one, same = made_data(), made_data(digest="another")
    assert not differences({}, {"data": folder}).fields
    assert as_dict(differences({}, {"data": folder}, data=[one, same]).fields) == {
        "data.source": ("digits", "folder (path: here)")
    }
    there = {"data": folder | {"path": "there"}}
    assert as_dict(differences({"data": folder}, there, data=[one, same]).fields) == {"data.path": ("here", "there")}
    assert list(as_dict(differences({}, {}, data=[one, same]).fields)) == ["data.digest"]


def test_imported_code_that_differs_is_said():
    trees = [experiment().redacted() | {"model": {"name": "mine:net", "init": "default"}}] * 2
    codes = [Imported(code={"mine:net": {"mine": code}}, max_lr={}) for code in ("a", "b")]
    recorded = [validate(tree, "test", context=code) for tree, code in zip(trees, codes, strict=True)]
    assert list(as_dict(find_differences(recorded, [made_data()] * 2).fields)) == ["code.mine:net"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (0.123456789, "0.123456789"),
        (True, "true"),
        (None, MISSING),
        ("a\n\x1bb", "a b"),
        (list(range(9)), "0, 1, ..., 8 (9)"),
        ({"kind": "rewind", "to": "5it", "more": None}, "rewind (to: 5it)"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_a_value_in_words(value, text):
    assert value_text(value) == text


def test_long_lists_of_equal_ends_are_told_apart():
    seeds = [[1, 2, *middle, 99] for middle in ([3, 4, 5, 6], [3, 4, 5, 7])]
    (found,) = differences(*({"oracle.seeds": one} for one in seeds)).fields
    assert len(set(found.values)) == 2


def test_runs_are_labelled_by_the_one_thing_and_sorted_by_it_where_it_is_a_number():
    assert labels(variant(train__epochs=16), variant(train__epochs=9), variant()) == [
        *("epochs: 8", "epochs: 9", "epochs: 16")
    ]
    assert labels(variant(), variant(prune__restart={"kind": "rewind", "to": "0it"})) == [
        "restart: reinit",
        "restart: rewind",
    ]
    # whatever else is tried or judged, the trainings differ in one thing
    tried = variant(train__epochs=16, oracle__grid=[0.1, 1.0], silo__epsilon=0.2, prune__cycles=5)
    assert labels(tried, variant()) == ["epochs: 8", "epochs: 16"]
    assert labels(variant(silo__epsilon=0.4), variant(silo__epsilon=0.2)) == ["epsilon: 0.2", "epsilon: 0.4"]
    two = variant(name="other", train__epochs=16, prune__rate=0.5)
    assert labels(variant(), two) == ["digits-cnn", "other"]
    assert labels(variant(), variant(train__epochs=16, prune__rate=0.5)) == ["at/0", "at/1"]


def test_labels_of_any_length_are_different_ones():
    long = "x" * 90
    found = labels(
        variant(name=f"a{long}"), variant(name=f"b{long}", train__epochs=9, prune__rate=0.5), published("digits-mlp")
    )
    assert len(set(found)) == 3 and max(map(len, found)) <= 40


def test_every_number_is_the_runs_own():
    runs = [published("cifar10-policies"), published(CNN), published("digits-mlp-adaptive")]
    found = compare(runs, ["a", "b", "c"])
    growth = found.growth.set_index("run")
    for run, results in zip(found.runs, runs, strict=True):
        for stacked, own in (
            (found.verdicts, verdicts_table(results.verdicts)),
            (found.accuracy, results.policies),
        ):
            of_run = stacked[stacked.run == run.label].drop(columns="run")
            assert of_run.to_csv(index=False) == own.to_csv(index=False)
        own = found.optima[(found.optima.run == run.label) & found.optima.optimum.notna()]
        assert own[["cycle", "optimum", "low", "high"]].to_numpy().tolist() == (
            results.optima[["cycle", "optimum", "low", "high"]].to_numpy(float).tolist()
        )
        numbers = {one.name: one for one in results.verdicts[0].quantities}
        for name, column in (
            ("growth along SILO's curve", "growth"),
            ("exponent a of max_lr ~ density^-a", "exponent"),
        ):
            ends = growth.loc[run.label, [column, f"{column}_low", f"{column}_high"]].astype(float).tolist()
            one = numbers.get(name)
            assert np.isnan(ends).all() if one is None else ends == [one.estimate, one.low, one.high]
    assert growth.judged.tolist() == [10, 10, 0]


def ratios(*results):
    growth = compare(results, [f"at/{number}" for number in range(len(results))]).growth
    return growth[["ratio", "ratio_low", "ratio_high"]].to_numpy(float)


def test_growth_is_a_multiple_of_the_first_run_s():
    levels = [published(f"mnist1d-mlp-factors/{level}") for level in ("base", "epochs/x2", "epochs/x4")]
    found = ratios(*levels)
    assert np.isnan(found[0]).all()
    slopes = [one.findings.judged.growth.growth for one in levels]
    for row, slope in zip(found[1:], slopes[1:], strict=True):
        more = excess(slope, slopes[0])
        assert row.tolist() == np.exp2([more.estimate, more.low, more.high]).tolist()
    assert found[2].round(3).tolist() == [0.683, 0.403, 1.238]


def test_the_base_is_the_run_that_was_named_first_wherever_it_stands():
    longest, base = (published(f"mnist1d-mlp-factors/{level}") for level in ("epochs/x4", "base"))
    found = compare([longest, base], ["a", "b"])
    assert [run.label for run in found.runs] == ["epochs: 15", "epochs: 60"] and found.base.label == "epochs: 60"
    assert found.growth.ratio.round(3).tolist()[0] == pytest.approx(1 / 0.683, abs=0.001)
    assert np.isnan(found.growth.ratio[1])


def _with_silo(results, silo):
    """The results as if SILO had had these max_lr."""
    return replace(results, findings=replace(results.findings, measured=replace(results.findings.measured, silo=silo)))


def test_growth_is_only_compared_along_one_form_over_the_same_weights():
    base, other = (published(f"mnist1d-mlp-factors/{level}") for level in ("base", "epochs/x2"))
    silo = other.findings.measured.silo
    assert np.isfinite(ratios(base, _with_silo(other, 3 * silo))[1]).all()  # from another epsilon, the same
    assert np.isnan(ratios(base, published("cifar10-policies"))[1]).all()  # fewer cycles
    assert np.isnan(ratios(base, _with_silo(other, silo**1.2))[1]).all()  # higher
    late = SiloSchedule(0.2582, 0.3443, 5.0, 4, 0.2)  # as high, by another way
    assert np.isnan(ratios(base, _with_silo(other, np.array([late.max_lr(m) for m in range(12)])))[1]).all()
    growth = replace(other.findings.judged.growth, growth=None)
    untold = replace(other, findings=replace(other.findings, judged=replace(other.findings.judged, growth=growth)))
    assert np.isnan(ratios(base, untold)[1]).all()
    assert np.isnan(ratios(base, replace(other, findings=replace(other.findings, level=0.04)))[1]).all()


def test_what_limits_a_comparison_is_noted():
    two = variant(train__epochs=9, silo__chosen_on_seeds=[10])
    other = replace(two, environments=[{"device": "GPU", "trainings": 3}], notes=["It is half done."])
    notes = notes_of(published(CNN), other)
    assert any("device is CPU, AVX512 | GPU" in note for note in notes)
    assert "epochs: 9: It is half done." in notes
    assert any(note.startswith("epochs: 9:") and "in-sample" in note for note in notes)
    assert not any("data" in note for note in notes)
    elsewhere = variant(data=replace(two.data, digest="another"))
    assert any("The data isn't the same" in note for note in notes_of(two, elsewhere))
    assert any("nothing is estimated of claim 2" in note for note in notes)


def test_the_same_run_is_refused_however_it_is_named(tmp_path):
    shutil.copytree(RESULTS / CNN, tmp_path / "copy")
    (tmp_path / "link").symlink_to(tmp_path / "copy")
    for one, other in (("copy", "copy/../copy"), ("copy", "link"), ("copy", RESULTS / CNN)):
        with pytest.raises(InputError, match=r"^DIR must be a different run each, got .*copy"):
            load_comparison([tmp_path / one, tmp_path / other])


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([CNN], "DIR must be at least two folders, got 1"),
        ([CNN, "power"], "power must be a run folder, or one that `silo-oracle publish` made"),
        (["nowhere", CNN], "nowhere must be a run folder"),
        ([CNN, "README.md"], "README.md must be a run folder"),
    ],
)
def test_what_can_not_be_compared_is_refused_in_one_line(folders, message, tmp_path, capsys):
    arguments = ["compare", *(str(RESULTS / folder) for folder in folders), "--to", str(tmp_path / "to")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not Path(tmp_path / "to").exists()
