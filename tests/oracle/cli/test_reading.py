"""Reading a finished run needs neither torch nor the code that its experiment names: a co-author has none, and a stranger's
would run.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from experiments import text
from own_package import OWN, PACKAGE, forget
from packages import needs
from trained import train

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.load import load, recorded_experiment
from oracle.hashing import sealed
from oracle.study.study import open_study

# Every command that reads: a run folder, another that takes its records, and what is published of it.
READING = """
import sys

for module in sys.argv[1].split():
    sys.modules[module] = None  # to import it raises

import blank
import oracle.fit.curve
import oracle.report.compare
import oracle.report.report
from oracle.cli.main import main

oracle.report.report.save = oracle.report.compare.save = blank.save
oracle.fit.curve.TRIALS = 10
most, run, other, out = sys.argv[2:]
commands = [
    ["status", run],
    ["report", run],
    ["publish", run, "--to", f"{out}/published"],
    ["merge", other, run],
    ["table", run, "--to", f"{out}/table"],
    ["table", f"{out}/published", "--to", f"{out}/table"],
    ["fit", run, "--to", f"{out}/fit"],
    ["export", run, "--optuna", f"{out}/run.db"],
    ["export", f"{out}/published", "--optuna", f"{out}/published.db"],
    ["compare", run, other, "--to", f"{out}/compare"],
]
codes = {" ".join(command): main(command) for command in commands[: int(most)]}
assert not any(codes.values()), codes
"""
BASELINES = {
    "rising": {"max_lr": {"kind": "own.rules:Rising", "start": 0.05, "step": 0.05}},
    "triangle": {"max_lr": 0.1, "shape": "own.rules:Triangle", "restart": "own.rules:Again"},
}
STRANGE = "from pathlib import Path\n\nPath(__file__).with_name('marker').touch()\nraise SystemExit('ran')\n"


def read(cwd, blocked, *folders, most=10):
    """Run the first commands of READING in another process and folder; returns its output."""
    command = [sys.executable, "-c", READING, blocked, str(most), *map(str, folders)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def edit(path, **fields):
    """Give fields of a JSON file other values, as if it had been written so; None: take them out."""
    held = json.loads(path.read_text()) | fields | {"checksum": None}
    path.write_text(json.dumps(sealed({name: value for name, value in held.items() if value is not None})))


@pytest.fixture(scope="module")
def own_run(tmp_path_factory):
    """A home with one's own package, and a whole run there: all that can be imported is, also by baselines."""
    home = tmp_path_factory.mktemp("own")
    (home / "own").mkdir()
    for name, source in PACKAGE.items():
        (home / "own" / name).write_text(source)
    (home / "e.yaml").write_text(text(OWN | {"policies.baselines": BASELINES, "oracle.grid": [0.03, 0.1, 0.3, 1.0]}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sys, "path", [entry for entry in sys.path if entry != ""])
        patch.setattr(sys, "dont_write_bytecode", True)
        assert main(["run", "e.yaml", "--local", "--out", "run"]) == 0
        assert main(["publish", "run", "--to", "published"]) == 0
        assert main(["table", "published", "--to", "table"]) == 0
    forget()
    return home


@pytest.fixture
def home(own_run, tmp_path, monkeypatch):
    """A copy of it, in which one is."""
    copy = Path(shutil.copytree(own_run, tmp_path / "home"))
    monkeypatch.chdir(copy)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != ""])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield copy
    forget()


@pytest.fixture
def refused(capsys):
    """The one line of a command that is refused."""

    def command(*arguments):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        return err

    return command


# -- what is recorded of it


def test_nothing_more_is_recorded_of_an_experiment_that_imports_nothing(tiny, tmp_path):
    train(tiny, tmp_path / "run", "prune.cycles=1", "oracle.grid=[0.1]", "oracle.seeds=1")
    assert list(json.loads((tmp_path / "run" / "study.json").read_text())) == [
        "origin",
        "experiment",
        "data",
        "training",
        "checksum",
    ]


# -- without torch, and without the code


@pytest.mark.parametrize("state", ["edited", "deleted"])
def test_reading_imports_nothing_that_a_folder_names(home, tmp_path, monkeypatch, state):
    """The module could be imported, if anybody tried: PYTHONPATH leads to it, and it leaves a marker."""
    needs("optuna")
    before = files("run")
    for path in (home / "own").glob("*.py"):
        if state == "deleted":
            path.unlink()
        else:
            path.write_text(STRANGE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (home, *Path(__file__).parents[2:4]))))
    shutil.copytree("run", "other")
    held = json.loads(Path("other/study.json").read_text())
    held["experiment"]["oracle"]["tolerance"] = 2.0  # what `compare` finds
    edit(Path("other/study.json"), experiment=held["experiment"])
    folders = (home / "run", home / "other", tmp_path / "out")
    if state == "deleted":  # what is read is the same for all that follow
        read(elsewhere, "torch own", *folders, most=3)
    else:
        read(elsewhere, "torch torchvision", *folders)
    assert not (home / "own" / "marker").exists()
    assert {path: content for path, content in files("run").items() if before[path] != content} == {}
    assert files(tmp_path / "out" / "published") == files("published")
    if state == "edited":
        assert files(tmp_path / "out" / "table") == files("table")


