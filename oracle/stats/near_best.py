"""Which values of a cycle are near its best: by these one tells its noise and the form of its response."""

import numpy as np

TOP = 3  # values whose mean stands for the best: one alone may be the luckiest


def near_best(means: np.ndarray, reach: float) -> np.ndarray:
    """Return which values are near the best: the contiguous run around it within ``reach`` of the mean of the top three.

    Args:
        means: (K,) percent, by rising value; NaN: not tried (passed over); -inf: diverged (ends the run).
        reach: points, at least 0.

    Returns:
        (K,) bool; all False where no value has a mean.
    """
    near = np.zeros(len(means), dtype=bool)
    tried = np.flatnonzero(~np.isnan(means))
    known = means[tried]
    finite = known[np.isfinite(known)]
    if not len(finite):
        return near
    least = np.sort(finite)[-TOP:].mean() - reach
    low = high = int(known.argmax())
    while low > 0 and known[low - 1] >= least:
        low -= 1
    while high + 1 < len(known) and known[high + 1] >= least:
        high += 1
    near[tried[low : high + 1]] = True
    return near
