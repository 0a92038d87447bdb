"""Whatever is killed, the sweep loses nothing and does nothing twice: the short version of benchmarks/chaos.py."""

import importlib.util
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
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
    monkeypatch.setattr(chaos, "LONGEST", 2.0)
    with chaos.Cluster(home) as cluster:
        # one of three nodes is killed in the middle, for good: the sweep ends complete, by the same driver
        driver = chaos.drive(cluster, home / "e.yaml", home / "node", ())
        wait_for(lambda: chaos.records(home / "node") >= 10)
        cluster.kill_a_node(random.Random(0))
        assert driver.wait(120) == 0, Path(f"{home}/node.log").read_text()
        cluster.revive()
        kills, drivers = chaos.storm(
            cluster, home / "e.yaml", home / "stormy", (), kills=3, total=chaos.records(calm), chance=random.Random(4)
        )
    assert kills.total() == 3
    assert drivers > kills["driver"]
    for out in (home / "node", home / "stormy"):
        assert chaos.differing(calm, out) == []
        assert chaos.judged(out)[0] == []
        assert chaos.left(out) == []


def test_nothing_listens_beyond_loopback_and_nothing_outlives_a_killed_driver(home, calm):
    command = [sys.executable, "-m", "oracle.cli", "run", str(home / "e.yaml"), "--out", str(home / "private")]
    driver = subprocess.Popen([*command, "--set", "compute.workers=2"], stdout=subprocess.DEVNULL, cwd=home, env=PATH)
    wait_for(lambda: chaos.records(home / "private") >= 3)
    family = {one: one.cmdline()[0] for one in psutil.Process(driver.pid).children(recursive=True) if one.cmdline()}
    listening = {one.laddr.ip for process in family for one in sockets(process) if one.status == psutil.CONN_LISTEN}
    driver.kill()
    driver.wait()
    assert len(family) >= 4
    assert listening
    assert {ip.removeprefix("::ffff:") for ip in listening} <= {"127.0.0.1", "::1"}
    # Ray's agents, which train nothing, take a minute
    wait_for(lambda: all(gone(process) or name.endswith("Agent") for process, name in family.items()))


PATH = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


def sockets(process):
    try:
        return process.net_connections("tcp")
    except psutil.Error:
        return []


def gone(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(true, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)
