"""Whether a pruning cycle tells anything of max_lr: a collapsed network, or one that any value suits, doesn't."""

from collections.abc import Sequence

from oracle.stats.interval import Interval
from oracle.stats.noise import above_chance


def why_uninformative(interval: Interval, grid: Sequence[float], chance: float, images: int, failed: bool) -> str:
    """Return why a cycle can't tell, in words: "failed trainings", "collapsed", "flat"; empty where it can.

    Args:
        interval: the Oracle's, over the values that were tried.
        grid: all of its values, rising.
        chance: percent that naming one class always has.
        images: how many the best value was evaluated on, all seeds.
        failed: whether a training of the cycle failed.
    """
    if failed:
        return "failed trainings"
    if interval.accuracy <= above_chance(chance, images):
        return "collapsed"
    return "flat" if (interval.low, interval.high) == (grid[0], grid[-1]) else ""
