"""The candidate values of max_lr that a search tries."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from oracle.experiment.component import Strict
from oracle.experiment.message import InnerFieldError
from oracle.experiment.number import MaxLr, number


class Grid(Strict):
    """Candidate values of max_lr: values spaced from low to high, and any others; or, written as a plain list, just these.

    Args:
        low: The least of the spaced values, above 0.
        high: The greatest of them, above ``low``, at most 1e9.
        points: How many there are, 2 to 10000, each rounded to 4 significant digits. ``low``, ``high`` and ``points`` are
            given together, or none of them.
        spacing: "log" (equal ratios) or "linear" (equal differences).
        extra: Values beside them, each above 0 and at most 1e9.
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
    def _complete(self) -> "Grid":
        missing = [part is None for part in (self.low, self.high, self.points)]
        if any(missing) and not (all(missing) and self.extra):
            raise ValueError("must have low, high and points, or be a list of at least one value")
        if self.low is not None and self.low >= self.high:
            raise InnerFieldError("low", f"must be below high ({self.high}), got {self.low}")
        return self

    def values(self) -> tuple[float, ...]:
        """Every candidate once, rising."""
        spaced = []
        if self.points:
            steps = [i / (self.points - 1) for i in range(self.points)]
            if self.spacing == "log":
                low, high = math.log(self.low), math.log(self.high)
                spaced = [math.exp(low + (high - low) * step) for step in steps]
            else:
                spaced = [self.low + (self.high - self.low) * step for step in steps]
        return tuple(sorted({float(f"{value:.4g}") for value in spaced} | set(self.extra)))
