"""max_lr of a pruning cycle: SILO's S-shaped growth, one constant, a table, or a power of the density.

A schedule answers for whole cycles; what the learning rate does within one is its shape (:mod:`silo.shape`).
"""

import math
from dataclasses import dataclass
from typing import Protocol

from silo.number import is_finite, is_whole, plain
from silo.prune_rate import Rate, weights_remaining


class Schedule(Protocol):
    """Anything that has a max_lr for each pruning cycle."""

    def max_lr(self, cycle: int) -> float:
        """The upper bound of the learning rate in a cycle.

        Args:
            cycle: The pruning cycle, from 0, which trains the dense network.

        Returns:
            A finite rate above 0.
        """
        ...


def _rate(name: str, value: float) -> float:
    """A rate as one of Python's own numbers, checked."""
    if not (is_finite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return plain(value)


def _checked_prune_rate(rate: Rate) -> Rate:
    """A pruning rate, or those by cycle, as Python's own numbers, checked."""
    if not isinstance(rate, list | tuple):
        return _share("prune_rate", rate)
    if not rate:
        raise ValueError("prune_rate must be a rate, or one for each cycle, got none")
    return tuple(_share(f"prune_rate[{cycle}]", one) for cycle, one in enumerate(rate))


def _share(name: str, value: float) -> float:
    if not (is_finite(value) and 0 < value < 1):
        raise ValueError(f"{name} must be in (0, 1), got {value!r}")
    return plain(value)


def _checked_cycle(cycle: int) -> int:
    if not is_whole(cycle) or cycle < 0:
        raise ValueError(f"cycle must be a whole number of at least 0, got {cycle!r}")
    return int(cycle)


@dataclass(frozen=True)
class SiloSchedule:
    """SILO: max_lr grows in an S-shape as the network is pruned.

    With p the pruning rate, q the delay and m the cycle, so that gamma is the share of weights pruned in the m - q cycles
    after the delay::

        max_lr(m) = epsilon                                             for m <= q
        max_lr(m) = epsilon + delta / (1 + (gamma/(1-gamma))**(-beta))  for m > q,  gamma = 1 - (1-p)**(m-q)

    Where the rate differs by cycle, gamma goes by the weights remaining: it is 1 - (1-p_q) * ... * (1-p_(m-1)), with p_i the
    share that goes after cycle i, which is the same for one p.

    It starts at epsilon, is epsilon + delta/2 where gamma = 1/2, and tends to epsilon + delta. The released ResNet-20 recipe:

    >>> silo = SiloSchedule(epsilon=0.03, delta=0.04, beta=5, delay=1, prune_rate=0.2)
    >>> [round(silo.max_lr(m), 6) for m in (0, 1, 2, 5, 24)]
    [0.03, 0.03, 0.030039, 0.064461, 0.07]

    Source: arXiv 2212.06144; the formula as the released code has it, for one rate. For a list of rates it is ours.

    Args:
        epsilon: max_lr of the dense network, above 0.
        delta: How far max_lr grows, at least 0.
        beta: Steepness of the S, above 0.
        delay: q, the last cycle that still trains at epsilon, at least 0.
        prune_rate: p, the share of the alive weights that goes after each cycle, in (0, 1); or one for each, from cycle 0, the
            last of which goes on.

    Raises:
        ValueError: For any other value, so that a typing error never becomes a constant rate.
    """

    epsilon: float
    delta: float
    beta: float
    delay: int
    prune_rate: Rate

    def __post_init__(self) -> None:
        epsilon, beta = _rate("epsilon", self.epsilon), _rate("beta", self.beta)
        if not (is_finite(self.delta) and self.delta >= 0):
            raise ValueError(f"delta must be a finite number of at least 0, got {self.delta!r}")
        if not is_whole(self.delay) or self.delay < 0:
            raise ValueError(f"delay must be a whole number of cycles, at least 0, got {self.delay!r}")
        checked = {"epsilon": epsilon, "delta": plain(self.delta), "beta": beta, "delay": int(self.delay)}
        for name, value in (checked | {"prune_rate": _checked_prune_rate(self.prune_rate)}).items():
            object.__setattr__(self, name, value)

    def max_lr(self, cycle: int) -> float:
        """max_lr of a pruning cycle (0 trains the dense network), from epsilon to epsilon + delta.

        Raises:
            ValueError: Where the cycle is no whole number of at least 0.
        """
        cycle = _checked_cycle(cycle)
        if cycle <= self.delay:
            return self.epsilon
        remaining = weights_remaining(self.prune_rate, cycle, since=self.delay)  # 1 - gamma
        if remaining == 0:  # underflow, hundreds of cycles on: the limit
            return self.epsilon + self.delta
        if remaining == 1:  # a rate too small for a double: nothing is pruned yet
            return self.epsilon
        log_odds = math.log1p(-remaining) - math.log(remaining)  # of gamma; logs, as the power itself can overflow
        exponent = -self.beta * log_odds
        return self.epsilon + (self.delta / (1 + math.exp(exponent)) if exponent < 700 else 0.0)


@dataclass(frozen=True)
class ConstantSchedule:
    """max_lr(m) = value at every pruning cycle m: the simplest rival.

    Args:
        value: The max_lr, finite and above 0.

    Raises:
        ValueError: For any other value.
    """

    value: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _rate("value", self.value))

    def max_lr(self, cycle: int) -> float:
        """The constant, whatever the cycle.

        Raises:
            ValueError: Where the cycle is no whole number of at least 0.
        """
        _checked_cycle(cycle)
        return self.value


