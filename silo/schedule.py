"""max_lr of a pruning cycle: SILO's S-shaped growth, one constant, or a table."""

import math
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """Anything that tells the max_lr (> 0) of a pruning cycle (0, 1, 2, ...)."""

    def max_lr(self, cycle: int) -> float: ...


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _check_rate(name: str, value: float) -> None:
    if not (_is_finite(value) and value > 0):
        raise ValueError(f"{name}: {value!r}: a finite number above 0 is allowed")


def _check_cycle(cycle: int) -> None:
    if not isinstance(cycle, int) or cycle < 0:
        raise ValueError(f"cycle: {cycle!r}: a whole number, 0 or more, is allowed")


@dataclass(frozen=True)
class SiloSchedule:
    """SILO: max_lr grows in an S-shape as the network is pruned (arXiv 2212.06144; formula read from the released code).

    With p the pruning rate, q the delay and m the cycle::

        max_lr(m) = epsilon                                             for m <= q
        max_lr(m) = epsilon + delta / (1 + (gamma/(1-gamma))**(-beta))  for m > q,  gamma = 1 - (1-p)**(m-q)

    epsilon     max_lr of the dense network (> 0)
    delta       how far max_lr grows (>= 0); it tends to epsilon + delta
    beta        steepness of the S (> 0)
    delay       q, the cycles that still train at epsilon (>= 0)
    prune_rate  p, the share of the alive weights that goes at each cycle (between 0 and 1)

    >>> silo = SiloSchedule(epsilon=0.03, delta=0.04, beta=5, delay=1, prune_rate=0.2)
    >>> [round(silo.max_lr(m), 6) for m in (0, 1, 2, 5, 24)]
    [0.03, 0.03, 0.030039, 0.064461, 0.07]

    Raises ValueError for any other value, so that a typing error never becomes a constant rate.
    """

    epsilon: float
    delta: float
    beta: float
    delay: int
    prune_rate: float

    def __post_init__(self) -> None:
        _check_rate("epsilon", self.epsilon)
        _check_rate("beta", self.beta)
        if not (_is_finite(self.delta) and self.delta >= 0):
            raise ValueError(f"delta: {self.delta!r}: a finite number, 0 or more, is allowed")
        if not isinstance(self.delay, int) or self.delay < 0:
            raise ValueError(f"delay: {self.delay!r}: a whole number of cycles, 0 or more, is allowed")
        if not (_is_finite(self.prune_rate) and 0 < self.prune_rate < 1):
            raise ValueError(f"prune_rate: {self.prune_rate!r}: a number between 0 and 1, ends excluded, is allowed")

    def max_lr(self, cycle: int) -> float:
        """max_lr of a pruning cycle (0 trains the dense network)."""
        _check_cycle(cycle)
        if cycle <= self.delay:
            return self.epsilon
        remaining = (1 - self.prune_rate) ** (cycle - self.delay)  # 1 - gamma
        if remaining == 0:  # underflow, hundreds of cycles on: the limit
            return self.epsilon + self.delta
        if remaining == 1:  # a rate too small for a double: nothing is pruned yet
            return self.epsilon
        log_odds = math.log1p(-remaining) - math.log(remaining)  # of gamma; logs, as the power itself can overflow
        exponent = -self.beta * log_odds
        return self.epsilon + (self.delta / (1 + math.exp(exponent)) if exponent < 700 else 0.0)


@dataclass(frozen=True)
class ConstantSchedule:
    """The same max_lr (> 0) at every pruning cycle: the simplest rival."""

    value: float

    def __post_init__(self) -> None:
        _check_rate("value", self.value)

    def max_lr(self, cycle: int) -> float:
        """The constant, whatever the cycle."""
        _check_cycle(cycle)
        return self.value


@dataclass(frozen=True)
class TableSchedule:
    """One max_lr (> 0) for each pruning cycle, such as an Oracle's winners; beyond its end it raises ValueError."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ValueError("values: empty: one max_lr for each pruning cycle is due")
        for cycle, value in enumerate(self.values):
            _check_rate(f"values[{cycle}]", value)

    def max_lr(self, cycle: int) -> float:
        """The table's value at this cycle."""
        _check_cycle(cycle)
        if cycle >= len(self.values):
            raise ValueError(f"cycle: {cycle}: the table ends at cycle {len(self.values) - 1}")
        return self.values[cycle]


SCHEDULES = {"constant": ConstantSchedule, "table": TableSchedule}
