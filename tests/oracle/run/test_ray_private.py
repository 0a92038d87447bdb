"""What is used of Ray's private API: what it does in this version, and that a run goes on where another version lacks it."""

import importlib
import os
import re
import socket
import sys

import pytest

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.compute import Compute
from oracle.run.ray import lookup, private_gcs
from oracle.run.ray.environment import CLUSTER_DRIVER, PRIVATE_RAY, set_environment
from oracle.run.ray.private_actor_manager import patch_actor_manager
from oracle.run.ray.resources import check_resources

set_environment(
    PRIVATE_RAY | CLUSTER_DRIVER
)  # ray reads it when it is imported, and other tests start it in this process
from ray.exceptions import ActorDiedError, AuthenticationError, OutOfMemoryError, RayActorError, RayTaskError  # noqa: E402

GONE = "this Ray has no {name}: find its successor, or delete oracle/run/ray/{module}.py, its calls and its tests"


def attribute(module, name, used_by):
    """A private attribute of Ray, which must be there."""
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        pytest.fail(GONE.format(name=f"{module}.{name}", module=used_by))
    return found


# -- private_actor_manager


class Call:
    """What Tune's actor manager knows of a call to a worker; keeps the errors that Tune hears of."""

    def __init__(self):
        self.errors = []
        self._tracked_actor = self
        self.actor_id, self._on_error = 0, lambda actor, error: self.errors.append(error)


@pytest.fixture
def manager(monkeypatch):
    """Ray's actor manager, as much of it as takes in the error of a call."""
    made = object.__new__(attribute("ray.air.execution._internal", "RayActorManager", "private_actor_manager"))
    made._failed_actor_ids = set()
    monkeypatch.setattr(made, "_cleanup_actor", lambda tracked_actor: None, raising=False)
    return made


def original():
    """The method as Ray has it."""
    method = attribute("ray.air.execution._internal", "RayActorManager._actor_task_failed", "private_actor_manager")
    return getattr(method, "__wrapped__", method)


def test_ray_alone_still_ends_the_run_where_a_worker_is_ended_for_lack_of_memory(manager):
    """Once this fails since Ray raises nothing any more, oracle/run/ray/private_actor_manager.py can be deleted."""
    with pytest.raises(RuntimeError, match="Caught unexpected exception: low on memory"):
        original()(manager, Call(), OutOfMemoryError("low on memory"))


@pytest.mark.parametrize("error", [OutOfMemoryError("low on memory"), ActorDiedError()])
def test_with_the_patch_it_is_the_loss_of_a_worker(manager, error):
    assert patch_actor_manager()
    call = Call()
    manager._actor_task_failed(call, error)
    assert call.errors and all(isinstance(one, RayActorError) and str(one) == str(error) for one in call.errors)


def test_with_the_patch_an_error_that_a_worker_raises_stays_its_own(manager):
    assert patch_actor_manager()
    call, error = Call(), RayTaskError("train", "Traceback", ValueError("no"))
    manager._actor_task_failed(call, error)
    assert call.errors == [error]


def test_patching_twice_is_patching_once():
    assert patch_actor_manager()
    patched = type(object.__new__(importlib.import_module("ray.air.execution._internal").RayActorManager))
    before = patched._actor_task_failed
    assert patch_actor_manager()
    assert patched._actor_task_failed is before
    assert before.__wrapped__ is original()


def test_a_ray_without_that_manager_is_left_as_it_is(monkeypatch):
    manager = importlib.import_module("ray.air.execution._internal").RayActorManager
    with monkeypatch.context() as changed:
        changed.delattr(manager, "_actor_task_failed")
        assert not patch_actor_manager()
        assert not hasattr(manager, "_actor_task_failed")
    monkeypatch.setitem(sys.modules, "ray.air.execution._internal", None)
    assert not patch_actor_manager()


# -- private_gcs

ATTRIBUTES = [
    ("ray._private.services", "canonicalize_bootstrap_address"),
    ("ray._private.services", "find_node_ids"),
    ("ray._private.authentication.authentication_token_setup", "ensure_token_if_auth_enabled"),
    ("ray._raylet", "GcsClient"),
    ("ray._raylet", "InnerGcsClient.get_all_node_info"),  # GcsClient passes calls on to it
    ("ray.exceptions", "AuthenticationError"),
]


@pytest.mark.parametrize(("module", "name"), ATTRIBUTES, ids=lambda part: part.rpartition(".")[2])
def test_this_ray_has_what_the_look_at_a_cluster_uses(module, name):
    """Where it fails, ``run --address`` goes without that look: oracle/run/ray/private_gcs.py follows Ray, or is deleted.

    It can be deleted, too, once ``ray.init`` at an address where no Ray answers fails within seconds.
    """
    assert attribute(module, name, "private_gcs")


SETUP = "ray._private.authentication.authentication_token_setup"


@pytest.fixture
def no_token_needed(monkeypatch):
    """A machine may have no token yet, nor a node."""
    monkeypatch.setattr(f"{SETUP}.ensure_token_if_auth_enabled", lambda create_token_if_missing: None)
    monkeypatch.setattr("ray._private.services.find_node_ids", set)


@pytest.fixture(params=["ray._private.services", SETUP, "attribute", "signature"])
def another_ray(request, no_token_needed, monkeypatch):
    """A Ray without a private module, without an attribute of one, or with another signature."""
    if request.param == "attribute":
        monkeypatch.delattr("ray._raylet.GcsClient")
    elif request.param == "signature":
        monkeypatch.setattr("ray._raylet.GcsClient", lambda host, port: None)
    else:
        monkeypatch.setitem(sys.modules, request.param, None)


def test_a_ray_without_the_private_client_gives_no_look_at_a_cluster(another_ray):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert lookup.nodes_at(address) is None
        assert check_resources(Compute(gpus_per_trial=1), address) is None  # the run waits for such a node


@pytest.mark.parametrize("address", ["nonsense", "local", "ray://127.0.0.1:10001", "127.0.0.1:1"])
def test_even_so_what_is_no_address_and_where_nothing_listens_are_one_line(another_ray, address):
    with pytest.raises(InputError, match=f"^--address must be .* got '{address}'"):
        check_resources(Compute(), address)


@pytest.mark.parametrize(
    "error", [ConnectionError, RuntimeError, ValueError, AuthenticationError], ids=lambda e: e.__name__
)
def test_then_ray_itself_says_in_one_line_what_is_wrong(another_ray, tiny, tmp_path, monkeypatch, capsys, error):
    def refuse(address, **options):
        raise error("no such\n cluster")

    monkeypatch.setattr("ray.init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert main(["run", str(tiny), "--out", str(tmp_path / "run"), "--address", address]) == 2
    err = capsys.readouterr().err
    assert re.match(f"silo-oracle: --address must .*, got '{address}': no such cluster", err) and err.count("\n") == 1


def test_the_private_client_is_quiet(no_token_needed, monkeypatch, capfd):
    """Ray's core writes to stderr whatever its level of logging."""

    class Client:
        def __init__(self, address):
            os.write(2, b"W 12:00 gcs_client.cc: Failed to connect")

        def get_all_node_info(self, timeout):
            return {}

    monkeypatch.setattr("ray._raylet.GcsClient", Client)
    assert private_gcs.live_nodes("127.0.0.1:1") == {}
    assert capfd.readouterr().err == ""
