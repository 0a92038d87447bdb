"""A run's folder and its reports carry no secret and no path of the machine they were made on."""

import json
import os
import platform
import pwd
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from experiments import write
from PIL import Image

from oracle.cli.main import main
from oracle.experiment.compute import Compute
from oracle.experiment.load import load
from oracle.experiment.redaction import redact, redact_override
from oracle.run.failure_reason import reason_of


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("my-images", "my-images"),
        ("data/my images", "data/my images"),
        ("mine:parity", "mine:parity"),
        ("a..b", "a..b"),
        ("/home/ada/my images", ".../my images"),
        ("/home/ada/images/", ".../images"),
        ("~/images", ".../images"),
        ("~ada", "..."),
        ("/", "..."),
        ("../../home/ada/images", ".../images"),
        ("data/../..", "..."),
        (".../images", ".../images"),
        ("https://example.org/images.zip", "https://example.org/images.zip"),
        ("https://ada:pass@example.org/images.zip?sig=abc#x", "https://example.org/images.zip"),
        ("file:///home/ada/images", ".../images"),
        (["/a/b", {"c": "/d/e", "f": 1, "g": None}], [".../b", {"c": ".../e", "f": 1, "g": None}]),
    ],
)
def test_what_is_kept_of_a_path(given, kept):
    assert redact(given) == kept
    assert redact(kept) == kept


@pytest.mark.parametrize(
    ("override", "kept"),
    [
        ("oracle.seeds=[0, 1]", "oracle.seeds=[0, 1]"),
        ("label=/r/MachineLearning", "label=/r/MachineLearning"),
        ("data.path=images", "data.path=images"),
        ("data.path=/home/ada/images", "data.path=.../images"),
        ("data={source: folder, path: /home/ada/images}", 'data={"source": "folder", "path": ".../images"}'),
    ],
)
def test_what_is_kept_of_an_override(override, kept):
    assert redact_override(override) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("No such file: '/home/ada lovelace/data/1.png'", "No such file: '1.png'"),
        ("No such file: '/mnt/her disk/a b/1.png'", "No such file: '1.png'"),
        ("/home/ada lovelace/my data/1.png is torn", "my data/1.png is torn"),
        ("in '/home/ada lovelace'", "in '$HOME'"),
        ("/mnt/x.yaml and /mnt/a/b.pt", "x.yaml and b.pt"),
        ("a/b and 1/2 and https://example.org/a/b stay", "a/b and 1/2 and https://example.org/a/b stay"),
        ("ada may not, with k3y, nor with 'a+b/c=='", "$USER may not, with $API_KEY, nor with '$SERVICE_TOKEN'"),
        ("mode token is no adaptive one", "mode token is no adaptive one"),
        ("http://me:pw@host:1/a is gone, not mail a@b", "http://host:1/a is gone, not mail a@b"),
    ],
)
def test_what_is_kept_of_an_error(monkeypatch, text, kept):
    held = {"HOME": "/home/ada lovelace", "USER": "ada", "LOGNAME": "ada", "API_KEY": "k3y", "SERVICE_TOKEN": "a+b/c=="}
    for name, value in {**held, "AUTH_MODE": "token"}.items():
        monkeypatch.setenv(name, value)
    assert reason_of(ValueError(text), Compute()) == f"ValueError: {kept}"


