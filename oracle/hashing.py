"""The hash that names trainings, states' checksums and data: short, and the same on every machine."""

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """Return a hash of anything JSON can hold, whatever the order of its keys.

    Args:
        value: dicts, lists, tuples, strings, finite numbers, booleans and None.

    Returns:
        20 hexadecimal digits of a SHA-256.

    Raises:
        ValueError: for NaN or infinity, which JSON doesn't have.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def sealed(held: dict[str, Any]) -> dict[str, Any]:
    """Return a dict that JSON can hold, with a checksum of it."""
    return held | {"checksum": digest(held)}


def unsealed(held: dict[str, Any]) -> dict[str, Any]:
    """Return what :func:`sealed` was given.

    Raises:
        ValueError: where the checksum is another's.
    """
    rest = {name: value for name, value in held.items() if name != "checksum"}
    try:
        same = digest(rest) == held.get("checksum")
    except (RecursionError, ValueError):  # what was never sealed: too deep, or not a number
        same = False
    if not same:
        raise ValueError("must be as it was written, got another checksum")
    return rest
