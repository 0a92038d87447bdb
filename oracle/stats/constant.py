"""What one constant max_lr loses in each cycle, by the response curves."""

import numpy as np
from scipy.special import stdtrit

from oracle.stats.measurements import Measurements
from oracle.stats.response import Responses


def losses_of_constants(
    measured: Measurements, responses: Responses, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each grid value loses to the optimum of each cycle, in points: estimate, lower and upper bound, (C, K) each.

    The upper bound is passed with probability ``level`` in a given cycle; the lower one of a given value in any cycle. Both
    run over every optimum that the cycle's misfit allows. A value that isn't near the best stands with its own mean; one that
    diverged loses all (infinite). One that wasn't tried has the curve's loss between values near the best; elsewhere it loses
    at least what the next value on the optimum's side does, at most what the next one beyond does (NaN where there is none).
    """
    x, optima = measured.log_values, responses.optima
    near, known = _run(measured.near), np.isfinite(measured.means)
    cycles, upper_df = len(near), measured.noise.df
    bounds = [stdtrit(upper_df, 1 - one) ** 2 * responses.scale for one in (level / cycles, level)]
    estimate, low, high = (np.where(np.isneginf(measured.means), np.inf, np.nan) for _ in range(3))
    excess = responses.misfit - responses.misfit.min(axis=1, keepdims=True)
    best, variances = responses.at_best, measured.noise.variance(measured.seeds)
    for cycle in range(cycles):
        at, top = best[cycle], responses.top[cycle, best[cycle]]
        distance = x[near[cycle]][:, None] - optima  # (values near the best, O)
        above = distance > 0
        side = np.where(above, *responses.sides[::-1, cycle, None, :])
        variance = np.where(above, *responses.side_variances[::-1, cycle, None, :])
        variance = np.where(np.isfinite(variance), variance, 0.0)
        for ends, bound, sign in ((low, bounds[0][cycle], -1), (high, bounds[1][cycle], 1)):
            room = bound - excess[cycle]
            loss = np.maximum(side + sign * np.sqrt(np.maximum(room, 0) * variance), 0) * distance**2
            loss = np.where(room >= 0, loss, -sign * np.inf)
            ends[cycle, near[cycle]] = loss.max(axis=1) if sign > 0 else loss.min(axis=1)
        estimate[cycle, near[cycle]] = (side * distance**2)[:, at]
        far = known[cycle] & ~near[cycle]
        behind = top - measured.means[cycle, far]
        error = np.sqrt(responses.top_variance[cycle, at] + variances[cycle])
        estimate[cycle, far] = behind
        low[cycle, far] = behind - np.sqrt(bounds[0][cycle]) * error
        high[cycle, far] = behind + np.sqrt(bounds[1][cycle]) * error
        for value in np.flatnonzero(np.isnan(measured.means[cycle]) & ~near[cycle]):
            inner, outer = _neighbours(value, ~np.isnan(measured.means[cycle]), near[cycle])
            low[cycle, value] = low[cycle, inner]
            if outer is not None:
                estimate[cycle, value], high[cycle, value] = estimate[cycle, outer], high[cycle, outer]
    return estimate, low, high


def _run(near: np.ndarray) -> np.ndarray:
    """Each cycle's values near the best, and those between them that weren't tried, (C, K)."""
    after, before = (np.logical_or.accumulate(part, axis=1) for part in (near, near[:, ::-1]))
    return after & before[:, ::-1]


def _neighbours(value: int, tried: np.ndarray, near: np.ndarray) -> tuple[int, int | None]:
    """The next value that was tried on the side of those near the best, and the next beyond; None where there is none."""
    tried, step = np.flatnonzero(tried), 1 if value < near.argmax() else -1
    inner = tried[tried > value][0] if step > 0 else tried[tried < value][-1]
    beyond = tried[tried < value][-1:] if step > 0 else tried[tried > value][:1]
    return int(inner), int(beyond[0]) if len(beyond) else None
