"""Networks by name. A builder takes (channels, size, classes) and its own options, and returns an nn.Module."""

from collections.abc import Callable

from torch import nn

from silo.model.mlp import mlp
from silo.model.resnet import resnet20
from silo.model.small_cnn import small_cnn

MODELS: dict[str, Callable[..., nn.Module]] = {"mlp": mlp, "small-cnn": small_cnn, "resnet20": resnet20}
