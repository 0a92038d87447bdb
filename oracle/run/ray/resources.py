"""How many trainings this machine, or a cluster, has room for."""

import os
from collections.abc import Iterable

import torch

from oracle.error import FieldError
from oracle.experiment.compute import Compute
from oracle.run.optional import require
from oracle.run.ray.lookup import Node, nodes_at
from oracle.run.scratch import scratch_place


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


def require_ray() -> None:
    """Check that Ray is installed; raises InputError."""
    require("ray", "ray[tune]", "to train in several processes; `run --local` trains without it")


def check_this_machine(compute: Compute) -> int:
    """Return how many trainings there is room for on this machine.

    Raises:
        FieldError: It has no such GPUs.
        InputError: It has no place for temporary files.
    """
    scratch_place()  # a private Ray's
    room = capacity(compute, [this_machine(compute)])
    if room == 0:
        gpus = torch.cuda.device_count()
        limit = f"at most {gpus}, the CUDA GPUs of this machine" if gpus else "0 where no CUDA GPU is visible"
        raise FieldError(f"compute.gpus_per_trial must be {limit}, got {compute.gpus_per_trial:g}")
    return room


def this_machine(compute: Compute) -> Node:
    """Return what a private Ray here has: the cores, or more where that many workers, or so large a training, are wanted."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpus = max(cores, compute.cpus_per_trial * (compute.workers or 1))
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
    by_gpu = _whole(available / gpus) if gpus >= 1 else int(available) * _whole(1 / gpus)
    return min(by_cpu, by_gpu)


def _whole(quotient: float) -> int:
    return int(quotient + 1e-6)  # 0.3 / 0.1 is 3


def max_workers(compute: Compute) -> int:
    """Return how many trainings run at once: compute.workers, or as many as the nodes that are alive now hold."""
    import ray

    return compute.workers or capacity(compute, [node["Resources"] for node in ray.nodes() if node["Alive"]])
