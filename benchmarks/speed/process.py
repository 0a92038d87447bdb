"""Processes that stand ready and do the same work at the same moment, each with the environment it needs."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from oracle.run.ray.environment import ENVIRONMENT

# What Ray gives a worker with one core, and the sweep to every worker.
WORKER = {"OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": ENVIRONMENT["GLIBC_TUNABLES"]}
DEFAULT: dict[str, str] = {}


class Processes:
    """Processes that stand ready; call :meth:`together` as often as need be."""

    def __init__(self, pools: list[ProcessPoolExecutor]) -> None:
        self._pools = pools

    def __len__(self) -> int:
        return len(self._pools)

    def together(self, work: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Do the work in every process; returns each one's result once the last is done. Raises what one raised."""
        futures = [pool.submit(work, *arguments) for pool in self._pools]
        return [future.result() for future in futures]


@contextmanager
def processes(count: int, environment: Mapping[str, str]) -> Iterator[Processes]:
    """Start processes; of the variables that WORKER names they have what ``environment`` says, and nothing else."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pools = [stack.enter_context(ProcessPoolExecutor(1, mp_context=spawn)) for _ in range(count)]
        ready = Processes(pools)
        with _environment(environment):  # a process is started by its first work
            ready.together(os.getpid)
        yield ready


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.pop(name) for name in WORKER if name in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in WORKER:
            os.environ.pop(name, None)
        os.environ.update(before)
