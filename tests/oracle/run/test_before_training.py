"""What `plan` and `run` say and refuse before anything is trained."""

import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from experiments import experiment, write
from PIL import Image
from rich.console import Console

from oracle.cli.main import main
from oracle.cli.plan import plan_text
from oracle.experiment.load import load
from oracle.run import trial
from oracle.run.run import run_study
from oracle.study.study import new_study, planned_study

SMALL = {"train.epochs": 1, "train.shape": "constant", "prune.cycles": 1, "oracle.grid": [0.1], "oracle.seeds": 1}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Twelve images of two classes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        file = tmp_path / f"photos/train/{'ab'[number % 2]}/{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return tmp_path / "photos"


def test_plan_and_run_say_what_is_left_out(photos, tmp_path):
    one = experiment(SMALL | {"data": {"source": "folder", "path": str(photos)}})
    assert "left out" not in plan_text(planned_study(one, tmp_path / "run"))
    (photos / "train/a/13.tif").touch()
    line = "data: 1 file is left out, such as 'train/a/13.tif': 1 in 'train/a'; read are "
    assert line in plan_text(planned_study(one, tmp_path / "run"))
    console = Console(file=StringIO())
    assert run_study(new_study(one, tmp_path / "run"), console, local=True, retry_failed=False)
    assert line in console.file.getvalue()


OWN = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, channels, size, classes, fails: str = "never", width: int = 4, unused: bool = False):
        super().__init__()
        self.fails, self.body = fails, nn.Sequential(nn.Flatten(), nn.Linear(channels * size**2, width), nn.BatchNorm1d(width))
        self.head = nn.Linear(width, classes - (fails == "classes"))
        self.unused = nn.Linear(2, 2) if unused else None

    def forward(self, x):
        if self.fails == "forward":
            raise KeyError("what")
        if self.fails == "cuda":
            raise RuntimeError("Found no NVIDIA driver")
        if self.fails == "evaluation" and not self.training:
            raise AttributeError("no such thing")
        x = self.head(self.body(x))
        return x.detach() if self.fails == "backward" else x


def flat(layer):
    return layer.final.flatten()


def infinite(layer):
    return layer.final / 0


def slip(layer):
    return layer.nothing


def drawn(model):
    raise TypeError("not so")


class Late:
    def factor(self, t, steps_per_epoch, epochs):
        return 1 / (2 - t)
"""
# 108 training images
LAST, SCORE = "model must train on an epoch's last batch", "prune.criterion must give every weight a finite score"
FAILURES = [  # what is set, what the line says
    (
        "train.batch_size=107",
        f"{LAST} (1 of 108 images at train.batch_size 107), got trial_own:Net: ValueError: Expected more",
    ),
    (
        "train.batch_size=1",
        "model must train on batches of 1 image, got trial_own:Net: ValueError: Expected more than 1",
    ),
    ("model.fails=forward", f"{LAST} (44 of 108 images", "got trial_own:Net: KeyError: 'what'"),
    ("model.fails=backward", LAST, "RuntimeError: element 0 of tensors does not require grad"),
    ("model.fails=classes", LAST, "IndexError: Target 9 is out of bounds"),
    (
        "model.fails=evaluation",
        "model must classify 36 images at once, got trial_own:Net: AttributeError: no such thing",
    ),
    ("model.init=trial_own:drawn", "model.init must initialize this network, got trial_own:drawn: TypeError: not so"),
    ("prune.criterion=trial_own:flat", f"{SCORE}, got trial_own:flat: ValueError: scores of"),
    ("prune.criterion=trial_own:infinite", SCORE, "got NaN or infinity"),
    ("prune.criterion=trial_own:slip", SCORE, "AttributeError: 'LayerInputs' object has no attribute 'nothing'"),
    ("prune.criterion=gradient-weight model.unused=true", SCORE, "not have been used in the graph"),
    ("train.shape=trial_own:Late", "train.shape must have a factor of max_lr at every iteration", "ZeroDivisionError"),
    # of a network that is too large for a quick step
    ("train.batch_size=107 model.width=10000000", f"{LAST} (1 of 108 images", "ValueError: Expected more than 1"),
    ("prune.criterion=trial_own:flat model.width=200000", SCORE, "got trial_own:flat: ValueError: scores of"),
]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The file of an experiment with a network of one's own."""
    (tmp_path / "trial_own.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield write(tmp_path, SMALL | {"data.limit": {"train": 180}, "model": {"name": "trial_own:Net"}})
    del sys.modules["trial_own"]


def words(overrides):
    return [word for override in overrides.split() for word in ("--set", override)]


@pytest.mark.parametrize("row", FAILURES, ids=lambda row: row[0])
def test_what_would_fail_in_every_training_is_refused(own, capsys, row):
    overrides, *fragments = row
    for command in (["plan"], ["run", "--local"], ["plan", "--calibrate"]):
        assert main([command[0], str(own), *command[1:], *words(overrides), "--out", "run"]) == 2
        out, line = capsys.readouterr()
        assert out == "" and line.startswith(f"silo-oracle: {own}: ") and line.count("\n") == 1
        assert all(fragment in line for fragment in fragments), line
    assert not Path("run").exists()


@pytest.mark.parametrize("overrides", ["", "model.unused=true", "model.fails=cuda compute.gpus_per_trial=1"])
def test_what_may_train_is_planned(own, capsys, overrides):
    """A network that calls for a GPU can't be tried without one."""
    assert main(["plan", str(own), *words(overrides)]) == 0
    assert "1 cycles x 1 seed" in capsys.readouterr().out


def test_known_data_is_not_loaded_to_try_the_network(own, capsys):
    known = ["data={source: cifar10, path: nowhere, download: false}", "train.batch_size=35999"]
    assert main(["plan", str(own), *[word for one in known for word in ("--set", one)]]) == 2
    assert "(1 of 36000 images at train.batch_size 35999)" in capsys.readouterr().err


def test_what_has_trained_is_not_tried_again(own, monkeypatch):
    study = new_study(load(own, []), Path("runs/tiny"))
    assert run_study(study, Console(file=StringIO()), local=True, retry_failed=False)
    monkeypatch.setattr(trial, "network", None)
    assert main(["plan", str(own)]) == 0
