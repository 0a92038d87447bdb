"""In which order all tests run, where their folders lie, and which are skipped where Ray or Optuna is missing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import blank
import pytest
from packages import MISSING

MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # a file system in memory, and the bytes that must be free there


# the longest files, which else would keep one worker busy at the end; those that start clusters not beside each other
FIRST = ("test_chaos.py", "test_benchmarks.py", "test_released_recipe.py")


def pytest_collection_modifyitems(items):
    """Put the longest files first: ``--dist loadfile`` gives them out in this order."""
    rank = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(FIRST)))


def pytest_configure():
    """Put the folders of tests into memory where there is room: durable writes, thousands of them, wait for a disk each."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


# the files that can't do without a package
NEED = {
    "ray": ("test_ray_*.py", "test_on_ray.py", "test_many_gpus.py", "test_chaos.py", "test_cluster_files.py"),
    "optuna": ("test_fit.py", "test_export.py", "test_others_words.py", "test_page_commands.py"),
}


def pytest_ignore_collect(collection_path):
    """Pass over the files whose package isn't installed."""
    return True if any(collection_path.match(file) for package in MISSING for file in NEED[package]) else None


@pytest.fixture(scope="module", autouse=True)
def figures_of_reports(request):
    """Blank, but in modules that say REAL_FIGURES."""
    with pytest.MonkeyPatch.context() as patched:
        if not getattr(request.module, "REAL_FIGURES", False):
            for part in ("report", "compare"):
                patched.setattr(f"oracle.report.{part}.save", blank.save)
        yield


@pytest.fixture(autouse=True)
def wide_screen():
    """Lines stay whole, as tests look for them; a test of a narrower screen says so."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", "1000")
        yield


def pytest_report_header():
    return [f"{package} is not installed here, so not tried: {', '.join(NEED[package])}" for package in sorted(MISSING)]


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
