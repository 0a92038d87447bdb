"""Accuracies on images, one by one: what seeds share that split one pool of images at random.

A value gets other images right than another does, half of them in every cycle alike. Pooled: each seed splits 1,500 images
60/20/20 at random. Fixed: each carves 300 of 1,500 for validation, and all are tested on the same 300 others.
"""

import numpy as np

from benchmarks.power.truths import Truth

POOL, PART = 1500, 300
ALIKE = 0.5  # share of the variance over images that is the same in every cycle


def on_images(
    truth: Truth, table: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]:
    """Return what trainings reach on the images that their seeds choose by and are tested on.

    Args:
        truth: whose noise images and trainings share.
        table: (C, K + 1, J) accuracies without either, in percent.
        random: of the study.

    Returns:
        Accuracies chosen by and tested, (C, K + 1, J) each; by how much the tested images alone are easier for a value in all
        seeds, (C, K + 1), 0 where every seed has its own; the overlaps of both.
    """
    cycles, values, seeds = table.shape
    pooled = truth.split == "pooled"
    noise = truth.noise_by_cycle[:, None, None]
    spread = np.sqrt(truth.luck_of_images * PART) * noise  # of one image, so that PART of them have their share of it
    alike = random.normal(size=(1, values, POOL + (0 if pooled else PART)))
    apart = random.normal(size=(cycles, *alike.shape[1:]))
    effects = spread * (np.sqrt(ALIKE) * alike + np.sqrt(1 - ALIKE) * apart)
    own = table + noise * np.sqrt(1 - truth.luck_of_images) * random.normal(size=table.shape)
    chosen, tested = np.empty((2, *table.shape))
    for seed in range(seeds):
        order = random.permutation(POOL)
        test = order[PART : 2 * PART] if pooled else np.arange(POOL, POOL + PART)
        for result, part in ((chosen, order[:PART]), (tested, test)):
            result[..., seed] = own[..., seed] + effects[..., part].mean(axis=-1)
    if pooled:
        return chosen, tested, np.zeros((cycles, values)), (PART / (POOL - 2 * PART),) * 2
    return chosen, tested, effects[..., POOL:].mean(axis=-1), (PART / (POOL - PART), 0.0)
