"""How many trainings the nodes of a cluster hold at once."""

import pytest

from oracle.spec.experiment import Compute
from oracle.sweep.cluster import fitting


@pytest.mark.parametrize(
    ("cpus", "gpus", "nodes", "fit"),
    [
        (1, 0, [(4, 0), (2, 0)], 6),
        (0.1, 0, [(0.3, 0)], 3),
        (3, 0, [(4, 0), (2, 0)], 1),
        (8, 0, [(4, 0), (4, 0)], 0),
        (1, 0.25, [(16, 2)], 8),
        (1, 0.25, [(3, 2)], 3),
        (1, 0.4, [(16, 2)], 4),  # no training gets its share of two GPUs
        (1, 0.1, [(16, 1)], 10),
        (1, 2, [(16, 3), (16, 1)], 1),
        (1, 1, [(16, 0)], 0),
        (1, 1, [], 0),
    ],
)
def test_how_many_trainings_fit_on_the_nodes(cpus, gpus, nodes, fit):
    asked = Compute(cpus_per_trial=cpus, gpus_per_trial=gpus)
    assert fitting(asked, [{"CPU": cpu, "GPU": gpu} for cpu, gpu in nodes]) == fit
