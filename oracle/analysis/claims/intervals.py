"""What the intervals of informative cycles say together: which are apart, and which constants lie in all of them.

A cycle's inner interval runs over the grid values inside; its outer interval ends at the nearest grid values that lie outside
by more than noise explains (infinitely far where there is none). Two outer intervals that don't meet are apart.
"""

import math
from itertools import combinations

import pandas as pd


def constants(informative: pd.DataFrame, grid: tuple[float, ...]) -> list[float]:
    """Return the grid values that lie in every inner interval.

    Args:
        informative: rows of ``oracle.analysis.comparison.comparison_table``.
        grid: the Oracle's values.
    """
    return [value for value in grid if informative.low.max() <= value <= informative.high.min()]


def pairs_apart(informative: pd.DataFrame) -> list[tuple[pd.Series, pd.Series]]:
    """Return the pairs of cycles, the earlier first, that no constant serves: their outer intervals don't meet."""
    rows = [row for _, row in informative.iterrows()]
    return [
        (a, b) for a, b in combinations(rows, 2) if max(_outer(a)[0], _outer(b)[0]) >= min(_outer(a)[1], _outer(b)[1])
    ]


def interval_text(row: pd.Series) -> str:
    """Return a cycle's inner interval in words."""
    low = "open" if row.open_low else f"{row.low:.3g}"
    high = "open" if row.open_high else f"{row.high:.3g}"
    return f"cycle {row.cycle}: {low} to {high}"


def constants_text(values: list[float]) -> str:
    """Return constants in words, as the subject of a sentence with its verb."""
    shown = f"{values[0]:.3g}" if len(values) == 1 else f"{values[0]:.3g} to {values[-1]:.3g}"
    return f"max_lr {shown} lies"


def _outer(row: pd.Series) -> tuple[float, float]:
    return (0.0 if pd.isna(row.clear_low) else row.clear_low, math.inf if pd.isna(row.clear_high) else row.clear_high)
