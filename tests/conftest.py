"""Where the folders of all tests lie."""

import os
import shutil
from pathlib import Path

MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # a file system in memory, and the bytes that must be free there


def pytest_configure():
    """Put the folders of tests into memory where there is room: durable writes, thousands of them, wait for a disk each."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