@pytest.mark.parametrize(
    "change",
    [
        "prune.restart={kind: 'rules:Kept', file: /home/ada/w.pt}",
        "data.split={kind: 'rules:Halves', file: ~/split.json}",
        "policies.baselines.x.shape={kind: 'rules:Shape', file: 'https://ada:pass@example.org/x'}",
        "policies.baselines.x.max_lr={kind: 'rules:Schedule', files: [a, /b]}",
    ],
)
def test_a_path_of_one_machine_cannot_be_part_of_what_identifies_a_training(
    tiny, tmp_path, monkeypatch, capsys, change
):
    """It would be in study.json, and the same run on another machine would be another experiment."""
    source = """
from silo.data.split import Pooled
from silo.restart import Rewind

class Kept(Rewind):
    def __init__(self, file: str): super().__init__("0it")

class Halves(Pooled):
    def __init__(self, file: str): super().__init__(0.25, 0.25)

class Shape:
    def __init__(self, file: str): pass
    def factor(self, t, steps_per_epoch, epochs): return 1.0

class Schedule:
    def __init__(self, files: list[str]): pass
    def max_lr(self, cycle): return 0.1
"""
    (tmp_path / "rules.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    try:
        assert main(["run", str(tiny), "--local", "--out", "run", "--set", change]) == 2
    finally:
        sys.modules.pop("rules", None)
    err = capsys.readouterr().err
    assert "a path of one machine" in err
    assert err.count("\n") == 1
    assert not Path("run").exists()


MODEL = """
import os
import socket
import subprocess
from pathlib import Path

from torch import nn


class Net(nn.Module):
    def __init__(self, channels, size, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(channels * size**2, classes))

    def forward(self, images):
        scores = self.body(images)
        if not scores.abs().max() < 1e4:
            token, user, host = os.environ["SERVICE_TOKEN"], os.environ["USER"], socket.gethostname()
            where = f"{str(Path(__file__))!r} below {Path.cwd()} and {Path.home()}"
            raise PermissionError(f"{user} at {host} may not read {where} with token={token}")
        return scores
"""
SECRET = "hf-3a91/x+7"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A folder one works in, a home with images in it, and a secret in the environment."""
    home, cwd = tmp_path / "home" / "adalovelace", tmp_path / "work place"
    cwd.mkdir()
    random = np.random.default_rng(0)
    for label, level in (("dark", 40), ("light", 120)):
        (home / "images" / "train" / label).mkdir(parents=True)
        for number in range(30):
            pixels = random.integers(level, level + 80, (8, 8)).astype("uint8")
            Image.fromarray(pixels).save(home / "images" / "train" / label / f"{number}.png")
    (cwd / "private_net.py").write_text(MODEL)
    for name, value in {"HOME": home, "USER": "adalovelace", "LOGNAME": "adalovelace", "SERVICE_TOKEN": SECRET}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(socket, "gethostname", lambda: "adas-laptop")
    monkeypatch.setenv("MPLCONFIGDIR", matplotlib.get_cachedir())  # its fonts are listed there; that takes seconds
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(cwd)
    monkeypatch.setattr(sys, "path", [str(cwd), *sys.path])
    yield home
    sys.modules.pop("private_net", None)


def test_nothing_of_the_machine_is_in_a_run_folder_its_report_or_a_publication(machine, tmp_path, capsys):
    changes = {
        "name": "private",
        "data": {"source": "folder", "path": "~/elsewhere"},
        "model": {"name": "private_net:Net"},
        "train.epochs": 2,
        "train.batch_size": 16,
        "train.weight_decay": 0.0,
        "train.shape": "constant",
        "prune.cycles": 2,
        "prune.restart": "keep",
        "oracle.grid": [0.1, 1e6],
        "policies.baselines": {"flat": {"max_lr": 1e6}},
    }
    file = write(tmp_path / "home", changes)
    images = str(machine / "images")
    requested = [str(file), "--set", f"data.path={images}", "--out", str(tmp_path / "home" / "runs" / "private")]
    run, published = Path(requested[-1]), tmp_path / "home" / "published"
    assert main(["run", *requested, "--local"]) == 1  # some trainings fail
    for command in (["status", run], ["publish", run, "--to", published], ["merge", run, twin(run)]):
        assert main([str(word) for word in command]) == 0

    assert len(list((run / "failed").iterdir())) > 0
    assert "PermissionError: $USER at $HOSTNAME may not read 'private_net.py'" in capsys.readouterr().out
    assert "--set 'data.path=.../images'" in (published / "README.md").read_text()
    private = [str(tmp_path), str(machine), "adalovelace", "adas-laptop", str(Path.cwd()), SECRET]
    private += [name for name in (platform.node(), pwd.getpwuid(os.getuid()).pw_name) if len(name) > 5]  # else a word
    files = [path for folder in (run, published) for path in folder.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} >= {"records", "failed", "states", "attempts", "report", "published"}
    found = [(path, text) for path in files for text in private if text.encode() in path.read_bytes()]
    assert found == []

    # the folder is still known for what it is, whether the images are there or not
    shutil.move(images, images + "-gone")
    capsys.readouterr()
    assert main(["plan", *requested]) == 0
    assert "recorded: 0" not in capsys.readouterr().out
    assert main(["plan", *(word.replace("images", "others") for word in requested)]) == 2
    assert "data.path" in capsys.readouterr().err
    held = json.loads((run / "study.json").read_text())
    assert held["experiment"]["data"]["path"] == ".../images"
    assert load(file, []).data.path == "~/elsewhere"


def twin(run):
    return shutil.copytree(run, run.with_name("twin"))


def test_redaction_needs_neither_torch_nor_pydantic():
    code = "import sys, oracle.experiment.redaction; print({'torch', 'pydantic'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