def test_the_strange_module_would_be_noticed(home):
    """What trains and plans does import it: the test above looks at the right place."""
    (home / "own" / "nets.py").write_text(STRANGE)
    assert main(["plan", "e.yaml", "--out", "run"]) == 2
    assert (home / "own" / "marker").exists()


def test_what_is_read_is_what_was_trained(home):
    """The recorded experiment has the identity of every baseline, and its schedule's max_lr."""
    there, here = open_study(home / "run").experiment, load(home / "e.yaml", [])
    assert there.redacted() == here.redacted()
    for name in BASELINES:
        assert there.under(name).training("data") == here.under(name).training("data")
        schedules = (there.baseline_schedule(name), here.baseline_schedule(name))
        assert len({tuple(one.max_lr(cycle) for cycle in range(3)) for one in schedules}) == 1
    assert there.imported == here.imported
    with pytest.raises(KeyError):
        there.model.make(1, 8, 2)


@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_needs_the_code_refuses_another(home, refused, command):
    (home / "own" / "nets.py").write_text(PACKAGE["nets.py"] + "\n# changed\n")
    line = refused(command, "e.yaml", "--out", "run")
    assert "the source of own.nets has changed" in line


def test_a_schedule_that_trained_otherwise_is_not_merged(home, refused):
    shutil.copytree("run", "other")
    held = json.loads(Path("other/study.json").read_text())["imported"]
    held["max_lr"]["rising"][1] = 0.2
    edit(Path("other/study.json"), imported=held)
    assert "policies.max_lr.rising is " in refused("merge", "run", "other")


def flat(held):
    """The schedule of a baseline that imports none."""
    return held["experiment"]["policies"]["baselines"]["triangle"]["max_lr"]


# -- folders of versions that did not record it


def test_a_run_folder_without_it_says_what_brings_it_up_to_date(home, refused, capsys):
    study = Path("run/study.json")
    complete = study.read_bytes()
    edit(study, imported=None)
    line = refused("status", "run")
    assert "run/study.json: data.split.kind must be recorded" in line and "`silo-oracle run`" in line
    assert main(["run", "e.yaml", "--local", "--out", "run"]) == 0
    assert study.read_bytes() == complete
    assert main(["status", "run"]) == 0


def test_a_publication_without_it_says_so(home, refused):
    edit(Path("published/experiment.json"), imported=None)
    line = refused("table", "published", "--to", "table")
    assert "published/experiment.json: data.split.kind must be recorded" in line and "`publish`" in line


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda held: held["imported"]["max_lr"].pop("rising"),
            r"policies.baselines.rising.max_lr must .*`silo-oracle run`",
        ),
        (lambda held: flat(held).update(vale=0.1), r"policies.baselines.triangle.max_lr must .*vale"),
        (lambda held: flat(held).update(value=-1), r"policies.baselines.triangle.max_lr must .*-1"),
        (lambda held: flat(held).update(value="x"), r"policies.baselines.triangle.max_lr must .*x"),
        (lambda held: held["imported"]["max_lr"].update(rising=[0.1]), r"policies.baselines.rising.max_lr.* cycle 1"),
        (lambda held: held["imported"]["max_lr"].update(rising=[-1.0]), r"max_lr.rising.0 must .*-1.0"),
        (lambda held: held["imported"]["code"].pop("own.nets:keep"), r"model.init must be recorded.*own.nets:keep"),
        (lambda held: held.update(imported=[]), r"imported: must be a mapping"),
        (lambda held: held["experiment"]["model"].update(width=float("nan")), r"model.width must hold finite.*NaN"),
        (lambda held: held["experiment"]["model"].update(name="resnet2"), r"model.name must .*did you mean resnet20"),
        (lambda held: held["experiment"]["prune"].update(criterion=3), r"prune.criterion must be a string, got 3"),
    ],
)
def test_a_damaged_record_is_one_line(home, spoil, message):
    held = json.loads(Path("run/study.json").read_text())
    spoil(held)
    with pytest.raises(InputError, match=f"^HERE: .*{message}|^HERE: {message}"):
        recorded_experiment(held, "HERE")
