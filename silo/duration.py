"""Durations carry their unit: ``10ep`` is ten epochs, ``20000it`` twenty thousand iterations."""

import re

ALLOWED = "a duration with its unit, such as 10ep (epochs) or 20000it (iterations)"


class Duration(str):
    """A whole number of epochs or iterations, written with its unit; a bare number raises ValueError."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Duration":
        match = re.fullmatch(r"0*(\d+)(ep|it)", text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"not {ALLOWED}")
        return super().__new__(cls, match[1] + match[2])

    @property
    def count(self) -> int:
        """How many epochs or iterations, at least 0."""
        return int(self[:-2])

    @property
    def unit(self) -> str:
        """``ep`` or ``it``."""
        return self[-2:]

    def iterations(self, steps_per_epoch: int) -> int:
        """The same span counted in iterations."""
        return self.count * (steps_per_epoch if self.unit == "ep" else 1)
