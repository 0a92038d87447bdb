"""Durations carry their unit: ``10ep`` is ten epochs, ``20000it`` twenty thousand iterations."""

import re

FORM = "a duration with its unit, such as 10ep (epochs) or 20000it (iterations)"


class Duration(str):
    """A whole number of epochs or iterations, 0 to 10^12 - 1, written with its unit; leading zeros are dropped.

    Args:
        text: The number and ``ep`` or ``it``, such as ``10ep``.

    Raises:
        ValueError: For anything else, a bare number included.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Duration":
        match = re.fullmatch(r"0*([0-9]{1,12})(ep|it)", text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"text must be {FORM}, got {text!r}")
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
        """The duration counted in iterations, of which an epoch has ``steps_per_epoch``."""
        return self.count * (steps_per_epoch if self.unit == "ep" else 1)


def duration(name: str, value: object) -> Duration:
    """The value of a parameter of this name as a Duration.

    Raises:
        ValueError: Where it is none; the message begins with the name.
    """
    try:
        return Duration(value)
    except ValueError:
        raise ValueError(f"{name} must be {FORM}, got {value!r}") from None
