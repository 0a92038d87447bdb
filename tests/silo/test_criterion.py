"""What a weight is worth, by hand."""

import pytest
import torch

from silo.criterion import CRITERIA, Evidence, random

FINAL = [[1.0, -2.0, 0.0], [0.5, -3.0, 4.0]]
BEFORE = [[0.5, -2.0, 0.25], [-0.5, 1.0, 5.0]]
SCORES = {
    "magnitude": [[1, 2, 0], [0.5, 3, 4]],
    "movement": [[0.5, 0, 0.25], [1, 4, 1]],
    "movement-magnitude": [[0.5, 0, 0], [0.5, 12, 4]],
}


def evidence(seed=0, final=FINAL):
    return Evidence(torch.tensor(final), torch.tensor(BEFORE), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("name", "expected"), SCORES.items())
def test_scores_by_hand(name, expected):
    assert CRITERIA[name](evidence()).tolist() == expected


def test_every_criterion_is_tested_here():
    assert CRITERIA.keys() == SCORES.keys() | {"random"}


def test_random_depends_on_its_generator_alone():
    first = random(evidence())
    torch.manual_seed(1)
    assert torch.equal(first, random(evidence(final=[[9.0, 9.0, 9.0], [9.0, 9.0, 9.0]])))
    assert not torch.equal(first, random(evidence(seed=1)))


def test_random_differs_from_layer_to_layer_and_is_uniform():
    layers = Evidence(torch.zeros(100, 100), torch.zeros(100, 100), torch.Generator().manual_seed(0))
    first, second = random(layers), random(layers)
    assert not torch.equal(first, second)
    assert first.shape == (100, 100) and first.min() >= 0 and first.max() < 1
    assert first.histc(10, 0, 1).sub(1000).abs().max() < 150  # 5 standard deviations of a tenth of 10,000
