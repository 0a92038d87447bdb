"""The Ray that a sweep trains on: a private one on this machine, or the running cluster at an address."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from oracle.error import FieldError, InputError
from oracle.experiment.compute import Compute

# All of it before ray is imported. Quiet, nothing sent anywhere, no files a trial but our own, nobody without the token; with
# glibc's tunables a worker keeps the memory that every training step asks for again.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",  # of its own state, which is never restored
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",  # the searcher knows how many there is room for
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=8589934592",
}
# Of a private Ray: on Linux, too, all its processes then bind 127.0.0.1 alone.
PRIVATE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# Of a driver that looks for a cluster: after so many seconds it says that none answers.
LOOKING = {"RAY_gcs_rpc_server_connect_timeout_s": "2", "RAY_py_gcs_connect_timeout_s": "5"}
# What a worker on another node can't inherit from the driver.
OF_WORKERS = ("RAY_CHDIR_TO_TRIAL_DIR", "GLIBC_TUNABLES", "OMP_NUM_THREADS")

# Seconds that the head may be silent (Ray itself waits 60 for one that comes back), and between two looks at it.
SILENCE, SECONDS_BETWEEN_KNOCKS = 40.0, 5.0

Node = dict[str, float]  # all that a node has, by Ray's names: CPU, GPU, ...


def check(compute: Compute, address: str | None) -> int:
    """How many trainings there is room for; starts nothing. Raises FieldError or InputError, one line and within seconds,
    where none could be started.

    That is where nothing answers at the address, or not to this machine's token, where this machine is no node of the cluster,
    and where no node (without an address: this machine) has what a training asks for. With compute.workers given a cluster may
    have no such node yet: an autoscaler may start one.
    """
    if address is None:
        room = fitting(compute, [_this_machine(compute)])
        if room == 0:
            asked, gpus = compute.gpus_per_trial, torch.cuda.device_count()
            allowed = f"this machine has {gpus} CUDA GPUs" if gpus else "no CUDA GPU is visible here; 0 is allowed"
            raise FieldError(f"compute.gpus_per_trial: {asked:g}: {allowed}")
        return room
    nodes = _nodes_at(address)
    room = fitting(compute, nodes)
    if room == 0 and compute.workers is None:
        largest = max(nodes, key=lambda node: (node.get("GPU", 0), node.get("CPU", 0)))
        has = f"the largest node of the cluster has {largest.get('CPU', 0):g} CPUs and {largest.get('GPU', 0):g} GPUs"
        asked = f"{compute.cpus_per_trial:g} CPUs and {compute.gpus_per_trial:g} GPUs"
        field = "gpus" if compute.gpus_per_trial > largest.get("GPU", 0) else "cpus"
        waits = "compute.workers makes it wait for nodes that are still to come"
        raise FieldError(f"compute.{field}_per_trial: a training asks for {asked}, and {has}; {waits}")
    return room


def fitting(compute: Compute, nodes: list[Node]) -> int:
    """How many trainings these nodes hold at once; a share of a GPU is of one GPU."""
    return sum(_fitting(compute, node) for node in nodes)


def _fitting(compute: Compute, node: Node) -> int:
    cpus, gpus = compute.cpus_per_trial, compute.gpus_per_trial
    by_cpu = _whole(node.get("CPU", 0) / cpus)
    if gpus == 0:
        return by_cpu
    has = node.get("GPU", 0)
    return min(by_cpu, _whole(has / gpus) if gpus >= 1 else int(has) * _whole(1 / gpus))


def _whole(quotient: float) -> int:
    return int(quotient + 1e-6)  # 0.3 / 0.1 is 3


def _this_machine(compute: Compute) -> Node:
    """Its cores, or more where the experiment wants so many workers, or such a large training."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpus = max(cores, compute.cpus_per_trial * (compute.workers or 1))
    return {"CPU": cpus, "GPU": torch.cuda.device_count() if compute.gpus_per_trial else 0}


