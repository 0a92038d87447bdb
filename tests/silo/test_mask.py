"""Which weights are prunable, how many go, which go, and how a mask is stored."""

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from silo.mask import Mask, prunable_weights
from silo.model import MODELS

shapes = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4)
scopes = st.sampled_from(["global", "layer"])


def dense(*shapes_):
    return Mask.dense({f"layer{i}.weight": torch.zeros(shape) for i, shape in enumerate(shapes_)})


def scores(mask, seed=0, values=None):
    """Random scores for every weight; of few ``values``, so that there are ties, or all different."""
    random = torch.Generator().manual_seed(seed)
    if values is None:
        return {name: torch.rand(layer.shape, generator=random) for name, layer in mask.layers.items()}
    return {name: torch.randint(values, layer.shape, generator=random).float() for name, layer in mask.layers.items()}


def groups(mask, scope):
    """The names that are ranked together."""
    return [list(mask.layers)] if scope == "global" else [[name] for name in mask.layers]


def flat(tensors, names):
    return torch.cat([tensors[name].flatten() for name in names])


# thousandths, so that the expected count is exact in whole numbers, whatever a float makes of the rate
@given(shapes, st.integers(0, 1000), scopes, st.integers(1, 5), st.integers(0, 99))
def test_the_law_of_pruning(shapes, thousandths, scope, cycles, seed):
    mask = dense(*shapes)
    for cycle in range(cycles):
        marks = scores(mask, seed + cycle, values=4)
        after = mask.prune(marks, thousandths / 1000, scope)
        assert after.layers.keys() == mask.layers.keys()
        for names in groups(mask, scope):
            alive, kept, mark = (flat(tensors, names) for tensors in (mask.layers, after.layers, marks))
            assert not (kept & ~alive).any()  # nothing comes back
            gone = (alive & ~kept).nonzero().flatten().tolist()
            assert len(gone) == thousandths * int(alive.sum()) // 1000
            # the lowest go, of equals the earlier: the order of (score, position) says it all
            ranked = sorted(alive.nonzero().flatten().tolist(), key=lambda at, mark=mark: (mark[at].item(), at))
            assert sorted(ranked[: len(gone)]) == gone
        mask = after


@pytest.mark.parametrize(
    ("rate", "alive", "goes"),
    [
        (0.29, 100, 29),  # 0.29 * 100 is 28.999999999999996
        (0.57, 100, 57),  # 0.57 * 100 is 56.99999999999999
        (0.07, 100, 7),  # 0.07 * 100 is 7.000000000000001
        (0.2, 4, 0),
        (0.2, 5, 1),
        (0.2, 271_680, 54_336),
        (1 / 3, 3, 0),  # the decimal that was written is 0.3333333333333333
        (1e-5, 100_000, 1),
        (0, 10, 0),
        (1, 10, 10),
        (0.5, 0, 0),
    ],
)
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_counts(rate, alive, goes, scope):
    mask = dense(alive)
    assert mask.alive - mask.prune(scores(mask), rate, scope).alive == goes


def test_global_and_layer_share_the_loss_differently():
    mask = dense(10, 10)
    marks = {"layer0.weight": torch.arange(10.0), "layer1.weight": torch.arange(10.0) + 100}
    assert [int(layer.sum()) for layer in mask.prune(marks, 0.4, "global").layers.values()] == [2, 10]
    assert [int(layer.sum()) for layer in mask.prune(marks, 0.4, "layer").layers.values()] == [6, 6]


def test_counts_of_each_layer_in_model_order():
    mask = Mask(
        {"b": torch.tensor([[True, False], [True, True]]), "a": torch.tensor([False] * 3), "c": torch.tensor([True])}
    )
    assert list(mask.counts.items()) == [("b", (3, 4)), ("a", (0, 3)), ("c", (1, 1))]
    assert [sum(counts) for counts in zip(*mask.counts.values(), strict=True)] == [mask.alive, mask.total]


def test_ties_go_by_position_across_layers():
    mask = dense((2, 3), (4,))
    after = mask.prune({name: torch.ones(layer.shape) for name, layer in mask.layers.items()}, 0.7, "global")
    assert [layer.tolist() for layer in after.layers.values()] == [[[False] * 3] * 2, [False, True, True, True]]


