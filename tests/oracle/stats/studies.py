"""Studies written by hand: a curve a cycle, and noise where a test wants it."""

import numpy as np

from oracle.stats.measurements import Measurements

GRID = 0.01 * 2.0 ** np.arange(9)  # a doubling a step


def parabolas(optima, left=1.0, right=1.0, top=90.0):
    """Accuracies (C, K, 1) that fall from the top by the square of the doublings from an optimum (log2 max_lr)."""
    distance = np.log2(GRID)[None] - np.asarray(optima, float)[:, None]
    return (top - np.where(distance < 0, left, right) * distance**2)[..., None]


def noise(shape, sd, seed=0):
    """Noise whose values and seeds have no effect of their own left in it."""
    return np.random.default_rng(seed).normal(0, sd, shape)


def measured(accuracies, silo=None, silo_accuracies=None, seeds=3, tested=None, tolerance=1.0, **more):
    """A study of these accuracies (C, K, J or 1); SILO grows from the grid's middle by a doubling, exact where unsaid."""
    accuracies = np.asarray(accuracies, float)
    cycles = len(accuracies)
    if accuracies.shape[2] == 1:
        accuracies = np.repeat(accuracies, seeds, axis=2)
    silo = GRID[4] * 2 ** np.linspace(0, 1, cycles) if silo is None else np.asarray(silo, float)
    own = (
        np.full((cycles, accuracies.shape[2]), 90.0) if silo_accuracies is None else np.asarray(silo_accuracies, float)
    )
    return Measurements(
        np.arange(cycles),
        0.8 ** np.arange(cycles),
        GRID[: accuracies.shape[1]],
        accuracies,
        accuracies if tested is None else tested,
        silo,
        own,
        tolerance,
        chance=10.0,
        **more,
    )
