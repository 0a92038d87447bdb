"""What counts as a number: Python's and numpy's whole and real numbers, never a truth value."""

import math
from numbers import Integral, Real


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, such as 3 or numpy.int64(3)."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Whether a value is a number that a double holds: no NaN, no infinity, no text."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int of more than 308 digits
        return False


def plain(value: float) -> int | float:
    """The same number as Python's own int or float, which every file format holds and whose digits depend on no library."""
    return int(value) if isinstance(value, Integral) else float(value)
