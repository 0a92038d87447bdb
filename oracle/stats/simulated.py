"""A study that wasn't trained: accuracies drawn from a truth that is known, for the rules to judge.

What is assumed: accuracy falls off by a parabola on either side of the optimum, in doublings of max_lr, alike in all cycles;
every training has luck of its own, normal, on the images that are chosen by and on those that are tested on; of seeds that
share images a part of that luck is the same in all, as much as the rules' widening says (Nadeau and Bengio 2003). Nothing
diverges or collapses. What a seed adds to all values of a cycle alike is left out: by pairing it drops out of every verdict.
"""

from dataclasses import dataclass

import numpy as np

from oracle.stats.measurements import Measurements


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true in a simulated study, by cycle (C) and grid value (K).

    Attributes:
        density: (C,) share of the weights that is left, above 0 and at most 1.
        values: (K,) max_lr, rising.
        silo: (C,) SILO's max_lr; where it is a grid value, it is the same training.
        optimum: (C,) the best max_lr.
        left: points lost per doubling squared below the optimum, at least 0.
        right: the same above it.
        noise_chosen: (C,) standard deviation of a training, in points, on what values are chosen by.
        noise_tested: (C,) the same on test images; None: values are chosen on test images, which are all there is.
        tolerance: points within which a value is as good as the best.
        overlap_chosen: see ``Measurements``.
        overlap_tested: see ``Measurements``.
    """

    density: np.ndarray
    values: np.ndarray
    silo: np.ndarray
    optimum: np.ndarray
    left: float
    right: float
    noise_chosen: np.ndarray
    noise_tested: np.ndarray | None
    tolerance: float
    overlap_chosen: float = 0.0
    overlap_tested: float = 0.0

    def losses(self) -> np.ndarray:
        """Return what each max_lr truly loses to the optimum of its cycle, in points, (C, K + 1); SILO's last."""
        tried = np.hstack([np.tile(self.values, (len(self.silo), 1)), self.silo[:, None]])
        distance = np.log2(tried / self.optimum[:, None])
        return np.where(distance < 0, self.left, self.right) * distance**2

    def draw(self, seeds: int, random: np.random.Generator) -> Measurements:
        """Return a study of so many seeds; of one state of ``random`` a study of more seeds begins with the same ones."""
        chosen, tested = (np.repeat(-self.losses()[..., None], seeds, axis=2) for _ in range(2))
        parts = [(chosen, self.noise_chosen, self.overlap_chosen)]
        if self.noise_tested is None:
            tested = chosen
        else:
            parts.append((tested, self.noise_tested, self.overlap_tested))
        shared = random.normal(size=(2, *chosen.shape[:2], 1))
        own = np.moveaxis(random.normal(size=(seeds, 2, *chosen.shape[:2])), 0, -1)
        for part, (accuracies, noise, overlap) in enumerate(parts):
            accuracies += noise[:, None, None] * (own[part] + np.sqrt(overlap) * shared[part])
            cycles, places = np.nonzero(np.isclose(self.values, self.silo[:, None], rtol=1e-9))
            accuracies[cycles, -1] = accuracies[cycles, places]
        return Measurements(
            cycles=np.arange(len(self.silo)),
            density=self.density,
            values=self.values,
            chosen=chosen[:, :-1],
            tested=tested[:, :-1],
            silo=self.silo,
            silo_tested=tested[:, -1],
            tolerance=self.tolerance,
            overlap_chosen=self.overlap_chosen,
            overlap_tested=self.overlap_tested,
        )
