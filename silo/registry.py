"""Built-in parts by name, each imported when it is looked up: a list of names costs no import of torch."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any


class Registry(Mapping[str, Any]):
    """Functions and classes by name.

    >>> Registry({"square root": "math:sqrt"})["square root"](9)
    3.0

    Args:
        places: Where each name's part is: ``module:attribute``.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self._places[name].partition(":")
        return getattr(import_module(module), attribute)

    def __contains__(self, name: object) -> bool:
        return name in self._places  # as Mapping has it, it would import the part

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
