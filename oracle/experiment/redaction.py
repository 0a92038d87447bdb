"""What may be told elsewhere of where things lie: no path that only one machine, or one user, has, and no password."""

import re
from pathlib import PurePosixPath
from typing import Any

ELSEWHERE = "..."
URL = re.compile(r"([a-z][a-z0-9+.-]*://)(?:([^/?#]*)@)?([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)


def portable(value: Any) -> Any:
    """A value of an experiment file as it may be told elsewhere.

    Of a path that leaves the folder one is in only its last name is left (``.../name``), of a URL neither user nor query.
    What is portable already stays as it is.
    """
    if isinstance(value, dict):
        return {key: portable(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [portable(held) for held in value]
    if not isinstance(value, str):
        return value
    if url := URL.fullmatch(value):
        scheme, _, host_and_path, _ = url.groups()
        return portable(host_and_path) if host_and_path.startswith("/") else scheme + host_and_path
    if value.startswith(("/", "~")) or ".." in value.split("/"):
        name = PurePosixPath(value).name
        return ELSEWHERE if name in ("", "..") or name.startswith("~") else f"{ELSEWHERE}/{name}"
    return value


def first_private(value: Any, field: str) -> tuple[str, str] | None:
    """The first field below ``field`` that holds a path from the root or from a home, or a URL with a user; and its value."""
    if isinstance(value, dict):
        parts = ((f"{field}.{key}", held) for key, held in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"{field}.{at}", held) for at, held in enumerate(value))
    elif isinstance(value, str):
        url = URL.fullmatch(value)
        return (field, value) if value.startswith(("/", "~")) or (url and url[2] is not None) else None
    else:
        return None
    return next((found for name, held in parts if (found := first_private(held, name))), None)
