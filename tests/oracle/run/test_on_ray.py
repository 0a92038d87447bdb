"""On a real Ray, one for all of these tests: a worker that can't go on, the signal that ends a batch job, a calibration.

A driver that is interrupted: test_sweep.py. Killed nodes: tests/machines.
"""

import os
import re
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from experiments import write
from own_package import OWN, forget
from ray_settings import SETTINGS
from run_folder import records, report
from synthetic import DATA_INFO, Worker, experiment, recorded

from oracle.cli.main import main
from oracle.experiment.compute import Compute
from oracle.experiment.load import load
from oracle.plan.trajectories import Trajectories
from oracle.run.calibration import calibration
from oracle.run.ray import sweep as ray_sweep
from oracle.run.ray.cluster import connected
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store

HERE = Path(__file__).parent
# what the workers import: this module; synthetic; experiments; this very copy of the suite
IMPORTED = os.pathsep.join(map(str, (HERE, *HERE.parents[:3])))


class Full:
    """A worker whose disk is full after some cells."""

    def __init__(self, folder, cells):
        self.worker, self.left, self.lanes = Worker(Store(folder)), cells, 1

    def run(self, *jobs):
        if self.left == 0:
            raise OSError(28, "No space left on device", "record")
        self.left -= 1
        self.worker.run(*jobs)


class MakeFull:
    def __init__(self, folder, cells):
        self.folder, self.cells = folder, cells

    def __call__(self, images):
        assert images.tolist() == [[1, 4], [2, 5], [3, 6]]
        return Full(self.folder, self.cells)


@pytest.fixture(scope="module", autouse=True)
def one_ray():
    """A private Ray as a run starts it, instead of one for each run; afterwards a signal does what it did before."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in SETTINGS.items():
            patched.setenv(name, value)
        patched.setenv("PYTHONPATH", IMPORTED, prepend=os.pathsep)  # its workers have it
        for name in ("TUNE_RESULT_DIR", "RAY_AIR_LOCAL_CACHE_DIR", "TUNE_RESULT_BUFFER_LENGTH", "RAY_REDIS_ADDRESS"):
            patched.setenv(name, "of somebody's own use of Tune or Ray, which refuses it")
        with connected(Compute(workers=2), None):
            patched.setattr(ray_sweep, "connected", lambda compute, address: nullcontext())
            own = Path(os.environ["RAY_TMPDIR"])
            yield
        assert not own.exists()
        assert "RAY_TMPDIR" not in os.environ
    assert signal.getsignal(signal.SIGTERM) is before


def test_ray_s_files_and_token_are_private():
    own, token = (Path(os.environ[name]) for name in ("RAY_TMPDIR", "RAY_AUTH_TOKEN_PATH"))
    assert (own / "ray" / "session_latest" / "sockets").is_dir()
    assert own.stat().st_mode & 0o777 == 0o700
    assert (token.parent, token.stat().st_mode & 0o777, len(token.read_text())) == (own, 0o600, 64)


class Seen:
    """Stands for the display: how a sweep's driver would take the end of a batch job."""

    handler = None

    def finished(self, cell, purpose):
        self.handler = signal.getsignal(signal.SIGTERM)


def test_a_full_disk_ends_the_run_and_is_reported_as_it_is(tmp_path):
    """After one try: no cell is trained again and again."""
    synthetic, store = experiment(), Store(tmp_path)
    compute = synthetic.compute.model_copy(update={"workers": 1})
    queue = ReadyQueue(Trajectories(synthetic, DATA_INFO, store))
    before, seen = signal.getsignal(signal.SIGTERM), Seen()
    with pytest.raises(OSError, match="No space left on device") as raised:
        ray_sweep.train_on_ray(
            queue, MakeFull(tmp_path, 4), torch.tensor([[1, 2, 3], [4, 5, 6]]).t(), compute, store, seen
        )
    assert raised.value.errno == 28
    assert len(recorded(store)) == 4
    assert not (tmp_path / "failed").exists()
    with pytest.raises(KeyboardInterrupt):  # as Ctrl-C
        seen.handler(signal.SIGTERM, None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_plan_calibrates_on_ray_and_writes_nothing(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibration, "MEASURING_SECONDS", 0.2)
    monkeypatch.setattr(calibration, "SHORTENED_SECONDS", 0.2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert main(["plan", str(tiny), "--calibrate", "--out", str(tmp_path / "run"), "--set", "compute.workers=2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    seconds = re.search(r"^predicted: ([\d.]+) s for 38 trainings", out, re.MULTILINE)[1]
    assert float(seconds) > 1  # a worker alone takes longer to start
    assert "2 trainings at a time" in out
    rate = re.search(r'compute: \{rate: \{iterations_per_second: ([\d.]+), source: "measured on CPU', out)
    assert float(rate[1]) > 0
    line = re.search(r"compute: (\{.*\})$", out, re.MULTILINE)[1]
    assert load(tiny, [f"compute={line}"]).compute.rate.iterations_per_second == float(rate[1])


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_study_of_ones_own_trains_here_and_on_ray_to_the_same_records(home, capsys):
    write(home, OWN | {"prune.cycles": 2, "policies.baselines.searched": {}}, "e.yaml")
    assert main(["run", "e.yaml", "--local", "--out", "here"]) == 0
    assert main(["run", "e.yaml", "--out", "ray", "--set", "compute.workers=1"]) == 0
    assert len(records(home / "here")) == 18
    # 2 seeds x (2 cycles x (2 grid values, SILO's, a baseline's), and the searched one's second: its first is the Oracle's)
    assert records(home / "here") == records(home / "ray")
    assert report(home / "here") == report(home / "ray")
    assert list(home.rglob("*.tmp")) == []
    assert not any(record["outcome"]["diverged"] for record in records(home / "here").values())
    assert {sum(alive for _, alive, _ in r["layers"]) for r in records(home / "here").values()} == {528, 423}

    # in another process the code is the same; then it changes
    forget()
    assert main(["plan", "e.yaml", "--out", "here"]) == 0
    assert "recorded: 18, failed: 0, missing: 0" in capsys.readouterr().out
    before = tree(home / "here")
    nets = home / "own" / "nets.py"
    nets.write_text(nets.read_text() + "\n# another network\n")
    for command in ("run e.yaml --local --out here", "plan e.yaml --out here"):
        forget()
        assert main(command.split()) == 2
        err = capsys.readouterr().err
        assert re.search("here must .*: code.own.nets is ", err)
        assert err.count("\n") == 1
    for command in ("status here", "report here"):  # what is read needs no code
        forget()
        assert main(command.split()) == 0
    assert tree(home / "here") == before
