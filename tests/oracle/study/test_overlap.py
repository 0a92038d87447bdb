"""By how much seeds that share images are alike: the law, on images whose luck is all there is."""

from dataclasses import replace

import numpy as np
import pytest
from experiments import TINY, changed

from oracle.experiment.load import load
from oracle.study.data_info import DataInfo
from oracle.study.measurements import overlap
from silo.data.split import Carve, Draw

INFO = DataInfo("d", None, 10.0, 10, 0, 0, 0, 0)
SEEDS, STUDIES = 4, 4000


@pytest.mark.parametrize(
    ("split", "rule", "pool"),
    [
        ({"kind": "carve", "validation": 0.25}, Carve(0.25), 80),
        ({"kind": "draw", "train": 40, "validation": 20}, Draw(40, 20), 80),
        ({"kind": "draw", "train": 40, "validation": 20}, Draw(40, 20), 800),
        ({"kind": "draw", "train": 10, "validation": 50}, Draw(10, 50), 80),
    ],
)
def test_the_variance_of_a_mean_over_seeds(split, rule, pool):
    """Every study has images of its own; a seed's accuracy is the mean luck of those that it is validated on."""
    train, validation, test = rule.sizes(pool, 30)
    data = replace(INFO, images=pool + 30, training_images=train, validation_images=validation, test_images=test)
    experiment = load(changed(TINY, {"data.split": split}))
    random = np.random.default_rng(0)
    luck = random.normal(size=(STUDIES, pool))
    places = random.random((STUDIES, SEEDS, pool)).argsort(axis=2)[..., :validation]
    of_seeds = luck[np.arange(STUDIES)[:, None, None], places].mean(axis=2)
    within = of_seeds.var(axis=1, ddof=1).mean()  # what a study can estimate the noise by
    assert of_seeds.mean(axis=1).var() == pytest.approx(
        within * (1 / SEEDS + overlap(experiment, data, "validation")), rel=0.1
    )
    assert overlap(experiment, data, "test") == 0.0


def test_pooled_images_are_shared_by_every_part():
    data = replace(INFO, images=100, training_images=60, validation_images=20, test_images=20)
    experiment = load(changed(TINY, {}))
    assert [overlap(experiment, data, part) for part in ("validation", "test")] == [1 / 3, 1 / 3]
