"""Files that others may have made: no more is read of one than what it should hold needs."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

MAX_BYTES = 2**24  # of JSON: a record of 100,000 epochs takes two thirds of it
MAX_DEPTH = 50  # of lists and mappings in each other
MAX_CONTAINERS = 5 * 10**5  # lists and mappings
REFUSED = LINK, NO_FILE = "a link, which may lead anywhere", "a device or a pipe"
TOO_DEEP = f"lists and mappings more than {MAX_DEPTH} deep"


def open_file(path: Path, follow: bool = False) -> BinaryIO:
    """Open a file to read; nothing is waited for, and a link is followed only where that is wanted.

    Raises:
        ValueError: it is a link, or no file but a device or a pipe, which may have no end.
        OSError: it can't be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise ValueError(NO_FILE) from error
        if error.errno == errno.ELOOP and not follow:
            raise ValueError(LINK) from error
        raise
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise ValueError(NO_FILE)


def read_file(path: Path, at_most: int, follow: bool = False) -> bytes:
    """Return what a file holds.

    Raises:
        ValueError: it holds more bytes, or :func:`open_file` refuses it.
        OSError: it can't be read.
    """
    with open_file(path, follow) as file:
        if (size := os.fstat(file.fileno()).st_size) > at_most:
            raise ValueError(f"{size} bytes, more than the {at_most} that it may have")
        content = file.read(at_most + 1)
    if len(content) > at_most:  # a file of the kernel's, whose size isn't known before
        raise ValueError(f"more than the {at_most} bytes that it may have")
    return content


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, however deep.

    Raises:
        ValueError: it isn't JSON, holds NaN or infinity, or is more than this suite writes; or it is a link or no file.
        OSError: it can't be read.
    """
    content = read_file(path, MAX_BYTES)
    containers = content.count(b"[") + content.count(b"{")  # in strings, too: at least as many as there are
    if containers > MAX_CONTAINERS:
        raise ValueError(f"{containers} lists and mappings, more than the {MAX_CONTAINERS} that it may have")
    try:
        return json.loads(content, parse_constant=_refuse)
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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant}, which is no number")
