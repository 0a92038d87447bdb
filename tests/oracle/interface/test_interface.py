"""What Python and notebooks get: experiments, runs, results as tables; the page on it runs as it stands."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from experiments import TINY, changed, experiment, write
from matplotlib import pyplot
from published import RESULTS, published

import oracle
from oracle.interface.results import StudyResults
from oracle.report.tables.write import csv_text

ROOT = Path(__file__).parents[3]
SMALL = {"prune.cycles": 1, "oracle.seeds": 1, "oracle.grid": [0.03, 0.1]}

# a backend that isn't installed: nothing needs one to draw into axes that are given
FRESH = """
import os, sys
import oracle

loaded = {"torch", "ray", "optuna", "pandas", "matplotlib", "pydantic", "yaml"} & sys.modules.keys()
assert not loaded, loaded
assert callable(oracle.run) and dir(oracle).count("load_results") == 1
import oracle.run.idle as idle
assert callable(oracle.run) and oracle.run.idle is idle

results = oracle.load_results("results/digits-cnn")
import matplotlib
from matplotlib.figure import Figure
before = dict(matplotlib.rcParams)
results.plot.max_lr(Figure().subplots())
assert dict(matplotlib.rcParams) == before
assert os.environ["MPLBACKEND"] == matplotlib.rcParams["backend"] == "module://of_a_notebook"
assert not {"torch", "ray", "matplotlib.pyplot"} & sys.modules.keys()
"""


@pytest.fixture(scope="module")
def results():
    return StudyResults(published("digits-mlp"))


def test_to_import_it_takes_no_time_and_to_plot_chooses_no_backend():
    environment = os.environ | {"MPLBACKEND": "module://of_a_notebook"}
    subprocess.run([sys.executable, "-W", "error", "-c", FRESH], cwd=ROOT, env=environment, check=True)


def test_the_page_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    for name in ("benchmarks", "results"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "oracle/README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    held = {"__name__": "notebook"}
    exec("\n".join(blocks), held)
    assert held["complete"] is True and held["mean"].shape == (18, 12)
    assert repr(oracle.load_results("runs/small")) == "<results of digits-mlp: 6 of 6 trainings recorded>"
    assert held["right"].get_title() == "cycle 8" and held["ax"].get_ylim() == (94, 99)
    assert Path("growth.pdf").stat().st_size > 1000
    assert "6 of 6 trainings are recorded" in capsys.readouterr().out
    pyplot.close("all")


def test_the_page_names_every_table_and_plot(results):
    rows = re.findall(r"^\| `(\w+)", (ROOT / "oracle/README.md").read_text(encoding="utf-8"), re.MULTILINE)
    tables = [name for name, one in vars(StudyResults).items() if isinstance(one, property)]
    plots = [name for name in vars(type(results.plot)) if not name.startswith("_")]
    assert rows == [*(name for name in tables if name not in ("experiment", "notes")), *plots]


FILES = {
    "trainings": "cells",
    "intervals": "oracle",
    "comparison": "comparison",
    "policies": "policies",
    "verdicts": "verdicts",
    "cost": "cost",
    "optima": "optima",
    "losses": "losses",
}


@pytest.mark.parametrize(("table", "file"), FILES.items())
def test_a_table_is_the_published_one_and_its_columns_are_explained(results, table, file):
    frame = getattr(results, table)
    assert type(frame) is pd.DataFrame
    # to the last digits, in which other versions of numpy and scipy differ
    expected = pd.read_csv(RESULTS / f"digits-mlp/{file}.csv")
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(csv_text(frame))), expected, rtol=1e-8)
    names = re.findall(r"^ {4,}([a-z_]+(?:, [a-z_]+)*): ", getattr(StudyResults, table).__doc__, re.MULTILINE)
    explained = {name for part in names for name in part.split(", ")}
    inherited = set(results.intervals) if table == "comparison" else set()
    assert explained == set(frame) - inherited


def test_a_table_that_is_changed_changes_no_other(results):
    for name in FILES:
        before = csv_text(getattr(results, name))
        frame = getattr(results, name)
        frame.loc[:, frame.columns[-1]] = frame.iloc[0, -1]
        frame["more"] = 1
        assert csv_text(getattr(results, name)) == before


def test_a_notebook_shows_the_verdicts_and_what_is_open(results):
    assert all(claim in results._repr_markdown_() for claim in results.verdicts.claim)
    assert any("open" in note for note in results.notes)
    assert results.experiment.name == "digits-mlp"


def test_a_mapping_is_read_as_a_file_is(tmp_path):
    path, overrides = write(tmp_path), ["oracle.seeds=3"]
    from_file = oracle.load_experiment(path, overrides)
    assert from_file == oracle.load_experiment(str(path), overrides) == oracle.load_experiment(TINY, overrides)
    assert TINY["oracle"]["seeds"] == 2  # what was given stays
    grid, label = list(np.array([0.03, 0.1])), "5e-4"
    held = changed(TINY, {"oracle.grid": grid, "oracle.seeds": np.int64(2), "label": label})
    assert oracle.load_experiment(held) == experiment({"oracle.grid": [0.03, 0.1], "label": label})


def test_each_level_of_a_file_with_factors_is_an_experiment_that_can_be_run(tmp_path):
    path = write(tmp_path, {"factors": {"restart": {"keep": {"prune.restart": "keep"}}}})
    levels = oracle.load_levels(str(path), ["oracle.seeds=3"], ["restart/keep"])
    assert list(levels) == ["restart/keep"] and len(levels["restart/keep"].oracle.seeds) == 3
    assert list(oracle.load_levels(path)) == ["base", "restart/keep"]


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        (changed(TINY, {"prune.rate": 1.2}), [], "the experiment: prune.rate must be above 0 and below 1, got 1.2"),
        (
            changed(TINY, {"data.path": Path("x")}),
            [],
            "the experiment: must hold numbers, texts, lists and mappings alone",
        ),
        (changed(TINY, {"data.source": "a:b"}), [], "the experiment: data.source must lead to"),
        (TINY, ["seeds"], "--set must be FIELD=VALUE"),
        (TINY, "oracle.seeds=5", 'overrides must be a list of texts FIELD=VALUE, got "oracle.seeds=5"'),
        ("missing.yaml", [], "missing.yaml must be a readable YAML file"),
        (
            TINY | {"factors": {"epochs": {"x2": {"train.epochs": 6}}}},
            [],
            "the experiment: factors must be read by oracle.load_levels, which returns each level's experiment",
        ),
    ],
    ids=["field", "value", "import", "override", "overrides", "file", "factors"],
)
def test_what_is_wrong_with_an_experiment_is_one_line(source, overrides, message):
    with pytest.raises(oracle.InputError) as raised:
        oracle.load_experiment(source, overrides)
    assert str(raised.value).startswith(message) and "\n" not in str(raised.value)


def test_a_folder_without_results_is_one_line(tmp_path):
    with pytest.raises(
        oracle.InputError, match="must be a run folder, or one that `silo-oracle publish` made"
    ) as raised:
        oracle.load_results(f"{tmp_path}/two\nlines\x1b[2J")
    assert "two lines [2J" in str(raised.value)


def test_a_quiet_run_prints_nothing_and_its_page_says_that_it_was_made_in_python(tmp_path, capsys):
    held, folder = oracle.load_experiment(changed(TINY, SMALL)), tmp_path / "run"
    with pytest.raises(oracle.InputError, match="address must be None where local is True, got 'auto'"):
        oracle.run(held, folder, address="auto")
    assert not folder.exists()
    assert oracle.run(held, str(folder), quiet=True) is True
    assert oracle.run(held, folder, quiet=True) is True
    printed = capsys.readouterr()
    assert printed.out == printed.err == ""
    results = oracle.load_results(folder)
    assert results._results.made_by == "oracle.run"
    assert list(results.trainings.status) == ["done", "done"]  # SILO's max_lr is one of the values
    for other in (results.experiment, "tiny.yaml"):
        with pytest.raises(oracle.InputError, match=r"experiment must be what oracle\.load_experiment returned, got "):
            oracle.run(other, folder)
    with pytest.raises(oracle.InputError, match=r"must belong to this experiment, got another one: .*epochs"):
        oracle.run(oracle.load_experiment(changed(TINY, SMALL | {"train.epochs": 4})), folder, quiet=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_result'"):
        oracle.load_result  # noqa: B018
