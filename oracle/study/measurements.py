"""The accuracies that a study's verdicts are computed from, out of tables by cycle, grid value and seed."""

from collections.abc import Mapping, Sequence

import numpy as np

from oracle.experiment.spec import Experiment
from oracle.stats.measurements import Measurements
from oracle.study.data_info import DataInfo

PARTS = ("validation", "test")


def measurements_of(
    candidates: Mapping[str, np.ndarray],
    silo: Mapping[str, np.ndarray],
    cycles: Sequence[int],
    density: np.ndarray,
    experiment: Experiment,
    data: DataInfo,
) -> Measurements | None:
    """Return the accuracies of some cycles, in the seeds in which all was measured that was in any.

    A search that gives the better values more seeds than others leaves fewer such seeds, or none: what it measured is
    chosen by its luck, and no interval would hold.

    Args:
        candidates: percent, by part of the data, "validation" and "test": (C, K, J) by cycle, grid value and seed; NaN: no
            training; -inf: it diverged or failed.
        silo: SILO's, (C, J).
        cycles: (C,) their numbers, rising.
        density: (C,) share of the weights that is left.
        experiment: whose grid, seeds and tolerance they are.
        data: how many images a seed trains on and is evaluated on.

    Returns:
        None where there is no cycle, or fewer than two such seeds.
    """
    if not len(cycles):
        return None
    missing = np.isnan(candidates["test"])
    holes = missing & ~missing.all(axis=2, keepdims=True)
    own = np.flatnonzero(~(holes.any(axis=(0, 1)) | np.isnan(silo["test"]).any(axis=0)))
    if len(own) < 2:
        return None
    chosen_on = experiment.chosen_on
    return Measurements(
        cycles=np.array(cycles),
        density=density,
        values=np.array(experiment.oracle.grid.values()),
        chosen=candidates[chosen_on][:, :, own],
        tested=candidates["test"][:, :, own],
        silo=np.array([experiment.schedule.max_lr(cycle) for cycle in cycles], dtype=float),
        silo_tested=silo["test"][:, own],
        tolerance=experiment.oracle.tolerance,
        chance=data.chance,
        overlap_chosen=overlap(experiment, data, chosen_on),
        overlap_tested=overlap(experiment, data, "test"),
    )


def overlap(experiment: Experiment, data: DataInfo, part: str) -> float:
    """Return by how much the variance of a mean over seeds is greater than 1/J of one seed's, since seeds share images.

    Two seeds' parts, drawn from one pool, share a part's share r of the pool: so correlated are they, at most, as images'
    luck is all of it. That makes r / (1 - r): a part's images per other image of the pool, which where the seeds split all of
    it are those that train (Nadeau and Bengio 2003). Official test images are fixed: 0.
    """
    kind = experiment.data.split.kind
    if part == "test" and kind in ("carve", "draw"):
        return 0.0
    images = data.evaluated_on(part)
    others = data.images - data.test_images - images if kind == "draw" else data.training_images
    return images / others
