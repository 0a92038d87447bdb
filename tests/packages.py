"""Which packages that only some tests need are there."""

from importlib.util import find_spec

import pytest

MISSING = {package for package in ("ray", "optuna") if find_spec(package) is None}


def needs(package):
    """Skip this test where a package is missing. It isn't imported: Ray reads its environment as it is."""
    if package in MISSING:
        pytest.skip(f"{package} is not installed here")
