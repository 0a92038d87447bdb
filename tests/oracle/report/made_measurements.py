"""Accuracies that nobody measured: an optimum that moves with SILO's value, with a cliff and, in places, holes."""

import numpy as np

from oracle.stats.measurements import Measurements

VALUES = np.geomspace(0.01, 1, 13)  # 0.55 doublings a step


def made_measurements(cycles=8, seeds=4, values=VALUES, growth=1.5, noise=0.1, diverged=True, untried=()):
    """Points lost grow with the square of the distance to the optimum; from 2.5 doublings above it on, all diverges.

    Args:
        untried: (cycle, index of a value) that no seed has.
    """
    random, x = np.random.default_rng(0), np.log2(values)
    best = np.log2(0.05) + growth * np.arange(cycles) / max(cycles - 1, 1)
    distance = x - best[:, None]
    truth = 92 - 0.3 * np.arange(cycles)[:, None] - np.where(distance > 0, 0.6, 0.3) * distance**2
    table = truth[:, :, None] + random.normal(0, noise, (cycles, len(values), seeds))
    if diverged:
        table[distance > 2.5] = -np.inf
    for cycle, value in untried:
        table[cycle, value] = np.nan
    silo = truth.max(axis=1)[:, None] + random.normal(0, noise, (cycles, seeds))
    density = 0.8 ** np.arange(cycles)
    return Measurements(
        np.arange(cycles), density, values, table, table - 0.4, 1.1 * 2**best, silo - 0.4, 0.5, chance=10.0
    )
