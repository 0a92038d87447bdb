"""The optimizers by name. Importing this doesn't import torch, as whoever only plans trainings needs none.

Both take torch's fused step. On one CPU core it takes a third to two thirds of the time of the others; on a GPU it is one
kernel for many weights, which reads the rate, and counts its steps, on the device, so that it can be captured.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

LEAST_EPS, GREATEST_EPS = 1e-30, 10**9  # a smaller one is none in single precision: a pruned weight's step would be 0/0


@dataclass(frozen=True)
class Sgd:
    """Stochastic gradient descent with momentum mu and weight decay c, on the gradient g of a weight w.

    At the rate lr, where v begins as the first d::

        d = g + c * w
        v = mu * v + d
        w = w - lr * v                (nesterov: w - lr * (d + mu * v))

    Source: torch.optim.SGD; nesterov: Sutskever et al. 2013.

    Args:
        nesterov: Whether a step looks ahead by the momentum that it has just got, which must then be above 0.
    """

    nesterov: bool = False
    copies: ClassVar[int] = 1  # of the weights, that it keeps: v

    def over(
        self, parameters: "Iterable[nn.Parameter]", lr: "float | Tensor", momentum: float, weight_decay: float
    ) -> "torch.optim.Optimizer":
        """torch's optimizer of these parameters.

        Args:
            parameters: What it changes, all on one device.
            lr: The rate; a tensor on the device is read there at every step.
            momentum: mu, in [0, 1).
            weight_decay: c, at least 0.
        """
        import torch

        return torch.optim.SGD(
            parameters, lr, momentum=momentum, weight_decay=weight_decay, nesterov=self.nesterov, fused=True
        )


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay c, on the gradient g of a weight w.

    At the rate lr, where a and b begin as 0 and t counts steps from 1::

        a = beta1 * a + (1 - beta1) * g
        b = beta2 * b + (1 - beta2) * g**2
        w = w - lr * c * w - lr * (a / (1 - beta1**t)) / (sqrt(b / (1 - beta2**t)) + eps)

    Source: Loshchilov and Hutter 2019, arXiv 1711.05101, as torch.optim.AdamW has it: the rate scales the decay, too.

    Args:
        betas: beta1 and beta2, each in [0, 1).
        eps: From 1e-30 to 1e9.

    Raises:
        ValueError: For other values.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    copies: ClassVar[int] = 2  # of the weights, that it keeps: a and b

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be two numbers, each at least 0 and below 1, got {list(self.betas)}")
        if not (math.isfinite(self.eps) and LEAST_EPS <= self.eps <= GREATEST_EPS):
            raise ValueError(f"eps must be at least {LEAST_EPS} and at most {GREATEST_EPS}, got {self.eps}")

    def over(
        self, parameters: "Iterable[nn.Parameter]", lr: "float | Tensor", momentum: float, weight_decay: float
    ) -> "torch.optim.Optimizer":
        """torch's optimizer of these parameters, on a GPU one whose steps can be captured.

        Args:
            parameters: What it changes, all on one device.
            lr: The rate; a tensor on the device is read there at every step.
            momentum: 0: the betas stand for it.
            weight_decay: c, at least 0.
        """
        import torch

        parameters = list(parameters)
        on_gpu = any(p.is_cuda for p in parameters)
        return torch.optim.AdamW(
            parameters, lr, betas=self.betas, eps=self.eps, weight_decay=weight_decay, fused=True, capturable=on_gpu
        )


Optimizer = Sgd | AdamW
OPTIMIZERS = {"sgd": Sgd, "adamw": AdamW}


def buffers(optimizer: "torch.optim.Optimizer", parameter: "Tensor") -> "dict[str, Tensor]":
    """What an optimizer keeps of a parameter, by torch's names, as it is before the first step: zeros on its device."""
    import torch

    if isinstance(optimizer, torch.optim.AdamW):
        step = torch.zeros((), dtype=torch.float32, device=parameter.device)
        return {"step": step, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
    # the first step of SGD gives the same numbers from a momentum of zeros and from none
    return {"momentum_buffer": torch.zeros_like(parameter)} if optimizer.param_groups[0]["momentum"] else {}
