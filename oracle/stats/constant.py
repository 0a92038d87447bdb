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
    diverged loses all (infinite), one that wasn't tried is unknown (NaN).
    """
    x, optima = measured.log_values, responses.optima
    near, known = measured.near, np.isfinite(measured.means)
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
    return estimate, low, high
