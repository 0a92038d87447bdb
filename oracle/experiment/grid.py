"""The candidate values of max_lr that a search tries."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from oracle.experiment.component import Strict

MaxLr = Annotated[float, Field(gt=0, le=1e9)]


class Grid(Strict):
    """Candidate values of max_lr: ``points`` from low to high, rounded to 4 significant digits, and any ``extra``;
    or, written as a plain list, just these.
    """

    low: MaxLr | None = None
    high: MaxLr | None = None
    points: Annotated[int, Field(ge=2, le=10**4)] | None = None
    spacing: Literal["log", "linear"] = "log"
    extra: tuple[MaxLr, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _plain_list(cls, value: Any) -> Any:
        return {"extra": value} if isinstance(value, tuple) else value

    @model_validator(mode="after")
    def _complete(self) -> "Grid":
        given = [self.low, self.high, self.points]
        if any(part is None for part in given) and (not self.extra or given != [None] * 3):
            raise ValueError("low, high and points, or a list of at least one value, are allowed")
        if self.low is not None and self.low >= self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
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
