"""The command line where nothing is wrong: what each command prints, writes and returns."""

import json
import re
import shutil
import sys
from pathlib import Path

import experiments
import pytest
import torch

from oracle.cli.main import main
from oracle.experiment.load import load, validate
from oracle.study.study import claimed, new_study

SMALL = {
    "name": "small",
    "label": "MLP, digits",
    "train.epochs": 2,
    "train.shape": "constant",
    "prune.rate": 0.5,
    "prune.cycles": 2,
    "silo.epsilon": 0.05,
    "silo.delta": 0.0,
    "oracle.grid": [0.01, 0.1, 1.0],
    "oracle.seeds": [0, 3],
}
TRAININGS = 2 * 2 * 4  # cycles x seeds x (grid and SILO's)
TABLES = [
    f"{table}.{ending}"
    for table in ("comparison", "oracle", "policies", "policies-final", "optima", "losses")
    for ending in ("csv", "md", "tex")
]
PLOTS = [
    f"{plot}.{ending}" for plot in ("max_lr", "accuracy", "heat_map", "layers") for ending in ("png", "svg", "pdf")
]
REPORT = [
    "cells.csv",
    "cost.csv",
    "environment.json",
    "layers.csv",
    "report.html",
    "size.csv",
    "verdicts.csv",
    "verdicts.md",
    *TABLES,
    *PLOTS,
]
REPORT = sorted(REPORT)


def write(folder, changes=None):
    return experiments.write(folder, SMALL | (changes or {}))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A whole run, made where ray can't be imported: ``--local`` needs none."""
    home = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        assert main(["run", str(write(home)), "--local", "--out", str(home / "run")]) == 0
    return home / "run"


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A copy of it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return Path(shutil.copytree(finished, "run"))


