"""What is true in a simulated study: where the optimum lies in each cycle, and what a max_lr loses beside it."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from oracle.stats.held_out import best_constant, best_of_each_cycle, best_segments, best_two_levels
from silo.schedule import SiloSchedule

OWN = 7 / 3  # SILO's own growth, 1 + delta / epsilon of the released recipe
PRUNED, BETA, DELAY = 0.2, 5, 1  # the released recipe's form
CHANCE = 10.0
TOP, FALL = 92.0, 10.0  # percent at the optimum of the dense network, and by how much it falls to the last cycle
JITTER = 0.25  # doublings, standard deviation
EXACT = 1e-6  # points or doublings that count as none
CLIFF, WALL, PLATEAU = 0.8, 1.3, 0.75  # doublings above the optimum
AT_TOLERANCE = (
    0.1  # a cycle that loses up to a tenth more than the tolerance is at it: no value lies at the very optimum
)


@dataclass(frozen=True)
class Kind:
    """The size of a study.

    Attributes:
        like: which run is of this size.
        cycles: how many.
        values: grid values.
        low: the lowest.
        high: the highest.
        noise: standard deviation of a training, in points.
        bend: points per doubling squared.
        tolerance: in points.
        seeds: how many, where a truth names none.
    """

    like: str
    cycles: int
    values: int
    low: float
    high: float
    noise: float
    bend: float
    tolerance: float
    seeds: int


KINDS = {
    "Q": Kind("digits-mlp", 18, 12, 0.02, 1.0, 0.365, 0.15, 0.5, 4),
    "D": Kind("digits-cnn", 18, 12, 0.02, 3.0, 0.92, 0.27, 1.0, 4),
    "C": Kind("cifar10-policies", 18, 12, 0.02, 1.0, 1.02, 0.70, 1.0, 4),
    "P": Kind("ResNet-20 as planned", 25, 11, 0.01, 0.3162, 0.3, 0.2, 0.5, 5),
}


# those of the experiments whose growth is compared: of benchmarks.power.pairs alone
COMPARED = {
    "M": Kind("mnist1d-mlp-factors", 12, 10, 0.06, 1.6, 0.93, 2.4, 0.5, 5),
    "N": Kind("mnist1d-cnn-factors", 6, 10, 0.04, 1.28, 2.5, 3.9, 0.5, 5),
}


@dataclass(frozen=True)
class Truth:
    """A truth to draw studies from.

    Attributes:
        kind: one of ``KINDS`` or ``COMPARED``.
        growth: of the optimum, from the lowest cycle to the highest; below 1 it falls.
        path: "silo": along SILO's form; "return": up, and back at the end.
        curve: how accuracy falls off: "parabola"; "asymmetric" (above three times as steep); "sides" (the steep side changes);
            "power" (|d|^1.5); "plateau" (flat, then a cliff); "cliff" (20 points); "diverged" (a cliff, then divergence).
        seeds: how many; None: the kind's.
        cycles: how many; None: the kind's.
        noise: "even", or "growing" x4 over the cycles.
        jitter: whether the optimum of a "seed" (the same in all cycles) or of a "training" (seed and cycle) lies elsewhere.
        images: so many test images (accuracies are rounded to them); 0: as many as one likes.
        masks: whether a seed's masks have luck of their own, which all values share.
        chain: whether SILO's trainings have luck of their own beside the grid's (its own chain of masks).
        on_optimum: whether SILO's max_lr is the optimum; else it starts there and grows by its own form and size.
        off: doublings by which SILO's max_lr lies above that.
        split: "": the noise is all there is; "pooled": each seed splits one pool of images; "fixed": one test set for all.
        luck_of_images: share of the variance that images have, where there is a split.
        widened: whether intervals are widened for the images that seeds share.
    """

    kind: str
    growth: float = 1.0
    path: str = "silo"
    curve: str = "parabola"
    seeds: int | None = None
    cycles: int | None = None
    noise: str = "even"
    jitter: str = ""
    images: int = 0
    masks: bool = False
    chain: bool = False
    on_optimum: bool = False
    off: float = 0.0
    split: str = ""
    luck_of_images: float = 0.5
    widened: bool = True

    @property
    def size(self) -> Kind:
        """The kind's size."""
        return (KINDS | COMPARED)[self.kind]

    @cached_property
    def cycle_count(self) -> int:
        """How many cycles there are."""
        return self.cycles or self.size.cycles

    @cached_property
    def seed_count(self) -> int:
        """How many seeds there are."""
        return self.seeds or self.size.seeds

    @cached_property
    def log_values(self) -> np.ndarray:
        """log2 of the grid's values, (K,)."""
        return np.log2(np.geomspace(self.size.low, self.size.high, self.size.values))

    @cached_property
    def optima(self) -> np.ndarray:
        """log2 of the optimum of each cycle, (C,); for a plateau its middle."""
        doublings = math.log2(self.growth)
        middle = (self.log_values[0] + self.log_values[-1]) / 2 - doublings / 2
        if self.path == "return":
            gone = np.linspace(0, 1, self.cycle_count)
            return middle + doublings * np.interp(gone, [0, 0.15, 0.35, 0.7, 1], [0, 0.5, 1, 1, 0.1])
        return middle + math.copysign(1, doublings) * self._form(max(self.growth, 1 / self.growth))

    @cached_property
    def silo(self) -> np.ndarray:
        """log2 of SILO's max_lr in each cycle, (C,)."""
        return (self.optima if self.on_optimum else self.optima[0] + self._form(OWN)) + self.off

    @cached_property
    def top(self) -> np.ndarray:
        """Accuracy at the optimum of each cycle, (C,)."""
        return TOP - np.linspace(0, FALL, self.cycle_count)

    @cached_property
    def noise_by_cycle(self) -> np.ndarray:
        """Standard deviation of a training in each cycle, (C,)."""
        growing = np.linspace(0.5, 2, self.cycle_count)
        return self.size.noise * (growing if self.noise == "growing" else np.ones(self.cycle_count))

    def losses(self, distance: np.ndarray) -> np.ndarray:
        """Return the loss at some distances (doublings above the optimum; first axis: cycles); infinite: it diverges."""
        bend, above = self.size.bend, distance > 0
        gone = np.linspace(-1, 1, self.cycle_count).reshape(-1, *[1] * (distance.ndim - 1))
        if self.curve == "power":
            return bend * np.abs(distance) ** 1.5
        left, right = {
            "asymmetric": (1.0, 3.0),
            "sides": (3.0**gone, 3.0**-gone),
            "cliff": (1.0, 0.2),
            "diverged": (1.0, 0.2),
        }.get(self.curve, (1.0, 1.0))
        away = np.maximum(np.abs(distance) - PLATEAU, 0) if self.curve == "plateau" else distance
        loss = np.minimum(np.where(above, right, left) * bend * away**2, 50)
        edge = {"cliff": CLIFF, "diverged": CLIFF, "plateau": PLATEAU}.get(self.curve, math.inf)
        loss = np.where(distance > edge + EXACT, 20.0, loss)
        return np.where(distance > WALL, np.inf, loss) if self.curve == "diverged" else loss

    def mean_losses(self, log_values: np.ndarray) -> np.ndarray:
        """Return what max_lr (C, K) lose in the mean of all seeds that there could be."""
        shifts = JITTER * ndtri((np.arange(24) + 0.5) / 24) if self.jitter else np.zeros(1)
        distance = (log_values - self.optima[:, None])[..., None] - shifts
        return self.losses(distance).mean(axis=-1)

    def _form(self, growth: float) -> np.ndarray:
        """Doublings above the first cycle's, (C,)."""
        schedule = SiloSchedule(1.0, growth - 1, BETA, DELAY, PRUNED)
        return np.log2([schedule.max_lr(cycle) for cycle in range(self.cycle_count)])


