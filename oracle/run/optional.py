"""Packages that only some ways of running need: where one is missing, that is one line, before anything is written."""

from importlib.util import find_spec

from oracle.error import InputError


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    return find_spec(package) is not None


def require(package: str, install: str, purpose: str) -> None:
    """Check that a package is there.

    Args:
        package: its name, such as ray.
        install: what pip installs it by.
        purpose: what needs it, and what goes without, such as "for a search that is adaptive".

    Raises:
        InputError: it is missing.
    """
    if not is_installed(package):
        raise InputError(f"{package} must be installed {purpose} (pip install '{install}'), got none here")