def test_scores_of_any_memory_layout_mean_the_same():
    mask = dense((4, 3, 2, 2))
    marks = scores(mask)
    strided = {name: mark.to(memory_format=torch.channels_last) for name, mark in marks.items()}
    assert mask.prune(marks, 0.5, "global").digest() == mask.prune(strided, 0.5, "global").digest()


def test_pruning_leaves_the_mask_it_started_from():
    mask = dense((3, 4))
    after = mask.prune(scores(mask), 0.5, "global")
    assert (mask.alive, after.alive, after.total) == (12, 6, 12)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_score_that_is_not_finite_raises_where_the_weight_is_alive(scope, value):
    mask = dense(10, 10)
    marks = scores(mask)
    marks["layer1.weight"][3] = value
    with pytest.raises(ValueError, match=r"^scores must be finite"):
        mask.prune(marks, 0.2, scope)
    mask.layers["layer1.weight"][3] = False
    assert mask.prune(marks, 0.2, scope).alive < mask.alive


@pytest.mark.parametrize(("rate", "scope"), [(-0.2, "global"), (1.5, "layer"), (math.nan, "global"), (0.2, "Global")])
def test_a_rate_or_scope_that_is_none_raises(rate, scope):
    mask = dense(10)
    with pytest.raises(ValueError):
        mask.prune(scores(mask), rate, scope)


@pytest.mark.parametrize("shape", [(), (4,), (12,), (4, 3), (3, 5)])
def test_scores_that_are_not_of_the_layers_shape_raise(shape):
    with pytest.raises(ValueError, match=rf"^scores of layer0\.weight must .*\(3, 4\), got {re.escape(str(shape))}$"):
        dense((3, 4)).prune({"layer0.weight": torch.ones(shape)}, 0.2, "global")


