"""How often the statistics of a cycle hold, on simulated accuracies whose truth is known.

Values differ in their true accuracy and, image by image, in what they get right; a training adds noise of its own, a seed what
all its values share. Values whose network collapses are 30 points worse, and far noisier. Seeds split one pool of images at
random (60/20/20), or carve validation from a pool and are tested on one fixed set. What is to hold: the truly best value is
among those not shown to be worse; the interval for SILO less the chosen best holds the true difference (on all images that
there could be, or on the fixed test set).

`python benchmarks/confidence.py [--to DIR]`; a minute.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from oracle.analysis.significance import noises
from oracle.report.tables.markdown import markdown
from oracle.stats.interval import find_interval
from oracle.stats.multiple_comparisons import best_subset, difference
from oracle.stats.noise import near_best
from oracle.stats.paired import paired_means

LEVEL, TOLERANCE = 0.05, 0.5
POOL, TEST = 1500, 300  # images that seeds split, and official test images
COLLAPSED, SILO = 2, 0.105  # so many values; SILO's max_lr lies between two of the grid
REPETITIONS = 2000


@dataclass(frozen=True)
class Scenario:
    """seeds; noise: a training's own, in points; images: how differently two values do on one image (standard deviation of the
    chance to get it right); gap: points that the second best value lies below the best; split: pooled, or a fixed test set.
    """

    seeds: int
    noise: float
    images: float
    gap: float
    split: str


SCENARIOS = [
    Scenario(seeds, noise, images, gap, split)
    for split in ("pooled", "fixed test")
    for seeds, noise, images, gap in (
        (3, 0.1, 0.1, 0.0),
        (3, 1.0, 0.1, 0.0),
        (4, 0.3, 0.2, 0.2),
        (4, 2.0, 0.1, 0.5),
        (10, 0.3, 0.2, 0.2),
        (10, 1.0, 0.3, 0.0),
    )
]


@dataclass(frozen=True)
class Coverage:
    """How often, in percent, the best is in the set, and the interval holds; naive: without the correction for shared images;
    values: how many are in the set, the mean; width: of the interval, the mean, in points.
    """

    best_in_set: float
    interval: float
    naive_set: float
    naive_interval: float
    values: float
    width: float


def coverage(scenario: Scenario, repetitions: int, random: np.random.Generator) -> Coverage:
    """Over so many simulated cycles, but for those where one value stands so far out that nothing near it tells the noise."""
    told = [one for _ in range(repetitions) if (one := _once(scenario, random)) is not None]
    return Coverage(
        *(float(share) for share in 100 * np.mean(told, axis=0)[:4]), *map(float, np.mean(told, axis=0)[4:])
    )


def _once(scenario: Scenario, random: np.random.Generator) -> tuple[float, ...] | None:
    grid = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 1.0, 2.0)
    truth = np.array([92 - scenario.gap * step for step in (4, 3, 2, 1, 0, 1)] + [62.0] * COLLAPSED + [91.5])
    chances = truth[:, None] / 100 + scenario.images * random.normal(size=(len(truth), POOL + TEST))
    chosen, tested, sizes = _measured(scenario, chances, random)
    names = [*grid, SILO]
    found = {(names[v], s): float(chosen[v, s]) for v in range(len(grid)) for s in range(scenario.seeds)}
    means = paired_means(found)
    interval = find_interval(grid, [means[value] for value in grid], TOLERANCE)
    near = near_best(found, 2 * TOLERANCE)
    values = {value for value, _ in near} | {SILO}
    of_test = {(n, s): float(tested[v, s]) for v, n in enumerate(names) if n in values for s in range(scenario.seeds)}
    best = grid.index(interval.best)
    estimate = float((tested[-1] - tested[best]).mean())
    if scenario.split == "pooled":
        target, overlaps = truth[-1] - truth[best], (sizes[1] / sizes[0], sizes[2] / sizes[0])
    else:
        on_test = 100 * chances[:, POOL:].mean(axis=1)
        target, overlaps = on_test[-1] - on_test[best], (sizes[1] / sizes[0], 0.0)
    counts = dict.fromkeys(grid, scenario.seeds)
    told = []
    for corrected in (True, False):
        (of_choice,), (noise,) = (
            noises([part], corrected * o) for part, o in zip((near, of_test), overlaps, strict=True)
        )
        if of_choice is None:
            return None
        kept = best_subset(means, counts, of_choice, LEVEL)
        held = difference(estimate, scenario.seeds, noise, LEVEL, len(grid))
        told.append(
            (grid[int(truth[:-1].argmax())] in kept, held.low <= target <= held.high, len(kept), held.high - held.low)
        )
    (in_set, holds, size, width), (naive_set, naive, *_) = told
    return in_set, holds, naive_set, naive, size, width


def _measured(
    scenario: Scenario, chances: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, tuple[int, int, int]]:
    """Accuracies (percent; a row a value, a column a seed) on validation and test images; images to train, validate, test."""
    values, pooled = len(chances), scenario.split == "pooled"
    noise = np.full(values, scenario.noise)
    noise[-1 - COLLAPSED : -1] = 5.0
    own = noise[:, None] * random.normal(size=(values, scenario.seeds)) / 100
    shared = random.normal(0, 0.01, scenario.seeds)
    images = len(chances[0]) if pooled else POOL
    size = round(0.2 * images)
    chosen, tested = np.empty((2, values, scenario.seeds))
    for seed in range(scenario.seeds):
        order = random.permutation(images)
        parts = order[:size], order[size : 2 * size] if pooled else np.arange(POOL, POOL + TEST)
        for result, part in zip((chosen, tested), parts, strict=True):
            right = chances[:, part] + own[:, [seed]] + shared[seed]
            result[:, seed] = 100 * right.mean(axis=1)
    test = size if pooled else TEST
    return chosen, tested, (images - size - (size if pooled else 0), size, test)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write README.md and confidence.csv; the exit code."""
    parser = argparse.ArgumentParser(prog="python benchmarks/confidence.py", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("results/confidence"), metavar="DIR")
    asked = parser.parse_args(arguments)
    random = np.random.default_rng(0)
    rows = [asdict(one) | asdict(coverage(one, REPETITIONS, random)) for one in SCENARIOS]
    table = pd.DataFrame(rows)
    asked.to.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.to / "confidence.csv", index=False, lineterminator="\n")
    shares = ["best_in_set", "interval", "naive_set", "naive_interval"]
    shown = table.assign(**{name: table[name].map("{:.1f}%".format) for name in shares})
    shown = shown.assign(**{name: table[name].map("{:.2f}".format) for name in ("values", "width")}).astype(str)
    error = 100 * math.sqrt(LEVEL * (1 - LEVEL) / REPETITIONS)
    told = " ".join(__doc__.split("`python")[0].split())
    made = f"Made by `python benchmarks/confidence.py`: {REPETITIONS} cycles each, nominal {1 - LEVEL:.0%}, Monte Carlo"
    made += f" standard error {error:.1f} points. `naive`: without the correction for images that seeds share."
    text = f"# Confidence\n\n{told}\n\n{made}\n\n"
    (asked.to / "README.md").write_text(text + markdown(shown), encoding="utf-8")
    print(text + markdown(shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
