"""How many seeds it would take."""

import math


def seeds_needed(seeds: int, overlap: float, shrink: float) -> float:
    """Return how many seeds bring a standard error down to ``shrink`` of what it is.

    Args:
        seeds: how many there are.
        overlap: images that a seed is evaluated on per image that it trains on, where seeds share a pool; else 0.
        shrink: above 0; 1 or more: today's are enough.

    Returns:
        A whole number; infinite where no number is enough, since seeds share their images.
    """
    if shrink >= 1:
        return float(seeds)
    rest = shrink**2 * (1 / seeds + overlap) - overlap
    return math.inf if rest <= 0 or shrink <= 0 else float(math.ceil(1 / rest - 1e-9))