@pytest.fixture
def say(capsys):
    """What a command prints; it must succeed and be silent on stderr."""

    def command(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return command


def tree(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def report_of(folder):
    """Without what tells of time, place and the file that was asked by."""
    return {
        path: content
        for path, content in tree(folder / "report").items()
        if path.name not in ("cost.csv", "report.html")
    }


def records(folder, **fields):
    """Paths of the records, of those cells that have these fields."""
    paths = sorted((folder / "records").glob("*.json"))
    return [path for path in paths if fields.items() <= json.loads(path.read_text())["cell"].items()]


def counts(status):
    """done, diverged, failed, running, missing by cycle."""
    return [tuple(map(int, line.split()[1:])) for line in status.splitlines()[1:] if line.split()[0].isdigit()]


# -- schedule and plan


def test_schedule_prints_the_released_values(tmp_path, say):
    path = write(
        tmp_path,
        {"prune.rate": 0.2, "prune.cycles": 25, "silo.epsilon": 0.03, "silo.delta": 0.04},
    )
    rows = [line.split() for line in say("schedule", path).splitlines()[1:]]
    grows = ["0.030039", "0.032132", "0.047611", "0.064461", "0.068929", "0.069775", "0.069947", "0.069987", "0.069996"]
    released = ["0.030000", "0.030000", *grows, "0.069999", *["0.070000"] * 13]
    assert [cycle for cycle, _, _ in rows] == [str(cycle) for cycle in range(25)]
    assert [max_lr for _, _, max_lr in rows] == released
    assert [rows[cycle][1] for cycle in (0, 1, 2, 3, 24)] == ["100.00", "80.00", "64.00", "51.20", "0.47"]


def test_schedule_of_a_list_of_rates_goes_by_the_weights_remaining_and_says_so(tmp_path, say):
    path = write(tmp_path, {"prune.rate": [0.9, 0.5], "prune.cycles": 3, "silo.delay": 0, "silo.beta": 1})
    *rows, text = say("schedule", path).splitlines()[1:]
    assert [row.split()[1] for row in rows] == ["100.00", "10.00", "5.00"]
    assert "weights remaining of those alive in cycle 0" in text


def test_schedule_follows_overrides(tmp_path, say):
    out = say("schedule", write(tmp_path), "--set", "prune.cycles=1", "--set", "silo.epsilon=0.5")
    assert out.split()[-3:] == ["0", "100.00", "0.500000"]


def test_plan_of_a_new_study_trains_and_writes_nothing(tmp_path, say, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path)
    before = tree(tmp_path)
    out = say("plan", path)
    assert tree(tmp_path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["small.yaml"]
    assert "1797 images (1079 train), 10 classes" in out
    assert f"{TRAININGS} trainings of 34 iterations" in out  # 2 epochs of 17
    assert "grid: 0.01, 0.1, 1" in out
    assert f"recorded: 0, failed: 0, missing: {TRAININGS}" in out
    assert "no training is recorded yet" in out


@pytest.mark.parametrize(
    ("changes", "recorded", "missing"),
    [
        ([], TRAININGS, 0),
        (["oracle.seeds=[0, 3, 4]"], TRAININGS, 8),
        (["prune.cycles=3"], TRAININGS, 8),
        (["oracle.grid=[0.01, 0.1, 0.3, 1.0]"], TRAININGS, 4),
        (["oracle.grid=[0.01, 0.1]", "oracle.seeds=[3]"], 6, 0),
    ],
)
def test_plan_counts_what_a_change_would_train(run, say, changes, recorded, missing):
    before = tree(run)
    out = say("plan", "small.yaml", "--out", run, *(word for change in changes for word in ("--set", change)))
    assert f"recorded: {recorded}, failed: 0, missing: {missing}" in out
    assert "a training took " in out
    assert tree(run) == before


@pytest.mark.parametrize(
    "grid",
    [
        {"low": 0.01, "high": 0.04, "points": 3},
        {"low": 0.01, "high": 0.04, "points": 3, "extra": [0.0112345678]},
        [0.01, 0.02, 0.04],
    ],
    ids=["points", "points and extra", "list"],
)
def test_what_plan_proposes_for_an_open_interval_can_be_done(tmp_path, say, grid):
    """Too low a grid: the interval is open above, and the proposed override adds values and loses none."""
    path = write(tmp_path, {"oracle": {"grid": grid, "seeds": 1, "tolerance": 0.0}, "prune.cycles": 1})
    out = tmp_path / "run"
    say("run", path, "--local", "--out", out)
    (proposed,) = re.findall(r"--set '([^']+)'", said := say("plan", path, "--out", out))
    recorded = re.search(r"recorded: \d+", said)[0]
    wider = say("plan", path, "--out", out, "--set", proposed)
    assert f"{recorded}, failed: 0, missing: 2" in wider
    assert ", 0.04, 0.08, 0.16\n" in wider
    assert proposed in (out / "report" / "verdicts.md").read_text()


def test_plan_says_what_a_study_cannot_tell(tmp_path, say):
    said = say("plan", write(tmp_path), "--set", "oracle.seeds=1", "--set", "data.limit.train=100")
    assert "one of 20 validation images is 5 points of accuracy" in said
    assert "too coarse to tell" in said
    assert "one seed tells no noise from difference" in said
    assert "in-sample" not in said
    fine = say("plan", write(tmp_path), "--set", "oracle.tolerance=5", "--set", "silo.chosen_on_seeds=[2, 3]")
    assert "in-sample: SILO's parameters were chosen on seed 3, which judge them" in fine
    assert "too coarse" not in fine
    assert "one seed" not in fine


def test_plan_says_what_few_trainings_of_a_search_cannot_tell(tmp_path, say):
    search = (
        "plan",
        write(tmp_path),
        "--set",
        "oracle.seeds=3",
        "--set",
        "oracle.grid={low: 0.01, high: 1, points: 9}",
    )
    assert "most values one seed" in say(*search, "--set", "oracle.search=adaptive")  # 7 trainings a cycle
    assert "most values" not in say(*search, "--set", "oracle.search={kind: adaptive, share: 0.5}")
    assert "most values" not in say(*search, "--set", "oracle.search=racing")


# -- run, status, report


def test_a_run_is_recorded_and_reported(finished):
    assert len(records(finished)) == TRAININGS
    assert sorted(path.name for path in (finished / "report").iterdir()) == REPORT
    assert not list(finished.rglob("*.tmp"))
    environment = json.loads(records(finished)[0].read_text())["environment"]
    assert environment["torch"] == torch.__version__
    assert environment["device"].startswith("CPU")


def test_a_second_run_trains_nothing_and_leaves_the_records_alone(run, say):
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in records(run)}
    attempts = tree(run / "attempts")
    out = say("run", "small.yaml", "--local", "--out", run)
    assert f"nothing to train: {TRAININGS} of {TRAININGS} trainings are recorded" in out
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in records(run)} == before
    assert tree(run / "attempts") == attempts


def test_the_run_folder_is_runs_name_where_none_is_said(tmp_path, say, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = ["--set", "prune.cycles=1", "--set", "oracle.seeds=1", "--set", "oracle.grid=[0.05]"]
    say("run", write(tmp_path), "--local", *one)
    assert len(records(Path("runs/small"))) == 1  # the only grid value is SILO's


def test_status(run, say):
    assert counts(say("status", run)) == [(8, 0, 0, 0, 0)] * 2


def test_status_of_a_study_that_has_not_begun(tmp_path, say):
    with claimed(new_study(load(write(tmp_path), []), tmp_path / "run", "small.yaml")):
        pass
    assert counts(say("status", tmp_path / "run")) == [(0, 0, 0, 0, 8)] * 2


def test_report_makes_the_same_files_again(run, say):
    before = tree(run / "report")
    shutil.rmtree(run / "report")
    out = say("report", run)
    assert tree(run / "report") == before
    verdict, table, files = map(
        out.index, ("Rival: one constant max_lr would not do: UNDECIDED", "Cycle", "report.html")
    )
    assert verdict < table < files and not re.search(r"\||\*\*|`", out)
    assert "not recorded yet" not in out


def test_a_report_drops_what_an_earlier_one_had_cause_for(run, say):
    before = report_of(run)
    for name in ("skipped.csv", "policies.png", "policies.svg"):
        (run / "report" / name).touch()  # of a search, and of baselines
    say("report", run)
    assert report_of(run) == before


def test_status_and_report_need_no_data(run, say):
    """Everything after the records works from them alone: the images may be on another machine."""
    before = report_of(run)
    study = json.loads((run / "study.json").read_text())
    data = {key: value for key, value in study["experiment"]["data"].items() if key != "source"}
    study["experiment"]["data"] = {"source": "folder", "path": "gone", **data}
    del study["checksum"]  # as versions wrote it that knew none
    (run / "study.json").write_text(json.dumps(study))
    say("report", run)
    assert report_of(run) == before
    assert counts(say("status", run)) == [(8, 0, 0, 0, 0)] * 2


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        ({"cycle": 1, "seed": 3}, 4),
        ({}, TRAININGS),
    ],
    ids=["some", "all"],
)
def test_a_half_finished_run_is_reported_and_says_what_is_missing(run, say, lost, missing):
    for path in records(run, **lost):
        path.unlink()
    note = f"Note: {missing} of {TRAININGS} trainings are not recorded yet; `silo-oracle run` trains them."
    assert note.replace("`", "") in say("report", run)
    assert note in (run / "report" / "verdicts.md").read_text()
    assert sorted(path.name for path in (run / "report").iterdir()) == REPORT
    assert len((run / "report" / "cells.csv").read_text().splitlines()) == 1 + TRAININGS - missing
    assert sum(cycle[-1] for cycle in counts(say("status", run))) == missing