def _nodes_at(address: str) -> list[Node]:
    """What the live nodes of a cluster have; looks without connecting, which would take minutes where nothing answers."""
    prepare(LOOKING)
    from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled
    from ray._private.services import canonicalize_bootstrap_address, find_node_ids
    from ray._raylet import GcsClient
    from ray.exceptions import AuthenticationError, RayError

    try:
        if "://" in address:  # a Ray client's: it could not share the run folder
            raise ValueError
        resolved = canonicalize_bootstrap_address(address)
        if resolved is None:
            raise ValueError
        _knock(resolved)
        ensure_token_if_auth_enabled(create_token_if_missing=False)
        with _nothing_on_stderr():
            infos = GcsClient(address=resolved).get_all_node_info(timeout=10)
    except ValueError as error:
        raise InputError(f"--address: {address}: HOST:PORT of a running Ray cluster, or auto, is allowed") from error
    except AuthenticationError as error:
        hint = "RAY_AUTH_TOKEN, or the file RAY_AUTH_TOKEN_PATH (~/.ray/auth_token), must hold the cluster's"
        raise InputError(f"--address: {address}: the authentication token is missing or wrong: {hint}") from error
    except (OSError, RayError) as error:
        start = "`ray start --head` starts one"
        raise InputError(f"--address: {address}: no Ray cluster answers there; {start}") from error
    alive = {node.hex(): info for node, info in infos.items() if info.state == info.ALIVE}
    if not find_node_ids() & alive.keys():
        start = f"`ray start --address={address}` makes it one"
        raise InputError(f"--address: {address}: this machine is no node of that cluster; {start}")
    return [dict(info.resources_total) for info in alive.values()]


@contextmanager
def connected(compute: Compute, address: str | None) -> Iterator[None]:
    """Ray, ready to be used: a private one, that goes with the driver, or the cluster at the address.

    Raises InputError where that cluster won't have this driver (of other versions, say).
    """
    prepare(PRIVATE if address is None else LOOKING)
    import ray

    before = signal.getsignal(signal.SIGTERM)
    try:
        _start(compute, address)
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
        # the end of a batch job, `ray job stop`: as Ctrl-C. Ray's own handler would drain its node for 30 seconds
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        ended = threading.Event()
        head = ray.get_runtime_context().gcs_address
        threading.Thread(target=_end_without, args=(head, ended), daemon=True).start()
        try:
            yield
        finally:
            ended.set()
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, before)


def _start(compute: Compute, address: str | None) -> None:
    import ray

    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            here = _this_machine(compute)
            cpus = max(1, round(here["CPU"]))
            ray.init("local", num_cpus=cpus, num_gpus=here["GPU"], include_dashboard=False, **quiet)
        else:
            ray.init(address, runtime_env={"env_vars": _worker_environment()}, **quiet)
    except SystemExit as error:  # what Ray makes of SIGTERM while it starts
        raise KeyboardInterrupt from error
    except (RuntimeError, OSError) as error:
        if address is None:
            raise
        raise InputError(f"--address: {address}: {' '.join(str(error).split())}") from error


def _end_without(head: str, ended: threading.Event) -> None:
    """End this process, with one line, once the head has been silent for long.

    Ray waits a minute in calls that no exception ends, and then ends the process with messages of its own.
    """
    heard = time.monotonic()
    while not ended.wait(SECONDS_BETWEEN_KNOCKS):
        with suppress(OSError):
            _knock(head)
            heard = time.monotonic()
        if time.monotonic() - heard > SILENCE and not ended.is_set():
            shown = "\033[?25h" if sys.stderr.isatty() else ""  # the cursor, which the display hides
            told = (
                f"silo-oracle: the head of the Ray cluster is gone; what is recorded stays: run again to go on{shown}"
            )
            print(told, file=sys.stderr, flush=True)
            os._exit(1)


def _knock(address: str) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()


def slots(compute: Compute) -> int:
    """How many trainings run at once: as many as the experiment says, or as fit on the nodes that are alive now."""
    import ray

    return compute.workers or fitting(compute, [node["Resources"] for node in ray.nodes() if node["Alive"]])


def _worker_environment() -> dict[str, str]:
    suite = str(Path(__file__).parents[3])  # where it isn't installed: a checkout
    here = [str(Path.cwd()), suite, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(here)} | {name: os.environ[name] for name in OF_WORKERS if name in os.environ}


def prepare(more: dict[str, str]) -> None:
    """What ray reads from the environment when it is imported; what the user has set stands."""
    for name, value in {**ENVIRONMENT, **more}.items():
        os.environ.setdefault(name, value)


@contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    """Ray's core writes there whatever its level of logging."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
