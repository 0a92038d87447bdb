"""In which order all tests run, and where their folders lie."""

import os
import shutil
from pathlib import Path

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