def test_a_run_goes_on_and_ends_as_if_never_interrupted(run, say):
    before = report_of(run)
    for path in records(run)[::3]:
        path.unlink()
    say("run", "small.yaml", "--local", "--out", run)
    assert report_of(run) == before


def test_a_blocked_chain_is_told_beside_what_is_missing(tmp_path, say):
    """SILO diverges at once. That is an outcome, no failure: the run is complete."""
    path, out = write(tmp_path, {"silo.epsilon": 1e9}), tmp_path / "run"
    said = say("run", path, "--local", "--out", out)
    blocked = "SILO's chain, seed 3 is blocked from cycle 1 on: cycle 0 diverged at max_lr 1e+09"
    assert blocked in said
    assert "not recorded yet" not in said
    records(out, max_lr=1.0)[0].unlink()
    assert "Note: 1 of 8 trainings are not recorded yet" in say("report", out)
    status = say("status", out)
    assert sum(cycle[-1] for cycle in counts(status)) == 1
    assert "is blocked from cycle 1 on" in status


# -- publish


@pytest.fixture(scope="module")
def published(finished):
    folder = finished.parent / "results"
    assert main(["publish", str(finished), "--to", str(folder)]) == 0
    return folder


def test_what_is_published(published, finished):
    assert sorted(path.name for path in published.iterdir()) == sorted([*REPORT, "README.md", "experiment.json"])
    for path in (finished / "report").iterdir():
        assert (published / path.name).read_bytes() == path.read_bytes()
    held = json.loads((published / "experiment.json").read_text())
    assert validate(held["experiment"], "published") == load(finished.parent / "small.yaml", [])


def test_the_published_readme_says_what_it_is(published):
    readme = (published / "README.md").read_text()
    environment = json.loads((published / "environment.json").read_text())[0]
    assert readme.startswith("# MLP, digits\n")
    assert f"{TRAININGS} trainings, seeds 0, 3," in readme
    assert "experiment.json" in readme
    for what in ("device", "python", "torch", "numpy"):
        assert f"{what} {environment[what]}" in readme
    assert "**3. SILO does as well as the Oracle's best max_lr**: undecided." in readme
    assert (published / "comparison.md").read_text().splitlines()[-1] in readme
    images = re.findall(r"!\[.*?\]\((.*?)\)", readme)
    assert len(images) == 4
    assert all((published / image).is_file() for image in images)


def test_publishing_again_takes_the_place_of_a_former_unfinished_one(run, published, say, capsys):
    (lost,) = records(run, cycle=1, seed=3, max_lr=1.0)
    kept = lost.read_bytes()
    lost.unlink()
    assert "Published: results/small" in say("publish", run)
    assert f"Note: 1 of {TRAININGS} trainings are not recorded yet" in Path("results/small/README.md").read_text()
    lost.write_bytes(kept)
    Path("results/small/policies.png").write_bytes(b"")  # of when it had baselines
    say("publish", run)
    Path("file").touch()
    assert main(["publish", str(run), "--to", "file/to/there"]) == 2
    assert re.search("file/to must .*, got a file$", capsys.readouterr().err)
    assert {path.name: text for path, text in tree("results/small").items()} == {
        path.name: text for path, text in tree(published).items()
    }