@given(shapes, st.integers(0, 99))
def test_packing_round_trip(shapes, seed):
    weights = dense(*shapes).layers
    mask = Mask({name: mark > 0 for name, mark in scores(dense(*shapes), seed, values=2).items()})
    packed = mask.pack()
    assert packed.dtype == torch.uint8 and packed.shape == (-(-mask.total // 8),)
    back = Mask.unpack(packed, weights)
    assert list(back.layers) == list(mask.layers)
    assert all(torch.equal(back.layers[name], layer) for name, layer in mask.layers.items())
    assert back.digest() == mask.digest()


@given(shapes, st.data())
def test_the_digest_tells_one_bit(shapes, data):
    mask = dense(*shapes)
    digest = mask.digest()
    layer = mask.layers[data.draw(st.sampled_from(sorted(mask.layers)))].view(-1)
    layer[data.draw(st.integers(0, len(layer) - 1))] = False
    assert mask.digest() != digest


@pytest.mark.parametrize("other", [8, 17, 100])
def test_a_mask_of_another_size_is_refused(other):
    with pytest.raises(ValueError, match=f"{other} prunable"):
        Mask.unpack(dense(10).pack(), {"a": torch.zeros(other)})


# ResNet-20: 271,680 weights, 784 of them batch norm's, 432 the stem's, 640 the head's; by hand from the layer sizes
MODEL_WEIGHTS = {  # model: (arguments, norm, first, head: number of weights; names of first and head)
    "resnet20": ((3, 32, 10), 271_680, 784, 432, 640, "0.weight", "14.weight"),
    "small-cnn": ((1, 8, 10), 144 + 4608 + 18432 + 640 + 112, 112, 144, 640, "0.weight", "11.weight"),
    "cnn-1d": ((1, (40,), 10), 125 + 2 * 1875 + 1250, 0, 125, 1250, "0.weight", "7.weight"),
    "mlp": ((1, 8, 10), 6400 + 10000 + 1000, 0, 6400, 1000, "1.weight", "5.weight"),
    # all but the biases: of 16 convolutions, their norms and 3 linear layers
    "vgg19": (
        (3, 32, 10),
        139_622_218 - 2 * 5504 - 8202,
        5504,
        1728,
        40_960,
        "features.0.weight",
        "classifier.6.weight",
    ),
    # norms: 16, 28 ... 148; 160, 172 ... 292; 304 ... 436 and two transitions' and the last
    "densenet40": ((3, 32, 10), 1_019_722 - 9048 - 10, 9048, 432, 4480, "0.weight", "49.weight"),
    "mobilenetv2": (
        (3, 32, 10),
        2_236_682 - 17_056 - 10,
        17_056,
        864,
        12_800,
        "features.0.0.weight",
        "classifier.1.weight",
    ),
    "resnet50": ((3, 32, 10), 23_528_522 - 26_560 - 10, 26_560, 9408, 20_480, "conv1.weight", "fc.weight"),
    # weights of the patches, of 7 blocks (2 norms; attention 4, perceptron 4 times 256 x 256), of the last norm and the head
    "vit-small": (
        (3, 32, 10),
        12_288 + 7 * (512 + 8 * 65_536) + 256 + 2560,
        15 * 256,
        12_288,
        2560,
        "conv_proj.weight",
        "heads.head.weight",
    ),
    "vit-b-16": (
        (3, 32, 10),
        589_824 + 12 * (1536 + 12 * 589_824) + 768 + 7680,
        25 * 768,
        589_824,
        7680,
        "conv_proj.weight",
        "heads.head.weight",
    ),
}


def test_every_network_s_weights_are_counted():
    assert MODEL_WEIGHTS.keys() == MODELS.keys()


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("name", MODEL_WEIGHTS)
def test_which_weights_are_prunable(name, norm, first, head):
    arguments, total, of_norm, of_first, of_head, first_name, head_name = MODEL_WEIGHTS[name]
    with torch.device("meta"):
        model = MODELS[name](*arguments)
    chosen = prunable_weights(model, norm, first, head)
    expected = total - (not norm) * of_norm - (not first) * of_first - (not head) * of_head
    assert sum(weight.numel() for weight in chosen.values()) == expected
    assert (first_name in chosen, head_name in chosen) == (first, head)
    kinds = (nn.BatchNorm2d, nn.LayerNorm)
    norms = [f"{n}.weight" for n, module in model.named_modules() if isinstance(module, kinds)]
    assert [n in chosen for n in norms] == [norm] * len(norms)
    assert not [n for n in chosen if "bias" in n or "token" in n or "embedding" in n]
    order = [n for n, _ in model.named_parameters()]
    assert list(chosen) == sorted(chosen, key=order.index)


def test_every_part_of_a_vision_transformer_that_is_prunable():
    with torch.device("meta"):
        model = MODELS["vit-small"](3, 32, 10, depth=1)
    block = "encoder.layers.encoder_layer_0"
    layers = ["self_attention.in_proj_weight", "self_attention.out_proj.weight", "mlp.0.weight", "mlp.3.weight"]
    expected = ["conv_proj.weight", *[f"{block}.{layer}" for layer in layers], "heads.head.weight"]
    assert list(prunable_weights(model, norm=False, first=True, head=True)) == expected
    norms = {f"{block}.ln_1.weight", f"{block}.ln_2.weight", "encoder.ln.weight"}
    assert prunable_weights(model, norm=True, first=True, head=True).keys() == norms | set(expected)


def test_norms_of_every_kind_are_told_by_their_module_and_never_by_their_name():
    model = nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 6), nn.GroupNorm(2, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))
    assert list(prunable_weights(model, norm=False, first=True, head=True)) == ["1.weight", "4.weight"]
    assert list(prunable_weights(model, norm=True, first=False, head=False)) == ["0.weight", "2.weight", "3.weight"]


def test_twenty_five_released_cycles_of_resnet20():
    """0.8^24 of the weights; as only floors go, each cycle leaves up to one weight more, less than 5 over all cycles."""
    mask, alive = Mask.dense(prunable_weights(MODELS["resnet20"](3, 32, 10), True, True, True)), 271_680
    marks = scores(mask)
    for _ in range(24):
        mask, alive = mask.prune(marks, 0.2, "global"), alive - alive // 5
        assert mask.alive == alive
    assert 0 <= alive - 271_680 * 0.8**24 < 5
