"""In which order all tests run, where their folders lie, and which are skipped where Ray or Optuna is missing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

# what only some tests need; a machine with a GPU that is lent may have neither
MISSING = {package for package in ("ray", "optuna") if find_spec(package) is None}

MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # a file system in memory, and the bytes that must be free there


# the longest files, which else would keep one worker busy at the end; those that start clusters not beside each other
FIRST = ("test_chaos.py", "test_benchmarks.py", "test_cluster_files.py", "test_released_recipe.py")


def pytest_collection_modifyitems(items):
    """Put the longest files first: ``--dist loadfile`` gives them out in this order."""
    rank = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(FIRST)))


def pytest_configure():
    """Put the folders of tests into memory where there is room: durable writes, thousands of them, wait for a disk each."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@contextmanager
def skipped_without_packages() -> Iterator[None]:
    """Skip a test that came to import a package that isn't installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in MISSING:
            pytest.skip(f"{package} is not installed here")
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    with skipped_without_packages():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    with skipped_without_packages():
        return (yield)
