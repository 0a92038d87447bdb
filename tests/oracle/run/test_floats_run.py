"""Studies on data of one's own that is no image: features and signals, in memory and streamed, trained and read."""

import sys

import pytest
from experiments import write

from oracle.cli.main import main
from oracle.plan.snapshot import Snapshot
from oracle.study.study import open_study

OWN = """
from dataclasses import dataclass, replace

import torch
from torch import nn

from silo.data.images import Dataset
from silo.data.part import Part
from silo.data.samples import Samples


def made(shape, count, seed):
    labels = torch.arange(count) % 3
    centres = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))
    return 100 + 50 * (centres[labels] + noise), labels


def features(bad: str = ""):
    (values, labels), test = made((12,), 200, 1), Samples(*made((12,), 50, 2))
    if bad == "finite":
        values[7, 3] = float("nan")
    if bad == "double":
        values = values.double()
    if bad == "flat":
        values = values[:, 0]
    if bad == "numpy":
        values = values.numpy()
    if bad == "test":
        test = Samples(*made((11,), 50, 2))
    return Dataset(Samples(values, labels), {"part": [3], "labels": test}.get(bad, test), tuple("abc"))


def signals():
    return Dataset(Samples(*made((2, 9), 250, 1)), None, tuple("abc"))


@dataclass(frozen=True)
class Stream(Part):
    rows: torch.Tensor
    labels: torch.Tensor
    mean: torch.Tensor | float = 0.0
    std: torch.Tensor | float = 1.0
    channels, size, dtype = 2, (9,), torch.float32

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return replace(self, rows=self.rows[index], labels=self.labels[index])

    def to(self, device):
        return self

    def joined(self, other):
        return replace(self, rows=torch.cat([self.rows, other.rows]), labels=torch.cat([self.labels, other.labels]))

    def batches(self, batch_size, order=None, random=None):
        values, _ = made((2, 9), 250, 1)  # as if it were read from a file
        for index in (torch.arange(len(self)) if order is None else order).split(batch_size):
            yield (values[self.rows[index]] - self.mean) / self.std, self.labels[index]

    def moments(self):
        return Samples(made((2, 9), 250, 1)[0][self.rows], self.labels).moments()

    def normalized(self, mean, std):
        return replace(self, mean=mean, std=std)

    def content(self):
        yield b"version 1"


def streamed():
    return Dataset(Stream(torch.arange(250), torch.arange(250) % 3), None, tuple("abc"))


class Bare:
    def __init__(self, labels):
        self.labels = labels


class Raising:
    labels, channels, dtype = torch.zeros(3).long(), 2, torch.float32

    @property
    def size(self):
        raise IndexError("no size")


def raising():
    return Dataset(Raising(), None, tuple("abc"))


def bare():
    return Dataset(Bare(torch.zeros(3).long()), None, tuple("abc"))


def conv(channels, size, classes, width: int = 4):
    (length,) = size
    layers = nn.Conv1d(channels, width, 3, padding=1), nn.BatchNorm1d(width), nn.ReLU(), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(width * length, classes))


def picky(channels, size, classes):
    if channels != 12:
        raise ValueError(f"channels must be 12, got {channels}")
    return nn.Linear(12, classes)
"""
SIGNALS = {
    "data": {"source": "floats_own:signals"},
    "model": "floats_own:conv",
    "prune.criterion": "gradient-weight",
    "prune.cycles": 2,
    "oracle.grid": [0.03, 0.1, 0.3],
}
FEATURES = SIGNALS | {"data": {"source": "floats_own:features", "split": {"kind": "carve"}}, "model": "mlp"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "floats_own.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != ""])
    yield tmp_path
    sys.modules.pop("floats_own", None)


def accuracies(folder):
    trained = Snapshot.take(open_study(folder)).trainings
    return {(one.cell.seed, one.cell.cycle, one.cell.max_lr): one.record.outcome.test for one in trained}


@pytest.mark.parametrize("changes", [FEATURES, SIGNALS], ids=["features", "signals"])
def test_a_study_of_floats_is_trained_and_read(home, capsys, monkeypatch, changes):
    write(home, changes, "e.yaml")
    assert main(["run", "e.yaml", "--local", "--out", "run"]) == 0
    assert "12 of 12 trainings are recorded" in capsys.readouterr().out
    assert max(accuracies(home / "run").values()) > 80  # chance is 33
    sys.modules.pop("floats_own")
    (home / "floats_own.py").unlink()
    (home / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    for command in (["status"], ["report"], ["publish", "--to", "out"], ["table", "--to", "tables"]):
        assert main([command[0], "../run", *command[1:]]) == 0
    assert "floats_own" not in sys.modules


def test_a_streamed_part_of_ones_own_gives_what_the_same_samples_in_memory_give(home):
    results = []
    for source in ("signals", "streamed"):
        write(home, SIGNALS | {"data.source": f"floats_own:{source}", "prune.cycles": 1, "oracle.seeds": 1}, "e.yaml")
        assert main(["run", "e.yaml", "--local", "--out", source]) == 0
        results.append(accuracies(home / source))
    assert results[0] == results[1] and len(results[0]) == 3


@pytest.mark.parametrize("model", ["mlp", "cnn-1d"])
def test_a_study_of_mnist1d_runs(home, capsys, monkeypatch, model):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    data = {"source": "mnist1d", "train": 1500, "test": 500, "split": {"kind": "carve", "validation": 0.2}}
    small = {"data": data, "model": model, "train.epochs": 8, "prune.cycles": 1, "oracle.seeds": 1}
    write(home, SIGNALS | small | {"oracle.grid": [0.1]}, "e.yaml")
    assert main(["plan", "e.yaml"]) == 0
    assert "2000 images (1200 train), 10 classes" in capsys.readouterr().out
    assert main(["run", "e.yaml", "--local", "--out", "run"]) == 0
    assert max(accuracies(home / "run").values()) > 30  # chance is 10
    assert main(["run", "e.yaml", "--local", "--set", "data.train=9"]) == 2
    assert "e.yaml: data.train must be at least 10 and at most 1000000 samples, got 9\n" in capsys.readouterr().err


ROWS = [  # what is set, what the line says
    ({"data.augment": {"crop": 4}}, "data.augment.crop must be 0 where samples are no uint8 images, got 4"),
    ({"data.augment": {"flip": True}}, "data.augment.flip must be false where samples are no uint8 images, got true"),
    ({"data.augment": {"area": [0.5, 1]}}, "data.augment.area must be null where samples are no uint8 images"),
    ({"data.normalize": {"mean": [0.0] * 3, "std": [1.0] * 3}}, "data.normalize must ", "12 here", "got 3"),
    ({"data.bad": "finite"}, "data.source must give train values that are finite, got nan in sample 7 (1 such"),
    ({"data.bad": "double"}, "data.source must ", "torch.float32", "got torch.float64 of (200, 12)"),
    ({"data.bad": "numpy"}, "data.source must ", "torch.float32", "got a ndarray"),
    (
        {"data.bad": "flat"},
        "data.source must give train values as torch.float32 of (n, channels, ...), got ",
        "of (200,)",
    ),
    (
        {"data": "floats_own:raising"},
        "data.source must give train samples as ",
        "whose size raises IndexError: no size",
    ),
    ({"data.bad": "test"}, "data.source must ", "one class, dtype and shape, got ", "(12,)", "(11,)"),
    ({"data.bad": "part"}, "data.source must give test samples as a silo.data.part.Part, got one of class list"),
    ({"data": "floats_own:bare"}, "data.source must give train samples as a silo.data.part.Part", "without channels"),
    ({"model": "resnet20"}, "model must fit this data, got resnet20: size must ", "square images", "got ()"),
    ({"model": "vit-small"}, "model must fit this data, got vit-small: size must ", "got ()"),
    ({"data.source": "digits", "data.split": "pooled", "model": "floats_own:picky"}, "channels must be 12, got 1"),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_does_not_fit_is_one_line(home, capsys, row):
    changes, *fragments = row
    write(home, FEATURES | changes, "e.yaml")
    assert main(["run", "e.yaml", "--local"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and [part for part in fragments if part not in err] == [], err
    assert not (home / "runs").exists()


def test_a_network_that_takes_but_this_data_is_no_mistake_of_the_file(home):
    write(home, FEATURES | {"model": "floats_own:picky", "prune.cycles": 1}, "e.yaml")
    assert main(["plan", "e.yaml"]) == 0
