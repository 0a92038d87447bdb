"""A study drawn from a truth: the accuracies that trainings would have had."""

import numpy as np

from benchmarks.power.images import on_images
from benchmarks.power.truths import CHANCE, JITTER, PRUNED, Truth
from oracle.stats.measurements import Measurements

SEED, MASKS, CHAIN = 0.5, 0.3, 0.3  # points; points a cycle; standard deviations of a training a cycle
OF_BOTH = 0.5  # share of a training's variance that its validation and its test accuracy have in common


def draw(truth: Truth, random: np.random.Generator) -> tuple[Measurements, np.ndarray]:
    """Return a study, and what its accuracies are without noise on the images it is tested on, (C, K + 1); SILO's last."""
    cycles, seeds = truth.cycle_count, truth.seed_count
    x = np.hstack([np.tile(truth.log_values, (cycles, 1)), truth.silo[:, None]])
    shape = {"": (1, 1), "seed": (1, seeds), "training": (cycles, seeds)}[truth.jitter]
    shift = JITTER * random.normal(size=shape) if truth.jitter else np.zeros(shape)
    distance = x[..., None] - truth.optima[:, None, None] - shift[:, None, :]
    expected = truth.top[:, None, None] - truth.losses(distance)  # (C, K + 1, J or 1)
    shared = random.normal(0, SEED, (cycles, 1, seeds))
    if truth.masks:
        shared = shared + random.normal(0, MASKS, (cycles, 1, seeds)).cumsum(axis=0)
    table = expected + shared
    if truth.chain:
        luck = random.normal(0, CHAIN, (cycles, seeds)) * truth.noise_by_cycle[:, None]
        table[:, -1] += luck.cumsum(axis=0)
    noise = truth.noise_by_cycle[:, None, None]
    target = truth.top[:, None] - truth.mean_losses(x)
    overlaps = (0.0, 0.0)
    if truth.split:
        chosen, tested, of_test, overlaps = on_images(truth, table, random)
        target = target + of_test
    else:
        both, *apart = random.normal(size=(3, *table.shape))
        chosen, tested = (table + noise * (np.sqrt(OF_BOTH) * both + np.sqrt(1 - OF_BOTH) * own) for own in apart)
    if truth.images:
        chosen, tested = (np.round(part * truth.images / 100) * 100 / truth.images for part in (chosen, tested))
    if not truth.widened:
        overlaps = (0.0, 0.0)
    study = Measurements(
        np.arange(cycles),
        (1 - PRUNED) ** np.arange(cycles),
        2**truth.log_values,
        chosen[:, :-1],
        tested[:, :-1],
        2**truth.silo,
        tested[:, -1],
        truth.size.tolerance,
        CHANCE,
        *overlaps,
    )
    return study, target
