"""How weights are drawn; every draw is from torch's global generator, which the caller seeds."""

from collections.abc import Callable

from torch import nn

NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear)


def kaiming(model: nn.Module) -> None:
    """Weights He-normal by fan-in (He et al. 2015), biases 0, normalization 1 and 0."""
    for module in model.modules():
        if isinstance(module, WEIGHTED):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        elif isinstance(module, NORMS) and module.weight is not None:
            nn.init.ones_(module.weight)
        if isinstance(module, WEIGHTED + NORMS) and module.bias is not None:
            nn.init.zeros_(module.bias)


def released(model: nn.Module) -> None:
    """As SILO's released code: weights Xavier-normal, biases standard normal, batch norm N(1, 0.02) and 0."""
    for module in model.modules():
        if isinstance(module, WEIGHTED):
            nn.init.xavier_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias)
        elif isinstance(module, NORMS) and module.weight is not None:
            nn.init.normal_(module.weight, 1, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


INITIALIZATIONS: dict[str, Callable[[nn.Module], None]] = {"kaiming": kaiming, "released": released}
