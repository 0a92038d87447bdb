"""Files that others may have made: no more is read of one than what it should hold needs."""

import json
import stat
from pathlib import Path
from typing import Any

MAX_BYTES = 2**24  # of JSON: a record of 100,000 epochs takes two thirds of it
MAX_DEPTH = 50  # of lists and mappings in each other
MAX_CONTAINERS = 5 * 10**5  # lists and mappings
TOO_DEEP = f"lists and mappings more than {MAX_DEPTH} deep"


def read_file(path: Path, at_most: int) -> bytes:
    """Return what a file holds.

    Raises:
        ValueError: it holds more bytes, or is no file but a device or a pipe, which may have no end.
        OSError: it can't be read.
    """
    found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):  # a folder: opening it raises
        raise ValueError("a device or a pipe")
    if found.st_size > at_most:
        raise ValueError(f"{found.st_size} bytes, more than the {at_most} that it may have")
    with path.open("rb") as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:  # a file of the kernel's, whose size isn't known before
        raise ValueError(f"more than the {at_most} bytes that it may have")
    return content


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, however deep.

    Raises:
        ValueError: it isn't JSON, or more of it than this suite writes.
        OSError: it can't be read.
    """
    content = read_file(path, MAX_BYTES)
    containers = content.count(b"[") + content.count(b"{")  # in strings, too: at least as many as there are
    if containers > MAX_CONTAINERS:
        raise ValueError(f"{containers} lists and mappings, more than the {MAX_CONTAINERS} that it may have")
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error


def read_tree(path: Path) -> Any:
    """Return what a JSON file holds that is then walked by recursion; raises as :func:`read_json` does."""
    value = read_json(path)
    level = [value]
    for _ in range(MAX_DEPTH):
        parts = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for part in parts for inner in part]
    if any(isinstance(one, dict | list) for one in level):
        raise ValueError(TOO_DEEP)
    return value