@dataclass(frozen=True)
class TableSchedule:
    """max_lr(m) = values[m]: one max_lr for each pruning cycle m, such as an Oracle's winners.

    >>> TableSchedule((0.1, 0.3, 0.2)).max_lr(2)
    0.2

    Args:
        values: The max_lr of cycle 0, 1, ..., each finite and above 0; at least one.

    Raises:
        ValueError: For any other values.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        values = tuple(_rate(f"values[{cycle}]", value) for cycle, value in enumerate(self.values))
        if not values:
            raise ValueError("values must hold one max_lr for each pruning cycle, got none")
        object.__setattr__(self, "values", values)

    def max_lr(self, cycle: int) -> float:
        """The table's value at this cycle.

        Raises:
            ValueError: Where the cycle is no whole number of at least 0, or lies beyond the table's end.
        """
        cycle = _checked_cycle(cycle)
        if cycle >= len(self.values):
            raise ValueError(f"values must reach to cycle {cycle}, got {len(self.values)} (from cycle 0)")
        return self.values[cycle]


@dataclass(frozen=True)
class DensityPower:
    """max_lr(m) = value * d**(-exponent), d the share of the weights that remains in cycle m.

    An exponent of 0 is one constant; 1/2 is SMET's rule and 1 SuPar's, whose wider initialization is the restart
    ``Reinit(widen=True)``. It was made for AdamW, random static masks and each layer's own density, so that under SGD, and
    with one max_lr for all layers, this is an approximation.

    >>> smet = DensityPower(value=0.1, exponent=0.5, prune_rate=0.2)
    >>> [round(smet.max_lr(m), 4) for m in (0, 4, 7, 10)]
    [0.1, 0.1562, 0.2184, 0.3052]

    Source: SMET: arXiv 2606.00888; SuPar: Dey et al. 2024, arXiv 2405.15743; that one exponent holds both is ours.

    Args:
        value: max_lr of the dense network, finite and above 0.
        exponent: How fast max_lr grows as the network is pruned: a finite number; below 0 it falls.
        prune_rate: As of :class:`SiloSchedule`. An experiment file doesn't give it: it is ``prune.rate``.

    Raises:
        ValueError: For any other value.
    """

    value: float
    exponent: float
    prune_rate: Rate

    def __post_init__(self) -> None:
        if not is_finite(self.exponent):
            raise ValueError(f"exponent must be a finite number, got {self.exponent!r}")
        checked = {"value": _rate("value", self.value), "exponent": plain(self.exponent)}
        for name, value in (checked | {"prune_rate": _checked_prune_rate(self.prune_rate)}).items():
            object.__setattr__(self, name, value)

    def max_lr(self, cycle: int) -> float:
        """The value times a power of the weights remaining.

        Raises:
            ValueError: Where the cycle is no whole number of at least 0, or the rate is no finite number above 0.
        """
        remaining = weights_remaining(self.prune_rate, _checked_cycle(cycle))
        try:
            return _rate("max_lr", self.value * remaining**-self.exponent)
        except (OverflowError, ZeroDivisionError) as error:  # of a power, hundreds of cycles on
            raise ValueError(f"max_lr must be a finite number above 0, got {error}") from None


SCHEDULES = {"constant": ConstantSchedule, "table": TableSchedule, "density-power": DensityPower}
