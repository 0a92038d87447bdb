"""How many trainings this machine, or a cluster, has room for."""

import math
import os
import socket
from collections.abc import Iterable

import torch

from oracle.error import FieldError, InputError
from oracle.experiment.compute import Compute
from oracle.run.optional import is_installed, require
from oracle.run.ray.lookup import Node, nodes_at
from oracle.run.scratch import scratch_place

RAY = ("ray", "pyarrow", "fsspec")  # pip install ray, without [tune], installs the first alone


def check_resources(compute: Compute, address: str | None) -> int | None:
    """Return how many trainings there is room for now; None where this version of Ray can't tell of a cluster.

    Starts nothing. With compute.workers given a cluster may have no room yet: an autoscaler may start a node that has.

    Args:
        compute: What a training needs, and how many are wanted at once.
        address: Of a running cluster (HOST:PORT or auto); None: this machine alone.

    Raises:
        FieldError: No node has what a training needs.
        InputError: Ray is missing, or the cluster can't be used; see :func:`oracle.run.ray.lookup.nodes_at`.
    """
    if address is None:
        return check_this_machine(compute)
    require_ray()
    nodes = nodes_at(address)
    if nodes is None:
        return None
    room = capacity(compute, nodes)
    if room == 0 and compute.workers is None:
        largest = max(nodes, key=lambda node: (node.get("GPU", 0), node.get("CPU", 0)))
        kind = "GPU" if compute.gpus_per_trial > largest.get("GPU", 0) else "CPU"
        needed = compute.gpus_per_trial if kind == "GPU" else compute.cpus_per_trial
        has = f"its largest node has {largest.get('CPU', 0):g} CPUs and {largest.get('GPU', 0):g} GPUs"
        raise FieldError(
            f"compute.{kind.lower()}s_per_trial must be at most what a node of the cluster has, got {needed:g}: {has}; "
            "compute.workers makes the run wait for nodes that are still to come"
        )
    return room


def has_ray() -> bool:
    """Return whether Ray is installed, with what its Tune needs."""
    return all(map(is_installed, RAY))


def require_ray() -> None:
    """Check that Ray is installed, with what its Tune needs; raises InputError."""
    for package in RAY:
        require(package, "ray[tune]", "to train in several processes; `run --local` trains without it")


def check_this_machine(compute: Compute) -> int:
    """Return how many trainings there is room for on this machine.

    Raises:
        FieldError: It has no such GPUs.
        InputError: It has no place for temporary files, or its processes can't talk to each other.
    """
    scratch_place()  # a private Ray's
    _check_loopback()
    room = capacity(compute, [this_machine(compute)])
    if room == 0:
        gpus = torch.cuda.device_count()
        limit = f"at most {gpus}, the CUDA GPUs of this machine" if gpus else "0 where no CUDA GPU is visible"
        raise FieldError(f"compute.gpus_per_trial must be {limit}, got {compute.gpus_per_trial:g}")
    return room


def _check_loopback() -> None:
    """Raise InputError where 127.0.0.1, on which a private Ray's processes listen, can't be reached: Ray tries for minutes."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        fix = "`run --local` trains without Ray, which needs it"
        raise InputError(f"this machine's 127.0.0.1 must be reachable, got {error.strerror or error}; {fix}") from error


def idle_gpus(compute: Compute) -> str:
    """Return a line that says how many GPUs of this machine are idle since it has too few cores; "": none is."""
    if compute.gpus_per_trial == 0 or compute.workers:
        return ""
    machine = this_machine(compute)
    room, gpus, a_gpu = capacity(compute, [machine]), int(machine["GPU"]), _whole(1 / compute.gpus_per_trial)
    idle = gpus - math.ceil(room / a_gpu)
    if idle <= 0:
        return ""
    fix = f"compute.workers={gpus * a_gpu} shares them"
    return f"{idle} of {gpus} GPUs stay idle: {machine['CPU']:g} CPU cores are for {room} trainings at once; {fix}"


def this_machine(compute: Compute) -> Node:
    """Return what a private Ray here has: the cores, or more where that many workers, or so large a training, are wanted.

    Ray takes whole numbers of cores alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpus = max(cores, math.ceil(compute.cpus_per_trial * (compute.workers or 1)))
    return {"CPU": cpus, "GPU": torch.cuda.device_count() if compute.gpus_per_trial else 0}


def capacity(compute: Compute, nodes: Iterable[Node]) -> int:
    """Return how many trainings these nodes hold at once; a share of a GPU is a share of one GPU."""
    return sum(_capacity_of_node(compute, node) for node in nodes)


def _capacity_of_node(compute: Compute, node: Node) -> int:
    cpus, gpus = compute.cpus_per_trial, compute.gpus_per_trial
    by_cpu = _whole(node.get("CPU", 0) / cpus)
    if gpus == 0:
        return by_cpu
    available = node.get("GPU", 0)
    by_gpu = int(available) * _whole(1 / gpus)
    return min(by_cpu, by_gpu)


def _whole(quotient: float) -> int:
    return int(quotient + 1e-6)  # 0.3 / 0.1 is 3


def max_workers(compute: Compute) -> int:
    """Return how many trainings run at once: compute.workers, or as many as the nodes that are alive now hold."""
    import ray

    return compute.workers or capacity(compute, [node["Resources"] for node in ray.nodes() if node["Alive"]])
