"""The Ray that a run trains on: a private one on this machine, or the running cluster at an address."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from oracle.error import InputError
from oracle.experiment.compute import Compute
from oracle.run.ray.environment import CLUSTER_DRIVER, PRIVATE_RAY, set_environment, worker_environment
from oracle.run.ray.lookup import check_reachable
from oracle.run.ray.own_folder import own_folder
from oracle.run.ray.resources import this_machine

MAX_SILENCE = 40.0  # seconds that the head may be silent; Ray itself waits 60 for one that comes back
SECONDS_BETWEEN_CHECKS = 5.0  # of whether the head can be reached


@contextmanager
def connected(compute: Compute, address: str | None) -> Iterator[None]:
    """Connect to Ray for a while: a private one, that ends with this process, or the cluster at the address.

    Raises:
        InputError: The cluster won't have this driver (of other versions, say), or a private Ray has no folder for its sockets.
    """
    set_environment(PRIVATE_RAY if address is None else CLUSTER_DRIVER)
    before = signal.getsignal(signal.SIGTERM)
    with own_folder() if address is None else nullcontext():
        import ray

        try:
            _start(compute, address)
            logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
            # SIGTERM is the end of a batch job, `ray job stop`: as Ctrl-C. Ray's own handler would drain its node for 30 s
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            ended = threading.Event()
            head = ray.get_runtime_context().gcs_address
            threading.Thread(target=_exit_without_head, args=(head, ended), daemon=True).start()
            try:
                yield
            finally:
                ended.set()
        finally:
            ray.shutdown()
            signal.signal(signal.SIGTERM, before)


def _start(compute: Compute, address: str | None) -> None:
    import ray
    from ray.exceptions import RayError

    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            node = this_machine(compute)
            ray.init("local", num_cpus=node["CPU"], num_gpus=node["GPU"], include_dashboard=False, **quiet)
        else:
            ray.init(address, runtime_env={"env_vars": worker_environment()}, **quiet)
    except SystemExit as error:  # what Ray makes of SIGTERM while it starts
        raise KeyboardInterrupt from error
    except (RuntimeError, OSError, ValueError, RayError) as error:
        if address is None:
            raise
        reason = " ".join(str(error).split())
        raise InputError(
            f"--address must be of a cluster that this driver can join, got {address!r}: {reason}"
        ) from error


def _exit_without_head(head: str, ended: threading.Event) -> None:
    """End this process, with one line, once the head has been silent for long.

    Ray waits a minute in calls that no exception ends, and then ends the process with messages of its own.
    """
    answered = time.monotonic()
    while not ended.wait(SECONDS_BETWEEN_CHECKS):
        with suppress(OSError):
            check_reachable(head)
            answered = time.monotonic()
        if time.monotonic() - answered > MAX_SILENCE and not ended.is_set():
            show_cursor = "\033[?25h" if sys.stderr.isatty() else ""  # the display hides it
            message = "the head of the Ray cluster is gone; what is recorded stays: run again to go on"
            print(f"silo-oracle: {message}{show_cursor}", file=sys.stderr, flush=True)
            os._exit(1)
