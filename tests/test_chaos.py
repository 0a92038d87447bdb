"""Whatever is killed, the sweep loses nothing and does nothing twice: the short version of benchmarks/chaos.py."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXPERIMENT = {
    "name": "tiny",
    "data": {"source": "digits"},
    "model": {"name": "mlp", "hidden": [16]},
    "train": {"epochs": 4, "batch_size": 32, "momentum": 0.9, "weight_decay": 5e-4, "shape": "cosine"},
    "prune": {"criterion": "magnitude", "scope": "global", "rate": 0.2, "cycles": 4, "restart": "keep"},
    "silo": {"epsilon": 0.1, "delta": 0.1, "beta": 5, "delay": 1},
    "oracle": {"grid": [0.01, 0.03, 0.1, 0.3, 1.0], "seeds": 3},
}


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


chaos = imported(ROOT / "benchmarks" / "chaos.py")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chaos")
    (folder / "e.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def calm(home):
    """An undisturbed run, in one process."""
    from oracle.cli import main

    assert main(["run", str(home / "e.yaml"), "--local", "--out", str(home / "calm")]) == 0
    return home / "calm"


def test_random_kills_change_nothing(home, calm, monkeypatch):
    """One driver, one worker, one node (its raylet and all its children), at random times."""
    monkeypatch.setattr(chaos, "LONGEST", 2.0)
    with chaos.Cluster(home) as cluster:
        kills, drivers = chaos.storm(
            cluster, home / "e.yaml", home / "stormy", (), kills=3, total=chaos.records(calm), chance=random.Random(4)
        )
    assert kills.total() == 3
    assert drivers > kills["driver"]
    assert chaos.differing(calm, home / "stormy") == []
    assert chaos.judged(home / "stormy")[0] == []
    assert chaos.left(home / "stormy") == []
