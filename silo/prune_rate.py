"""How much is pruned after each cycle: one rate for all, or a list by cycle, such as one-shot and gradual pruning take."""

import math

Rate = float | tuple[float, ...]
"""The share of the alive weights that goes after every cycle, or after cycle 0, 1, ...; a list's last one goes on."""


def rate_after(rate: Rate, cycle: int) -> float:
    """The share of the alive weights that goes after a cycle.

    Args:
        rate: One for all cycles, or one for each.
        cycle: The pruning cycle, from 0.
    """
    return rate[min(cycle, len(rate) - 1)] if isinstance(rate, tuple) else rate


def weights_remaining(rate: Rate, cycle: int, since: int = 0) -> float:
    """The share of the weights alive in cycle ``since`` that is alive in a cycle: the product of 1 - rate over the prunes.

    >>> weights_remaining(0.5, 3), weights_remaining((0.9, 0.5), 2)
    (0.125, 0.04999999999999999)

    Args:
        rate: One for all cycles, or one for each.
        cycle: The pruning cycle, at least ``since``.
        since: An earlier cycle, from 0.

    Returns:
        A share in [0, 1]; counts that are rounded down leave somewhat more.
    """
    if isinstance(rate, tuple):
        return math.prod(1 - rate_after(rate, earlier) for earlier in range(since, cycle))
    return (1 - rate) ** (cycle - since)
