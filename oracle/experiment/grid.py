"""The candidate values of max_lr that a search tries."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ValidationInfo, model_validator

from oracle.experiment.component import Strict
from oracle.experiment.message import InnerFieldError
from oracle.experiment.number import GREATEST_MAX_LR, LEAST_MAX_LR, MaxLr, number
from oracle.experiment.schema import Or

DIGITS = 4  # significant ones of a spaced value
NEAR = 1e-6  # relative difference up to which two values are one: single precision's last digits lie below


class Grid(Strict):
    """Candidate values of max_lr: values spaced from low to high, and any others; or, written as a plain list, just these.

    Values that differ in their last digits alone are one candidate: their trainings would give equal accuracies, which would
    pass for measurements without noise.

    Args:
        low: The least of the spaced values, at least 1e-30.
        high: The greatest of them, above ``low``, at most 1e9.
        points: How many there are, 2 to 10000, each rounded to 4 significant digits, by which they must
            differ. ``low``, ``high`` and ``points`` are given together, or none of them.
        spacing: "log" (equal ratios) or "linear" (equal differences).
        extra: Values beside them, each 1e-30 to 1e9; one that rounds to a spaced value is that value.
    """

    low: MaxLr | None = None
    high: MaxLr | None = None
    points: number(int, at_least=2, at_most=10**4) | None = None
    spacing: Literal["log", "linear"] = "log"
    extra: tuple[MaxLr, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _plain_list(cls, value: Any) -> Any:
        if isinstance(value, tuple):
            return {"extra": value}
        if not isinstance(value, Mapping | Grid):
            raise ValueError("must be a list of values, or a mapping of low, high and points")
        return value

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> "Grid":
        missing = [part is None for part in (self.low, self.high, self.points)]
        if any(missing) and not (all(missing) and self.extra):
            raise ValueError("must have low, high and points, or be a list of at least one value")
        if self.low is not None and self.low >= self.high:
            raise InnerFieldError("low", f"must be below high ({self.high}), got {self.low}")
        recorded = info.context is not None  # by a version that dropped equal values
        if self.points and not recorded and (different := len(set(map(_rounded, self._spaced())))) < self.points:
            given = f"{self.points} of which {different} do"
            raise InnerFieldError(
                "points", f"must be so few that all differ in {DIGITS} significant digits, got {given}"
            )
        return self

    def values(self) -> tuple[float, ...]:
        """Every candidate once, rising."""
        spaced = set(map(_rounded, self._spaced()))
        values: list[float] = []
        for value in sorted(spaced | {value for value in self.extra if _rounded(value) not in spaced}):
            if values and math.isclose(value, values[-1], rel_tol=NEAR):
                values[-1] = min(values[-1], value, key=_length)
            else:
                values.append(value)
        return tuple(values)

    def _spaced(self) -> list[float]:
        if not self.points:
            return []
        steps = [i / (self.points - 1) for i in range(self.points)]
        if self.spacing == "log":
            low, high = math.log(self.low), math.log(self.high)
            return [math.exp(low + (high - low) * step) for step in steps]
        return [self.low + (self.high - self.low) * step for step in steps]


VALUES = {"type": "number", "minimum": LEAST_MAX_LR, "maximum": GREATEST_MAX_LR}
AnyGrid = Annotated[Grid, Or({"type": "array", "items": VALUES, "minItems": 1, "description": "Just these values."})]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _length(value: float) -> int:
    """How many characters a value takes: of 0.3 and 0.30000000000000004 the first is what was meant."""
    return len(repr(value))
