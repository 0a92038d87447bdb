"""In which order all tests run, and where their folders lie."""

import os
import shutil
from pathlib import Path

MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # a file system in memory, and the bytes that must be free there


FIRST = (
    "tests/test_chaos.py",
    "tests/test_cluster_files.py",
)  # the longest: else one worker would have them at the end


def pytest_collection_modifyitems(items):
    """Put the longest files first: with ``--dist loadfile`` they begin at once, on a worker each."""
    rank = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.location[0], len(FIRST)))


def pytest_configure():
    """Put the folders of tests into memory where there is room: durable writes, thousands of them, wait for a disk each."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
