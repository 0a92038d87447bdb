"""Environment variables that Ray reads when it is imported, and those that its workers get."""

import os
from pathlib import Path

from oracle.run.scratch import scratch_place

# Quiet, nothing sent anywhere, no files a trial but our own, nobody without the token; with glibc's tunables a worker keeps the
# memory that every training step asks for again.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",  # Tune's own state is never restored
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",  # the searcher knows how many there is room for
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=8589934592",
}
# Of somebody's own use of Tune and Ray (where results lie, where a head keeps its state): Tune refuses some of these to be set,
# others would change what the suite relies on, a private Ray would look for the head's store.
NOT_OURS = ("TUNE_", "RAY_TUNE_", "RAY_AIR_", "RAY_REDIS_")
# For a private Ray: on Linux, too, all its processes then bind 127.0.0.1 alone.
PRIVATE_RAY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# For a driver that looks for a cluster: after so many seconds it says that none answers.
CLUSTER_DRIVER = {"RAY_gcs_rpc_server_connect_timeout_s": "2", "RAY_py_gcs_connect_timeout_s": "5"}
# What a worker on another node can't inherit from the driver.
WORKER_VARIABLES = ("RAY_CHDIR_TO_TRIAL_DIR", "GLIBC_TUNABLES", "OMP_NUM_THREADS")


def set_environment(more: dict[str, str]) -> None:
    """Set ENVIRONMENT and more in this process; what the user has set stands, unless it is NOT_OURS.

    Call it before ray is imported.
    """
    for name in [name for name in os.environ if name.startswith(NOT_OURS)]:
        del os.environ[name]
    for name, value in {**ENVIRONMENT, **more}.items():
        os.environ.setdefault(name, value)
    try:
        Path.home()
    except RuntimeError:  # no HOME, no entry in passwd; Ray looks for it as it is imported, and writes nothing there
        os.environ["HOME"] = str(scratch_place())


def worker_environment() -> dict[str, str]:
    """Return the variables for the workers of a cluster, so that they import what the driver imports."""
    suite = str(Path(__file__).parents[3])  # where it isn't installed: a checkout
    path = [str(Path.cwd()), suite, *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {name: os.environ[name] for name in WORKER_VARIABLES if name in os.environ}
    return {"PYTHONPATH": os.pathsep.join(path)} | inherited
