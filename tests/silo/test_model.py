"""Networks: sizes by hand, shapes, what they refuse."""

import math
import re

import pytest
import torch
import torchvision
from torch import nn

from silo.model import MODELS
from silo.sample_shape import sample_shape


def convolution(inputs, outputs, kernel=3):
    return inputs * outputs * kernel**2


def norm(width):
    return 2 * width


def linear(inputs, outputs):
    return (inputs + 1) * outputs


def vgg19_features():
    """Each convolution has a bias, and batch norm behind it."""
    widths = [64] * 2 + [128] * 2 + [256] * 4 + [512] * 8
    pairs = zip([3, *widths], widths, strict=False)
    return sum(convolution(inputs, outputs) + outputs + norm(outputs) for inputs, outputs in pairs)


def densenet40(channels, classes):
    """The stem; 12 layers of 12 channels more each, a transition, 12 layers, a transition, 12 layers; the classifier."""
    blocks = [
        sum(norm(width) + convolution(width, 12) for width in range(start, start + 144, 12)) for start in (16, 160, 304)
    ]
    transitions = [norm(width) + convolution(width, width, kernel=1) for width in (160, 304)]
    return convolution(channels, 16) + sum(blocks) + sum(transitions) + norm(448) + linear(448, classes)


def vit(size, classes, patch=4, width=256, depth=7, perceptron=512):
    """Patches, class token, position embeddings; blocks of two norms, attention and perceptron; norm and classifier."""
    embedding = convolution(3, width, patch) + width + width + ((size // patch) ** 2 + 1) * width
    attention = 3 * linear(width, width) + linear(width, width)
    block = 2 * norm(width) + attention + linear(width, perceptron) + linear(perceptron, width)
    return embedding + depth * block + norm(width) + linear(width, classes)


COUNTS = [  # (name, channels, size, classes, options, parameters)
    ("resnet20", 3, 32, 10, {}, 272_474),
    ("resnet20", 1, 8, 10, {}, 272_474 - 2 * 9 * 16),
    ("resnet20", 3, 32, 100, {}, 272_474 + 90 * 65),
    ("mlp", 1, 8, 10, {}, 65 * 100 + 101 * 100 + 101 * 10),
    ("mlp", 3, 32, 10, {"hidden": (300, 100)}, 3073 * 300 + 301 * 100 + 101 * 10),
    ("mlp", 1, 8, 3, {"hidden": ()}, 65 * 3),
    ("small-cnn", 1, 8, 10, {}, 9 * 16 + 32 + 9 * 16 * 32 + 64 + 9 * 32 * 64 + 128 + 65 * 10),
    ("mlp", 1, (40,), 10, {}, 15_210),  # as the package of MNIST-1D
    ("mlp", 12, (), 3, {"hidden": (5,)}, 13 * 5 + 6 * 3),
    ("cnn-1d", 1, (40,), 10, {}, 5_210),  # as the package of MNIST-1D
    ("cnn-1d", 2, (33,), 3, {"width": 4}, linear(2 * 5, 4) + 2 * linear(4 * 3, 4) + linear(4 * 4, 3)),
    ("cnn-1d", 1, (3,), 10, {"width": 1}, linear(5, 1) + 2 * linear(3, 1) + linear(1, 10)),
    ("small-cnn", 3, 32, 5, {"width": 4}, 9 * 3 * 4 + 8 + 9 * 4 * 8 + 16 + 9 * 8 * 16 + 32 + 17 * 5),
    ("vgg19", 3, 32, 10, {}, 139_622_218),  # as SILO's released code
    ("vgg19", 3, 64, 10, {"classifier": "imagenet"}, 139_622_218),
    ("vgg19", 3, 32, 100, {}, vgg19_features() + linear(25088, 4096) + linear(4096, 4096) + linear(4096, 100)),
    ("vgg19", 3, 32, 10, {"classifier": "linear"}, 20_040_522),
    ("vgg19", 3, 64, 7, {"classifier": "linear"}, vgg19_features() + linear(512, 7)),
    ("densenet40", 3, 32, 10, {}, 1_019_722),  # "1.0M" in Huang et al. 2017
    ("densenet40", 3, 32, 10, {}, densenet40(3, 10)),
    ("densenet40", 1, 8, 100, {}, densenet40(1, 100)),
    ("densenet40", 3, 5, 10, {}, 1_019_722),
    ("mobilenetv2", 3, 32, 10, {}, 3_504_872 - 990 * 1281),  # a smaller classifier, and nothing else
    ("resnet50", 3, 32, 10, {}, 25_557_032 - 990 * 2049),
    ("resnet50", 3, 64, 200, {}, 25_557_032 - 800 * 2049),
    ("vit-b-16", 3, 32, 10, {}, vit(32, 10, patch=16, width=768, depth=12, perceptron=3072)),
    ("vit-b-16", 3, 224, 1000, {}, vit(224, 1000, patch=16, width=768, depth=12, perceptron=3072)),
    ("vit-small", 3, 32, 10, {}, 3_722_250),
    ("vit-small", 3, 32, 10, {}, vit(32, 10)),
    ("vit-small", 3, 64, 200, {"patch": 8, "dropout": 0.1}, vit(64, 200, patch=8)),
    ("vit-small", 3, 8, 5, {"width": 6, "depth": 2, "heads": 3}, vit(8, 5, width=6, depth=2, perceptron=12)),
]


@pytest.mark.parametrize(("name", "channels", "size", "classes", "options", "count"), COUNTS)
def test_parameters_and_output(name, channels, size, classes, options, count):
    with torch.device("meta"):
        model = MODELS[name](channels, size, classes, **options)
        assert sum(p.numel() for p in model.parameters()) == count
        assert model(torch.zeros(4, *sample_shape(channels, size))).shape == (4, classes)


PUBLISHED = {
    "vgg19": torchvision.models.VGG19_BN_Weights,
    "mobilenetv2": torchvision.models.MobileNet_V2_Weights,
    "resnet50": torchvision.models.ResNet50_Weights,
    "vit-b-16": torchvision.models.ViT_B_16_Weights,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_with_imagenet_s_size_and_classes_it_has_the_parameters_that_torchvision_publishes(name):
    with torch.device("meta"):
        model = MODELS[name](3, 224, 1000)
    assert sum(p.numel() for p in model.parameters()) == PUBLISHED[name].IMAGENET1K_V1.meta["num_params"]


def test_resnet20_is_twenty_layers_deep_and_halves_twice():
    model = MODELS["resnet20"](3, 32, 10)
    weighted = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len([m for m in weighted if getattr(m, "kernel_size", None) != (1, 1)]) == 20
    assert len([m for m in weighted if getattr(m, "kernel_size", None) == (1, 1)]) == 2  # shortcuts
    sizes = []
    pool = next(i for i, module in enumerate(model) if isinstance(module, nn.AdaptiveAvgPool2d))
    x = torch.zeros(1, 3, 32, 32)
    for block in model[:pool]:
        x = block(x)
        sizes.append(tuple(x.shape[1:]))
    assert sizes == [(16, 32, 32)] * 6 + [(32, 16, 16)] * 3 + [(64, 8, 8)] * 3


def test_a_resnet_block_adds_its_input():
    """With its last batch norm at zero, a block without a shortcut layer is relu(x)."""
    block = MODELS["resnet20"](3, 32, 10)[3]
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x.relu())


def test_densenet40_is_forty_layers_deep_and_each_takes_all_before_it():
    model = MODELS["densenet40"](3, 32, 10)
    weighted = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len(weighted) == 40
    inputs = [16 + 12 * layer for layer in range(12)], [160 + 12 * layer for layer in range(12)]
    inputs = [3, *inputs[0], 160, *inputs[1], 304, *[304 + 12 * layer for layer in range(12)]]
    assert [module.in_channels for module in weighted[:-1]] == inputs
    x, sizes = torch.zeros(1, 3, 32, 32), []
    for layer in model[:-5]:
        x = layer(x)
        sizes.append(x.shape[-1])
    assert x.shape[1] == 448 and sorted(set(sizes)) == [8, 16, 32]


def test_a_dense_layer_keeps_its_input():
    layer = MODELS["densenet40"](3, 32, 10)[1]
    x = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    y = layer(x)
    assert torch.equal(y[:, :16], x) and y.shape == (2, 28, 8, 8)


def test_mobilenetv2_halves_a_small_image_three_times():
    """32x32 ends as 4x4: the stem and the stage of 24 channels keep the size."""
    x, sizes = torch.zeros(1, 3, 32, 32), {}
    for block in MODELS["mobilenetv2"](3, 32, 10).eval().features:
        x = block(x)
        sizes[x.shape[1]] = x.shape[-1]
    assert sizes == {32: 16, 16: 32, 24: 32, 64: 8, 96: 8, 160: 4, 320: 4, 1280: 4}


@pytest.mark.parametrize("classifier", ["imagenet", "linear"])
def test_vgg19_is_nineteen_layers_deep_and_ends_in_dropout_or_one_linear_layer(classifier):
    with torch.device("meta"):
        model = MODELS["vgg19"](3, 32, 10, classifier=classifier)
    kinds = [type(module) for module in model.modules()]
    assert (kinds.count(nn.Conv2d), kinds.count(nn.BatchNorm2d), kinds.count(nn.MaxPool2d)) == (16, 16, 5)
    assert kinds.count(nn.Linear) == {"imagenet": 3, "linear": 1}[classifier]
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == {"imagenet": [0.5] * 2, "linear": []}[
        classifier
    ]


def test_no_part_of_a_built_vgg19_is_left_without_memory():
    assert not any(p.is_meta for p in MODELS["vgg19"](3, 32, 10, classifier="linear").parameters())


def test_the_dropout_of_vit_small_reaches_every_block():
    model = MODELS["vit-small"](3, 32, 10, depth=3, dropout=0.25)
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [0.25] * (1 + 3 * 3)


REFUSED = [  # (name, channels, size, options, field, value)
    ("mlp", 1, 8, {"hidden": (10, 0)}, "hidden", "[10, 0]"),
    ("small-cnn", 1, 8, {"width": 0}, "width", "0"),
    ("cnn-1d", 1, (40,), {"width": 0}, "width", "0"),
    ("cnn-1d", 1, (2,), {}, "size", "(2,)"),
    ("cnn-1d", 1, (), {}, "size", "()"),
    ("cnn-1d", 1, 40, {}, "size", "40"),
    ("vgg19", 1, 32, {}, "channels", "1"),
    ("vgg19", 3, 31, {}, "size", "31"),
    ("vgg19", 3, 32, {"classifier": "cifar"}, "classifier", "'cifar'"),
    ("densenet40", 3, 3, {}, "size", "3"),
    ("mobilenetv2", 1, 32, {}, "channels", "1"),
    ("resnet50", 4, 32, {}, "channels", "4"),
    ("vit-b-16", 1, 32, {}, "channels", "1"),
    ("vit-b-16", 3, 40, {}, "size", "40"),
    ("vit-b-16", 3, 8, {}, "size", "8"),
    ("vit-small", 1, 32, {}, "channels", "1"),
    ("vit-small", 3, 30, {}, "size", "30"),
    ("vit-small", 3, 32, {"patch": 64}, "size", "32"),
    ("vit-small", 3, 32, {"patch": 0}, "patch", "0"),
    ("vit-small", 3, 32, {"width": 0}, "width", "0"),
    ("vit-small", 3, 32, {"depth": 0}, "depth", "0"),
    ("vit-small", 3, 32, {"depth": 101}, "depth", "101"),
    ("vit-small", 3, 32, {"heads": 0}, "heads", "0"),
    ("vit-small", 3, 32, {"heads": 3}, "heads", "3"),
    ("vit-small", 3, 32, {"dropout": 1.0}, "dropout", "1.0"),
    ("vit-small", 3, 32, {"dropout": -0.1}, "dropout", "-0.1"),
    ("vit-small", 3, 32, {"dropout": math.nan}, "dropout", "nan"),
]


@pytest.mark.parametrize(("name", "channels", "size", "options", "field", "value"), REFUSED)
def test_what_a_network_refuses_it_says_in_one_line(name, channels, size, options, field, value):
    with pytest.raises(ValueError, match=rf"\A{field} must .*, got {re.escape(value)}\Z"):
        MODELS[name](channels, size, 10, **options)
