"""Networks by name. A builder takes (channels, size, classes) and its own options, and returns an nn.Module.

Your own is a function of the same kind: it returns logits, (n, channels, size, size) -> (n, classes), and raises ValueError for
images that it doesn't take.

Builders import torchvision themselves: it takes more than a second, and most networks and commands don't need it.
"""

from collections.abc import Callable

from torch import nn

from silo.model.densenet import densenet40
from silo.model.mlp import mlp
from silo.model.mobilenet import mobilenetv2
from silo.model.resnet import resnet20, resnet50
from silo.model.small_cnn import small_cnn
from silo.model.vgg import vgg19
from silo.model.vit import vit_b_16, vit_small

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mlp": mlp,
    "small-cnn": small_cnn,
    "resnet20": resnet20,
    "vgg19": vgg19,
    "densenet40": densenet40,
    "mobilenetv2": mobilenetv2,
    "resnet50": resnet50,
    "vit-b-16": vit_b_16,
    "vit-small": vit_small,
}
