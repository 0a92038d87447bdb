"""A Ray cluster on this machine: what it refuses; and whatever is killed, the sweep loses nothing and does nothing twice: the
short version of benchmarks/chaos.py.
"""

import importlib.util
import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from experiments import write
from ray_settings import SETTINGS
from trained import report, train

ROOT = Path(__file__).parents[2]
REAL_FIGURES = True  # as the drivers draw, whose reports are compared
CHANGES = {
    "train.epochs": 40,  # long enough to be cut off
    "prune.cycles": 2,
    "train.batch_size": 32,
    "train.shape": "cosine",
    "prune.restart": "keep",
    "oracle.grid": [0.01, 0.1, 0.3, 1.0],
}


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


chaos = imported(ROOT / "benchmarks" / "chaos.py")
chaos.NODES = 2  # another worker's start costs more than all that it would train


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chaos")
    write(folder, CHANGES, "e.yaml")
    return folder


@pytest.fixture(scope="module")
def calm(home):
    """An undisturbed run, in one process."""
    assert train(home / "e.yaml", home / "calm")
    report(home / "calm")
    return home / "calm"


class Cluster(chaos.Cluster):
    """It notices within seconds that a node is gone, for which Ray takes 15 s and more."""

    @property
    def environment(self):
        return super().environment | SETTINGS | {"RAY_health_check_period_ms": "500"}


@pytest.fixture(scope="module")
def cluster(home):
    with Cluster(home) as cluster:
        yield cluster


def test_what_a_cluster_refuses_is_one_line(cluster, home, request):
    def run(*sets, **more):
        address = ("--out", home / "refused", "--address", f"127.0.0.1:{cluster.port}")
        return subprocess.Popen(
            [sys.executable, "-m", "oracle.cli", "run", *map(str, (home / "e.yaml", *address, *sets))],
            env={**cluster.environment, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    no_gpu, no_key = run("--set", "compute.gpus_per_trial=1"), run(RAY_AUTH_TOKEN="b" * 64)
    request.getfixturevalue("calm")  # which the next test needs, while these two start
    for driver, message in (
        # 0 CPUs: the head alone, while the nodes are joining
        (no_gpu, r"compute\.gpus_per_trial .* got 1: its largest node has [01] CPUs and 0 GPUs"),
        (no_key, "the authentication token is missing or wrong"),
    ):
        out, err = driver.communicate(timeout=60)
        assert (driver.returncode, out, err.count("\n")) == (2, "", 1)
        assert re.search(message, err)
    assert not (home / "refused").exists()


def begun(out):
    """How often each training was begun."""
    entries = [json.loads(line) for log in (out / "attempts").glob("*.jsonl") for line in log.read_text().splitlines()]
    return Counter(entry["cell"] for entry in entries if entry["event"] == "started")


def test_random_kills_change_nothing(cluster, home, calm, monkeypatch):
    """One driver, one worker, one node (its raylet and all its children), at random times."""
    monkeypatch.setattr(chaos, "LONGEST", 2.0)
    kills, drivers = chaos.storm(
        cluster, home / "e.yaml", home / "stormy", (), kills=3, total=chaos.records(calm), chance=random.Random(4)
    )
    assert kills.total() == 3
    assert drivers > kills["driver"]
    assert begun(home / "stormy").most_common(1)[0][1] > 1  # some were cut off in the middle, and tried again
    assert chaos.differing(calm, home / "stormy") == []
    assert chaos.judged(home / "stormy")[0] == []
    assert chaos.left(home / "stormy") == []
