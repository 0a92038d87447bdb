"""Networks by name, and ways to draw their weights.

A network's builder takes (channels, size, classes) and its own options, and returns an nn.Module. Your own is a function of
the same kind: it returns logits, (n, channels, size, size) -> (n, classes), and raises ValueError for samples that it doesn't
take, beginning with the parameter that it is about. Of samples that are no square images size is a tuple, their dimensions
after the channels (:mod:`silo.sample_shape`).

Builders import torchvision themselves: it takes more than a second, and most networks and commands don't need it.
"""

from silo.registry import Registry

MODELS = Registry(
    {
        "mlp": "silo.model.mlp:mlp",
        "small-cnn": "silo.model.small_cnn:small_cnn",
        "cnn-1d": "silo.model.cnn_1d:cnn_1d",
        "resnet20": "silo.model.resnet:resnet20",
        "vgg19": "silo.model.vgg:vgg19",
        "densenet40": "silo.model.densenet:densenet40",
        "mobilenetv2": "silo.model.mobilenet:mobilenetv2",
        "resnet50": "silo.model.resnet:resnet50",
        "vit-b-16": "silo.model.vit:vit_b_16",
        "vit-small": "silo.model.vit:vit_small",
    }
)
INITIALIZATIONS = Registry(
    {
        "kaiming": "silo.model.initialization:kaiming",
        "released": "silo.model.initialization:released",
        "default": "silo.model.initialization:default",
    }
)
