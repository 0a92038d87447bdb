"""Real Ray: a cluster of three nodes on loopback, one of which dies; a worker that can't go on."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from run_folder import records
from synthetic import DATA, Worker, experiment, recorded

from oracle.cli import main
from oracle.store.store import Store
from oracle.sweep.chain import Chains
from oracle.sweep.frontier import Frontier
from oracle.sweep.sweep import sweep_on_ray

HERE = Path(__file__).parent
TRAINABLE = "Trainable"  # in the name that Ray gives the process of a worker


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))}
    path = os.pathsep.join([str(HERE.parents[1]), *filter(None, [clean.get("PYTHONPATH")])])
    return {**clean, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **more}


def start(*command, **more):
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.PIPE,
    )


def run(*arguments, **more):
    return start("-m", "oracle.cli", "run", *arguments, **more)


def wait_for(condition, what, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.01)


def family(pid):
    try:
        return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def workers(processes):
    """Those among them that train."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [process] if TRAINABLE in " ".join(process.cmdline()) else []
    return found


# -- a cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Where it is, the raylets of the nodes beside the head, and what a process needs that is to find it."""
    token = tmp_path_factory.mktemp("cluster") / "token"
    token.write_text("a" * 64)
    own = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    with start(HERE / "loopback_cluster.py", **own) as process:
        try:
            yield {**json.loads(process.stdout.readline()), "environment": own}
        finally:
            process.stdin.close()
            process.wait(60)


def test_what_a_cluster_refuses_is_one_line(cluster, tiny, tmp_path):
    address = ("--out", tmp_path / "run", "--address", cluster["address"])
    no_gpu = run(tiny, *address, "--set", "compute.gpus_per_trial=1", **cluster["environment"])
    no_key = run(tiny, *address, **cluster["environment"], RAY_AUTH_TOKEN="b" * 64)
    for driver, told in (
        (no_gpu, "asks for 1 CPUs and 1 GPUs, and the largest node of the cluster has 1 CPUs and 0 GPUs"),
        (no_key, "the authentication token is missing or wrong"),
    ):
        out, err = driver.communicate(timeout=60)
        assert (driver.returncode, out, err.count("\n")) == (2, "", 1)
        assert told in err
    assert not (tmp_path / "run").exists()


def test_a_node_that_dies_in_the_middle_costs_nothing(cluster, tiny, tmp_path):
    """The raylet and all its children: the sweep ends complete, with the numbers of an undisturbed one."""
    out = tmp_path / "run"
    sets = ("--set", "train.epochs=40", "--set", "oracle.seeds=1")
    driver = run(tiny, "--out", out, "--address", cluster["address"], *sets, **cluster["environment"])

    def both_train():
        return list((out / "records").glob("*.json")) and all(workers(family(one)) for one in cluster["raylets"])

    wait_for(lambda: both_train() or driver.poll() is not None, "a worker on each node, and a record")
    assert driver.poll() is None  # the sweep is under way
    for process in family(cluster["raylets"][0]):
        process.kill()
    out_, err = driver.communicate(timeout=120)
    assert (driver.returncode, err) == (0, ""), out_
    assert main(["run", str(tiny), "--local", "--out", str(tmp_path / "local"), *sets]) == 0
    assert records(out) == records(tmp_path / "local")


# -- a private Ray


class Full:
    """A worker whose disk is full after some cells."""

    def __init__(self, folder, cells):
        self.worker, self.left, self.lanes = Worker(Store(folder)), cells, 1

    def run(self, *jobs):
        if self.left == 0:
            raise OSError(28, "No space left on device", "record")
        self.left -= 1
        self.worker.run(*jobs)


class Begin:
    def __init__(self, folder, cells):
        self.folder, self.cells = folder, cells

    def __call__(self, images):
        assert images.tolist() == [[1, 4], [2, 5], [3, 6]]
        return Full(self.folder, self.cells)


class Seen:
    """Stands for the display: how a sweep's driver would take the end of a batch job."""

    handler = None

    def finished(self, cell):
        self.handler = signal.getsignal(signal.SIGTERM)


def test_a_full_disk_ends_the_sweep_and_is_told_as_it_is(tmp_path, monkeypatch):
    """After one try: no cell is trained again and again."""
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)  # for the workers: where Begin is
    asked, store = experiment(), Store(tmp_path)
    compute = asked.compute.model_copy(update={"workers": 1})
    frontier = Frontier(Chains(asked, DATA, store))
    before, seen = signal.getsignal(signal.SIGTERM), Seen()
    with pytest.raises(OSError, match="No space left on device") as raised:
        sweep_on_ray(frontier, Begin(tmp_path, 4), torch.tensor([[1, 2, 3], [4, 5, 6]]).t(), compute, store, seen)
    assert raised.value.errno == 28
    assert len(recorded(store)) == 4
    assert not (tmp_path / "failed").exists()
    with pytest.raises(KeyboardInterrupt):  # as Ctrl-C
        seen.handler(signal.SIGTERM, None)
    assert signal.getsignal(signal.SIGTERM) is before
