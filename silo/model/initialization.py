"""How weights are drawn; every draw is from torch's global generator, which the caller seeds.

The rules set the parameters of convolutions, linear layers, attention and normalization. Others, in our networks only
the vision transformers' class token and position embeddings, are left as the network's constructor drew them.

Your own rule is a function that takes the network and changes it in place.
"""

from collections.abc import Callable

from torch import Tensor, nn

NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear)

Rule = Callable[[Tensor], object]


def kaiming(model: nn.Module) -> None:
    """Draw weights He-normal by fan-in, N(0, 2 / fan_in); biases are 0, normalization's scale 1 and shift 0.

    Source: He et al. 2015, arXiv 1502.01852.

    Args:
        model: The network, changed in place.
    """
    _draw(model, lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), nn.init.zeros_, nn.init.ones_)


def released(model: nn.Module) -> None:
    """Draw weights Xavier-normal, N(0, 2 / (fan_in + fan_out)), biases N(0, 1), batch norm's scale N(1, 0.02^2), its shift 0.

    Source: SILO's released code.

    Args:
        model: The network, changed in place.
    """
    _draw(model, nn.init.xavier_normal_, nn.init.normal_, lambda scale: nn.init.normal_(scale, 1, 0.02))


def default(model: nn.Module) -> None:
    """Leave every parameter as the network's constructor drew it, by torch's rules or, in its networks, torchvision's.

    Args:
        model: The network, left as it is.
    """


def _draw(model: nn.Module, weight: Rule, bias: Rule, scale: Rule) -> None:
    """Draw module by module, in model order: weights, then biases; a normalization's scale, and its shift 0."""
    for module in model.modules():
        if isinstance(module, NORMS):
            _apply(scale, module.weight)
            _apply(nn.init.zeros_, module.bias)
        elif isinstance(module, WEIGHTED):
            _apply(weight, module.weight)
            _apply(bias, module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            # query's, key's and value's matrix, stacked: each is a layer of its own, with its own fan-out
            for matrix in module.in_proj_weight.detach().chunk(3):
                _apply(weight, matrix)
            _apply(bias, module.in_proj_bias)


def _apply(rule: Rule, parameter: Tensor | None) -> None:
    if parameter is not None:
        rule(parameter)
