"""Durations carry their unit: ``10ep`` is ten epochs, ``20000it`` twenty thousand iterations, ``10%`` a tenth of the cycle."""

import re

FORM = "a duration with its unit, such as 10ep (epochs), 20000it (iterations) or 10% (of the cycle)"


class Duration(str):
    """A whole number of epochs or iterations, 0 to 10^12 - 1, or of hundredths of the cycle, with its unit.

    Args:
        text: The number and ``ep``, ``it`` or ``%`` (0 to 100), such as ``10ep``; leading zeros are dropped.

    Raises:
        ValueError: For anything else, a bare number included.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Duration":
        match = re.fullmatch(r"0*([0-9]{1,12})(ep|it|%)", text) if isinstance(text, str) else None
        if match is None or (match[2] == "%" and int(match[1]) > 100):
            raise ValueError(f"text must be {FORM}, got {text!r}")
        return super().__new__(cls, match[1] + match[2])

    @property
    def count(self) -> int:
        """How many epochs, iterations or hundredths of the cycle, at least 0."""
        return int(self.removesuffix(self.unit))

    @property
    def unit(self) -> str:
        """``ep``, ``it`` or ``%``."""
        return "%" if self.endswith("%") else self[-2:]

    def iterations(self, steps_per_epoch: int, epochs: int | None = None) -> int:
        """The duration counted in iterations; of a share of the cycle, the whole ones in it.

        >>> [Duration(text).iterations(steps_per_epoch=7, epochs=5) for text in ("2ep", "4it", "10%")]
        [14, 4, 3]

        Args:
            steps_per_epoch: Iterations of an epoch, at least 1.
            epochs: Epochs of the cycle, at least 1, of which ``%`` is a share; the other units don't need it.

        Raises:
            ValueError: Where it is a share of the cycle, and that cycle's epochs aren't given.
        """
        if self.unit == "%":
            if epochs is None:
                raise ValueError(f"epochs must be given where a duration is a share of the cycle, got {self}")
            return self.count * int(steps_per_epoch) * int(epochs) // 100
        return self.count * (int(steps_per_epoch) if self.unit == "ep" else 1)


def duration(name: str, value: object) -> Duration:
    """The value of a parameter of this name as a Duration.

    Raises:
        ValueError: Where it is none; the message begins with the name.
    """
    try:
        return Duration(value)
    except ValueError:
        raise ValueError(f"{name} must be {FORM}, got {value!r}") from None
