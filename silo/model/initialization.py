"""How weights are drawn; every draw is from torch's global generator, which the caller seeds.

The rules set the parameters of convolutions, linear layers, attention and normalization. Others, in our networks only
the vision transformers' class token and position embeddings, are left as the network's constructor drew them.
"""

from collections.abc import Callable

from torch import Tensor, nn

NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear)

Rule = Callable[[Tensor], object]


def kaiming(model: nn.Module) -> None:
    """Weights He-normal by fan-in (He et al. 2015), biases 0, normalization 1 and 0."""
    _draw(model, lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), nn.init.zeros_, nn.init.ones_)


def released(model: nn.Module) -> None:
    """As SILO's released code: weights Xavier-normal, biases standard normal, batch norm N(1, 0.02) and 0."""
    _draw(model, nn.init.xavier_normal_, nn.init.normal_, lambda scale: nn.init.normal_(scale, 1, 0.02))


def default(model: nn.Module) -> None:
    """Every parameter stays as the network's constructor drew it, by torch's rules or, in its networks, torchvision's."""


def _draw(model: nn.Module, weight: Rule, bias: Rule, scale: Rule) -> None:
    """Each module in turn: weights, then biases; a normalization's scale, and its shift 0."""
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


INITIALIZATIONS: dict[str, Callable[[nn.Module], None]] = {"kaiming": kaiming, "released": released, "default": default}
