"""Every command of the pages is executed: those of silo-oracle here, in the order in which a reader meets them."""

import re
import shlex
import sys
from functools import partial

import pytest
from page_text import FEW_SAMPLES, PAGES, ROOT, block, commands

from oracle.cli.main import main
from oracle.cli.parser import make_parser
from oracle.cli.power import power_lines

# the same experiments, small enough to train here
ONE_EPOCH = "train.epochs=1 train.shape=constant"
SMALL = {
    "mine.yaml": "train.epochs=1 prune.cycles=5 oracle.seeds=2 'oracle.grid=[0.02, 0.2, 1.0]'",
    "benchmarks/digits-mlp.yaml": f"{ONE_EPOCH} prune.cycles=2 oracle.seeds=1 'oracle.grid=[0.1, 1.0]' policies={{}}",
    "benchmarks/mnist1d-mlp.yaml": f"{shlex.join(FEW_SAMPLES)} {ONE_EPOCH} policies={{}}",
    "benchmarks/mnist1d-mlp-factors.yaml": shlex.join(FEW_SAMPLES),
}

# what trains long, or asks for other machines or packages (patterns), and the test that executes it
ELSEWHERE = {
    "run benchmarks/mnist1d-mlp-factors.yaml$": "tests/machines/test_paper_commands.py",
    "benchmarks/paper/": "tests/machines/test_paper_commands.py",
    "runs/resnet20-cifar10": "tests/machines/test_paper_commands.py",
    "runs/r20-": "tests/machines/test_paper_commands.py",
    "fit results/digits-mlp": "tests/oracle/fit/test_fit.py",
    "--mlflow": "tests/integrations/trackers/test_mlflow.py",
    "--wandb": "tests/integrations/trackers/test_wandb.py",
    "--address auto": "tests/machines/test_cluster_files.py",
    "gpus_per_trial=1": "tests/oracle/run/test_many_gpus.py",
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder as a user's, where what a page publishes comes into no run of ours."""
    for language, first_line in (("python", "# mine.py"), ("yaml", "# mine.yaml")):
        (tmp_path / first_line.removeprefix("# ")).write_text(block("README.md", language, first_line))
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    (tmp_path / "results").mkdir()
    for name in ("digits-mlp", "digits-cnn", "cifar10-cnn"):
        (tmp_path / "results" / name).symlink_to(ROOT / "results" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("oracle.cli.power.power_lines", partial(power_lines, studies=2, search_studies=1))
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("mine", None)


def small(words):
    """The command for the small experiment and, where it trains, without Ray."""
    command, file = words[1], words[2] if len(words) > 2 else ""
    overrides = shlex.split(SMALL[file]) if command in ("plan", "run", "tune", "schedule") else []
    local = ["--local"] if command in ("run", "tune") and not {"--local", "--address"} & {*words} else []
    return [*words[1:], *(f"--set={override}" for override in overrides), *local]


def test_the_commands_of_the_pages_do_as_they_stand(place, capsys):
    for earlier in ("benchmarks/mnist1d-mlp.yaml", "benchmarks/digits-mlp.yaml"):  # make quickstart, on a cluster
        assert main(small(["silo-oracle", "run", earlier])) == 0
    assert main(small(["silo-oracle", "run", "mine.yaml", "--out", "other/mine"])) == 0
    capsys.readouterr()
    executed = set()
    for page in PAGES:
        for words in commands(page):
            if words[0].endswith("silo-oracle") and not any(re.search(one, " ".join(words)) for one in ELSEWHERE):
                assert main(small(words)) == 0, words
                assert capsys.readouterr().err == "", words
                executed.add(words[1])
    every = {action.dest: action.choices for action in make_parser()._actions}["command"]
    assert executed == {*every} - {"fit"}


def test_the_others_are_executed_by_tests_that_are_there():
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).exists()] == []
