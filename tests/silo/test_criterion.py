"""What a weight is worth, by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from silo.criterion import LayerInputs, lamp, magnitude, random
from silo.mask import Mask
from silo.pruning_rule import CRITERIA

FINAL = [[1.0, -2.0, 0.0], [0.5, -3.0, 4.0]]
BEFORE = [[0.5, -2.0, 0.25], [-0.5, 1.0, 5.0]]
GRADIENT = [[2.0, -1.0, 3.0], [0.0, 4.0, 0.5]]
SCORES = {
    "magnitude": [[1, 2, 0], [0.5, 3, 4]],
    "movement": [[0.5, 0, 0.25], [1, 4, 1]],
    "movement-magnitude": [[0.5, 0, 0], [0.5, 12, 4]],
    # squares 1, 4, 0, 1/4, 9, 16; from the largest down they sum up to 16, 25, 29, 30, 30 1/4, 30 1/4
    "lamp": [[1 / 30, 4 / 29, 0], [0.25 / 30.25, 9 / 25, 1]],
    "gradient-weight": [[2, 2, 0], [0, 12, 2]],
}


def uncalled():
    raise AssertionError("the gradient is computed though the criterion doesn't need it")


def inputs(seed=0, final=FINAL, gradient=uncalled):
    return LayerInputs(torch.as_tensor(final), torch.tensor(BEFORE), torch.Generator().manual_seed(seed), gradient)


@pytest.mark.parametrize(("name", "expected"), SCORES.items())
def test_scores_by_hand(name, expected):
    gradient = (lambda: torch.tensor(GRADIENT)) if name == "gradient-weight" else uncalled
    assert CRITERIA[name](inputs(gradient=gradient)).tolist() == expected


def test_every_criterion_is_tested_here():
    assert CRITERIA.keys() == SCORES.keys() | {"random"}


def test_random_depends_on_its_generator_alone():
    first = random(inputs())
    torch.manual_seed(1)
    assert torch.equal(first, random(inputs(final=[[9.0, 9.0, 9.0], [9.0, 9.0, 9.0]])))
    assert not torch.equal(first, random(inputs(seed=1)))


def test_random_differs_from_layer_to_layer_and_is_uniform():
    layers = LayerInputs(torch.zeros(100, 100), torch.zeros(100, 100), torch.Generator().manual_seed(0), uncalled)
    first, second = random(layers), random(layers)
    assert not torch.equal(first, second)
    assert first.shape == (100, 100) and first.min() >= 0 and first.max() < 1
    assert first.histc(10, 0, 1).sub(1000).abs().max() < 150  # 5 standard deviations of a tenth of 10,000


# ---- LAMP


def scores_of(*weights):
    return lamp(inputs(final=weights)).tolist()


def pruned(network, criterion, rate):
    """How many weights of each layer are left by global pruning."""
    weights = {f"{i}.weight": torch.tensor(layer) for i, layer in enumerate(network)}
    scores = {name: criterion(inputs(final=layer)) for name, layer in weights.items()}
    return [alive for alive, _ in Mask.dense(weights).prune(scores, rate, "global").counts.values()]


def test_of_equal_squares_the_earlier_s_sum_holds_the_later():
    assert scores_of(1.0, -1.0, 1.0) == [1 / 3, 1 / 2, 1]
    assert scores_of(2.0, 1.0, -2.0, 1.0) == [4 / 8, 1 / 10, 1, 1 / 9]


@pytest.mark.parametrize("weights", [(0.0,), (0.0, -0.0, 0.0)])
def test_a_layer_of_zeros_is_worth_nothing_and_still_ranks(weights):
    assert scores_of(*weights) == [0] * len(weights)


def test_pruned_weights_change_no_other_s_score():
    alone, among = scores_of(3.0, -1.0, 2.0), scores_of(0.0, 3.0, 0.0, -1.0, 2.0, 0.0)
    assert [among[i] for i in (1, 3, 4)] == alone


def test_the_smallest_weights_of_a_float_are_not_zero():
    """Squared as float32 they were, and a whole layer would rank by position."""
    tiny = torch.finfo(torch.float32).smallest_normal
    assert scores_of(tiny, 2 * tiny) == [1 / 5, 1]


layers = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30)
networks = st.lists(layers.filter(any), min_size=1, max_size=5)


@given(layers, st.floats(1e-3, 1e3), st.booleans())
def test_lamp_does_not_know_a_layer_s_scale_or_signs(weights, factor, flip):
    layer = torch.tensor(weights, dtype=torch.float64) * (-1 if flip else 1)
    scaled = [lamp(inputs(final=layer * by)) for by in (1, factor)]
    torch.testing.assert_close(*scaled, rtol=1e-9, atol=1e-300)


@given(layers)
def test_within_a_layer_lamp_s_order_is_that_of_magnitude(weights):
    layer = torch.tensor(weights)
    by_magnitude, by_lamp = (score(inputs(final=layer)).sort(stable=True).indices for score in (magnitude, lamp))
    assert by_lamp.tolist() == by_magnitude.tolist()


@given(layers.filter(any))
def test_a_layer_s_largest_weight_scores_1_and_no_other_more_than_a_half(weights):
    scores = lamp(inputs(final=weights))
    largest = max(range(len(weights)), key=lambda i: (abs(weights[i]), i))
    assert scores[largest] == 1
    assert all(0 <= score <= 0.5 for i, score in enumerate(scores.tolist()) if i != largest)


@given(networks, st.integers(0, 100))
def test_pruned_by_lamp_no_layer_is_emptied_while_another_has_two_weights(network, percent):
    alive = pruned(network, lamp, percent / 100)
    assert min(alive) > 0 or max(alive) <= 1


def test_lamp_is_global_pruning_that_minds_the_layers_scales():
    """By magnitude the layer of small weights would go as a whole."""
    network = [[0.25, 0.5, 0.75], [1.0, 2.0, 3.0]]
    assert pruned(network, magnitude, 0.5) == [0, 3]
    assert pruned(network, lamp, 0.5) == [1, 2]  # of equal scores the earlier go