@dataclass(frozen=True, eq=False)
class Known:
    """What is true of a truth's claims, in points.

    Attributes:
        plateau: (2, C) lowest and highest log2 max_lr that is best in a cycle.
        gain: what the best schedule of four segments gains over the best constant.
        losses: what SILO loses, in the mean of the cycles: to the best of each, the best constant, the best two levels.
        worst: what SILO loses in its worst cycle.
        constant: what the best constant loses in its worst cycle.
    """

    plateau: np.ndarray
    gain: float
    losses: tuple[float, float, float]
    worst: float
    constant: float


def known(truth: Truth) -> Known:
    """Return what is true: exact, but for a fine grid on which the optimum is looked for."""
    fine = np.arange(truth.log_values[0] - 2, truth.log_values[-1] + 2, 1 / 96)
    everywhere = truth.mean_losses(np.tile(fine, (truth.cycle_count, 1)))
    least = everywhere.min(axis=1, keepdims=True)
    best = everywhere <= least + EXACT
    plateau = np.array([fine[best.argmax(axis=1)], fine[::-1][best[:, ::-1].argmax(axis=1)]])
    grid = truth.mean_losses(np.tile(truth.log_values, (truth.cycle_count, 1)))
    worst = (grid - least).max(axis=0).min()
    accuracies = counted(truth, truth.top[:, None] - grid)[..., None]
    silo = counted(truth, truth.top - truth.mean_losses(truth.silo[:, None])[:, 0])

    def reached(choice: object) -> np.ndarray:
        return np.take_along_axis(accuracies, choice(accuracies)[:, None], axis=1)[:, 0, 0]

    each, constant, levels = (reached(choice) for choice in (best_of_each_cycle, best_constant, best_two_levels))
    losses = tuple(float((one - silo).mean()) for one in (each, constant, levels))
    gain = float((reached(best_segments) - constant).mean())
    return Known(plateau, gain, losses, float((each - silo).max()), float(worst))


def counted(truth: Truth, accuracies: np.ndarray) -> np.ndarray:
    """Return accuracies with the chance level in place of what diverged."""
    return np.where(np.isinf(accuracies), CHANCE, accuracies)
