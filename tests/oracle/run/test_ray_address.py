"""Where a sweep trains: what an address must be, what a cluster must have, and that a private Ray is private."""

import socket

import pytest

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.compute import Compute
from oracle.run.ray import resources
from oracle.run.ray.environment import PRIVATE_RAY, set_environment
from oracle.run.ray.resources import capacity, idle_gpus, this_machine

set_environment(PRIVATE_RAY)  # ray reads it when it is imported, and other tests start it in this process
from ray.exceptions import RpcError  # noqa: E402


@pytest.fixture
def refused(tiny, tmp_path, capsys, monkeypatch):
    """Run at an address; returns the one line on stderr. Nothing is written."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        before = set(tmp_path.rglob("*"))
        assert main(["run", tiny.name, *arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert set(tmp_path.rglob("*")) == before
        return err

    return run


NOBODY = "no Ray cluster answers there; `ray start --head` starts one"


def test_what_listens_there_may_be_no_ray(refused, monkeypatch):
    def silent(address):  # after the seconds that CLUSTER_DRIVER allows
        raise RpcError("Timed out while waiting for GCS to become available.")

    monkeypatch.setattr("ray._raylet.GcsClient", silent)
    token = "ray._private.authentication.authentication_token_setup.ensure_token_if_auth_enabled"
    monkeypatch.setattr(token, lambda create_token_if_missing: None)  # a machine may have none yet
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert NOBODY in refused("--address", f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    ("cpus", "gpus", "nodes", "fit"),
    [
        (1, 0, [(4, 0), (2, 0)], 6),
        (0.1, 0, [(0.3, 0)], 3),
        (3, 0, [(4, 0), (2, 0)], 1),
        (8, 0, [(4, 0), (4, 0)], 0),
        (1, 0.25, [(16, 2)], 8),
        (1, 0.25, [(3, 2)], 3),
        (1, 0.4, [(16, 2)], 4),  # no training gets its share of two GPUs
        (1, 0.1, [(16, 1)], 10),
        (1, 1, [(16, 3), (2, 4)], 5),
        (1, 1, [(16, 0)], 0),
        (1, 1, [], 0),
    ],
)
def test_how_many_trainings_fit_on_the_nodes(cpus, gpus, nodes, fit):
    compute = Compute(cpus_per_trial=cpus, gpus_per_trial=gpus)
    assert capacity(compute, [{"CPU": cpu, "GPU": gpu} for cpu, gpu in nodes]) == fit


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "6 of 8 GPUs stay idle: 2 CPU cores are for 2 trainings at once; compute.workers=8 shares them"),
        (
            {"gpus_per_trial": 0.25},
            "7 of 8 GPUs stay idle: 2 CPU cores are for 2 trainings at once; compute.workers=32 shares",
        ),
        ({"cpus_per_trial": 0.25}, ""),
        ({"workers": 8}, ""),
        ({"workers": 1}, ""),  # as wanted
        ({"gpus_per_trial": 0}, ""),
    ],
)
def test_gpus_for_which_there_are_too_few_cores_are_told(monkeypatch, changes, line):
    monkeypatch.setattr(resources.torch.cuda, "device_count", lambda: 8)
    monkeypatch.setattr(resources.os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    assert idle_gpus(Compute(**{"gpus_per_trial": 1, **changes})).startswith(line)
    assert bool(line) == bool(idle_gpus(Compute(**{"gpus_per_trial": 1, **changes})))


@pytest.mark.parametrize(("cpus", "workers"), [(2.5, None), (4.5, None), (0.5, 5), (0.3, 10), (0.1, 3)])
def test_a_machine_has_whole_cores_enough_for_what_is_wanted(monkeypatch, cpus, workers):
    monkeypatch.setattr(resources.os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    compute = Compute(cpus_per_trial=cpus, workers=workers)
    machine = this_machine(compute)
    assert isinstance(machine["CPU"], int)
    assert capacity(compute, [machine]) >= (workers or 1)


def test_without_a_way_to_itself_a_machine_runs_no_ray(monkeypatch):
    def unreachable(*_, **__):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(resources.socket, "create_connection", unreachable)
    with pytest.raises(InputError, match=r"127\.0\.0\.1 must be reachable, got Network is unreachable; `run --local`"):
        resources.check_this_machine(Compute())
