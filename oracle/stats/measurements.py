"""Measurements: the accuracies of a study's informative cycles, as arrays; all that the verdicts are computed from."""

from dataclasses import dataclass, field

import numpy as np

from oracle.stats.near_best import near_best
from oracle.stats.noise import Noise, noise_of
from oracle.stats.paired import means_of

REACH = 3.0  # tolerances below the top within which a value is near the best
SURE = 4.0  # or so many standard errors of a difference, where these are more


@dataclass(frozen=True, eq=False)
class Measurements:
    """Accuracies in percent, by cycle (C), grid value (K, rising) and seed (J, at least 2).

    NaN: a value that was tried in no seed of that cycle; -inf: diverged. ``chosen`` is what values are chosen by; ``tested`` is
    of images that nothing was chosen on (the same array where there are none).

    Attributes:
        cycles: (C,) numbers of the cycles, rising.
        density: (C,) share of the weights that is left, above 0 and at most 1.
        values: (K,) max_lr.
        chosen: (C, K, J) accuracies.
        tested: (C, K, J) accuracies.
        silo: (C,) SILO's max_lr.
        silo_tested: (C, J) SILO's accuracies, on the images of ``tested``.
        tolerance: points within which a value is as good as the best, at least 0.
        chance: accuracy of a network that names one class always; a diverged one's.
        overlap_chosen: images that a seed is evaluated on per image that it trains on, where seeds split one pool at random;
            0 where the images evaluated on are fixed (Nadeau and Bengio 2003, section 5).
        overlap_tested: the same of ``tested``.
    """

    cycles: np.ndarray
    density: np.ndarray
    values: np.ndarray
    chosen: np.ndarray
    tested: np.ndarray
    silo: np.ndarray
    silo_tested: np.ndarray
    tolerance: float
    chance: float = 0.0
    overlap_chosen: float = 0.0
    overlap_tested: float = 0.0
    means: np.ndarray = field(init=False)
    near: np.ndarray = field(init=False)
    noise: Noise = field(init=False)
    noise_tested: Noise = field(init=False)

    def __post_init__(self) -> None:
        """Add what all questions share: means (C, K), which values are near the best (C, K), and the noise.

        A window of a few tolerances would cut the truth off where the noise is larger; it is widened then, once.
        """
        means = np.array([means_of(cycle) for cycle in self.chosen])
        reach = REACH * self.tolerance
        for _ in range(2):
            near = np.array([near_best(row, reach) for row in means])
            noise = noise_of([cycle[rows] for cycle, rows in zip(self.chosen, near, strict=True)], self.overlap_chosen)
            wider = SURE * float(np.sqrt((noise.error(self.seeds) ** 2).mean()))
            if not wider > reach:
                break
            reach = wider
        tested = [
            np.vstack([cycle[rows], silo])
            for cycle, rows, silo in zip(self.tested, near, self.silo_tested, strict=True)
        ]
        for name, value in (
            ("means", means),
            ("near", near),
            ("noise", noise),
            ("noise_tested", noise_of(tested, self.overlap_tested)),
        ):
            object.__setattr__(self, name, value)

    @property
    def seeds(self) -> int:
        """How many seeds there are."""
        return self.chosen.shape[2]

    @property
    def log_values(self) -> np.ndarray:
        """log2 of the values, (K,)."""
        return np.log2(self.values)
