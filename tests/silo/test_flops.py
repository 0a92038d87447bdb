"""FLOPs of networks, dense and pruned, against torch's own counter, formulas by hand, and smaller networks."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from silo.flops import forward_flops
from silo.mask import Mask, prunable_weights
from silo.model import MODELS
from silo.sample_shape import sample_shape

SHAPES = {"mlp": (1, 8, 10), "cnn-1d": (1, (40,), 10), "small-cnn": (1, 8, 10)}
SHAPES |= {"resnet50": (3, 64, 200), "vit-b-16": (3, 224, 1000)}


PUBLISHED = {
    "vgg19": torchvision.models.VGG19_BN_Weights,
    "resnet50": torchvision.models.ResNet50_Weights,
    "vit-b-16": torchvision.models.ViT_B_16_Weights,
}
FEW = settings(max_examples=20)


def built(name, *shape, on="meta", **options):
    with torch.device(on):
        return MODELS[name](*(shape or SHAPES.get(name, (3, 32, 10))), **options)


def flops(model, shape, **prunable):
    every = {"norm": True, "first": True, "head": True} | prunable
    return forward_flops(model, prunable_weights(model, **every), shape)


def by_hand(model, shape):
    """FLOPs by weight, 2 for each number of a convolution or linear layer at each output position; and the total by torch."""
    found = {}

    def linear(name, outputs):
        found[name] = 2 * model.get_parameter(name).numel() * outputs

    def note(name):
        def hook(module, inputs, output):
            if isinstance(module, nn.MultiheadAttention):  # its projections are of no layer that is called
                tokens = inputs[0].shape[1]
                linear(f"{name}.in_proj_weight", tokens)
                linear(f"{name}.out_proj.weight", tokens)
            elif isinstance(module, nn.Linear):
                linear(f"{name}.weight", output.numel() // module.out_features)
            else:
                linear(f"{name}.weight", output[0, 0].numel())

        return hook

    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.MultiheadAttention)
    for name, module in model.named_modules():
        if isinstance(module, kinds):
            module.register_forward_hook(note(name))
    with FlopCounterMode(display=False) as torch_s:
        model.eval()(torch.zeros(1, *shape, device="meta"))
    return found, torch_s.get_total_flops()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_of_every_network_the_dense_figure_is_torch_s_and_each_weight_counts_at_each_output_position(name):
    model = built(name)
    shape = sample_shape(*SHAPES.get(name, (3, 32, 10))[:2])
    counted = flops(model, shape)
    expected, torch_s = by_hand(model, shape)
    assert counted.dense == torch_s > 0
    assert {weight: count for weight, count in counted.by_weight.items() if count} == expected
    attention = [module for module in model.modules() if isinstance(module, nn.MultiheadAttention)]
    tokens = model.seq_length if attention else 0
    products = sum(2 * 2 * tokens**2 * module.embed_dim for module in attention)
    assert counted.dense == sum(counted.by_weight.values()) + products


@pytest.mark.parametrize("name", PUBLISHED)
def test_with_imagenet_s_size_and_classes_it_has_the_multiply_adds_that_torchvision_publishes(name):
    published = PUBLISHED[name].IMAGENET1K_V1.meta["_ops"]  # in 1e9, to 3 decimals
    assert flops(built(name, 3, 224, 1000), (3, 224, 224)).dense / 2e9 == pytest.approx(published, abs=0.0005)


@FEW
@given(st.integers(0, 20), st.integers(0, 12))
def test_a_masked_network_needs_what_the_smaller_one_needs(first, second):
    """Units of which all weights are pruned are as good as not there."""
    model = built("mlp", 1, 8, 10, hidden=(20, 12))
    dense = flops(model, (1, 8, 8))
    mask = Mask({name: torch.ones(w.shape, dtype=torch.bool) for name, w in model.named_parameters() if w.dim() > 1})
    one, two, three = mask.layers.values()
    one[first:], two[:, first:], two[second:], three[:, second:] = False, False, False, False
    assert dense.masked(mask.counts) == 2 * (64 * first + first * second + second * 10)
    if first and second:
        assert dense.masked(mask.counts) == flops(built("mlp", 1, 8, 10, hidden=(first, second)), (1, 8, 8)).dense


@FEW
@given(st.randoms(use_true_random=False))
def test_each_alive_weight_of_a_convolution_counts_at_each_output_position(random):
    model = built("cnn-1d")
    positions = {"0.weight": 19, "2.weight": 10, "4.weight": 5, "7.weight": 1}
    counts = {
        name: (random.randint(0, weight.numel()), weight.numel())
        for name, weight in model.named_parameters()
        if name in positions
    }
    expected = sum(2 * counts[name][0] * at for name, at in positions.items())
    assert flops(model, (1, 40)).masked(counts) == expected


def test_weights_that_are_not_prunable_count_whole():
    model = built("cnn-1d")
    inner = prunable_weights(model, norm=False, first=False, head=False)
    counted = forward_flops(model, inner, (1, 40))
    assert list(counted.by_weight) == ["2.weight", "4.weight"]
    assert counted.masked({name: (0, weight.numel()) for name, weight in inner.items()}) == 4750 + 2500


def test_what_is_made_of_a_weight_counts_whole_and_a_weight_that_is_used_twice_counts_twice():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.twice = nn.Parameter(torch.ones(3, 3)), nn.Linear(3, 3)

        def forward(self, x):
            return self.twice(self.twice(x @ (2 * self.weight)))

    counted = flops(Own(), (3,))
    assert (counted.dense, counted.by_weight) == (54, {"weight": 0, "twice.weight": 36})
    assert counted.masked({"weight": (1, 9), "twice.weight": (3, 9)}) == 18 + 12


def test_counting_is_the_same_on_any_device_and_draws_nothing():
    model = built("vit-small", 3, 8, 5, width=6, depth=2, heads=3, on="cpu")
    state = torch.get_rng_state()
    assert flops(model, (3, 8, 8)) == flops(built("vit-small", 3, 8, 5, width=6, depth=2, heads=3), (3, 8, 8))
    assert torch.equal(torch.get_rng_state(), state)
