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
