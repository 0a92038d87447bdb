"""Which grid values the rounds of a search until-decided have: the same in every cycle, so that none is chosen by luck."""

from collections.abc import Sequence

import numpy as np


def first_values(grid: Sequence[float]) -> tuple[float, ...]:
    """Return every second value, both ends included: a curve's optimum and sides need several values near the best."""
    last = len(grid) - 1
    return tuple(value for i, value in enumerate(grid) if i % 2 == 0 or i == last)


def values_near(grid: Sequence[float], near: np.ndarray | None, before: Sequence[float]) -> tuple[float, ...]:
    """Return the values of an earlier round, and all from a step below the lowest to a step above the highest that is near
    the best in some cycle.

    Args:
        grid: all values, rising.
        near: (C, K) which values are near the best of a cycle; None where nothing is known: all.
        before: the earlier round's.
    """
    some = np.ones(len(grid), dtype=bool) if near is None else near.any(axis=0)
    places = np.flatnonzero(some)
    between = range(max(0, places[0] - 1), min(len(grid), places[-1] + 2)) if len(places) else ()
    return tuple(value for i, value in enumerate(grid) if value in before or i in between)
