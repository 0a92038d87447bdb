"""A lane: one network under training. Several may train side by side, on the same batches, each with a rate of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from silo.data.split import Split
from silo.mask import Mask
from silo.optimizer import AdamW, buffers
from silo.precision import computing, placed
from silo.recipe import Recipe
from silo.shape import Shape

RateTable = Sequence[Sequence[float]] | Tensor  # (steps, lanes)


@dataclass(frozen=True)
class Start:
    """What a lane begins with.

    Attributes:
        model: The network with its start weights; it is trained in place, or copied.
        mask: Which of its weights are alive.
        max_lr: The upper bound of its learning rate, above 0.
        shape: The learning rate within the cycle; None for the recipe's.
        remember_at: The iteration (from 1) after which its weights are remembered; None for none.
    """

    model: nn.Module
    mask: Mask
    max_lr: float
    shape: Shape | None = None
    remember_at: int | None = None


class Lane:
    """A network with its mask, its optimizer's buffers and its rate, all on one device.

    Pruned weights are 0 after every step (and before the first, once the mask was applied), and no other weight is held.

    Attributes:
        model: The network.
        max_lr: The upper bound of its learning rate.
        optimizer: The recipe's, over all its parameters.
        loss: Sum of the training loss over images since :meth:`total_loss` was last called.
        losses: (mean loss of a batch, its images) that are yet to be added to that sum.
    """

    def __init__(self, start: Start, recipe: Recipe, device: torch.device, rate: Tensor | None = None) -> None:
        self.precision, self.label_smoothing = recipe.precision, recipe.label_smoothing
        self.model = placed(start.model, device, recipe.precision)
        self.max_lr = start.max_lr
        # on a GPU the rate is a tensor: a captured step reads it there, and eager steps shall give the same numbers
        if rate is None and device.type == "cuda":
            rate = torch.zeros((), device=device)
        lr = 0.0 if rate is None else rate
        self.optimizer = recipe.optimizer.over(self.model.parameters(), lr, recipe.momentum, recipe.weight_decay)
        self._clip_norm = recipe.clip_norm
        # SGD's step needs no masked gradients: what they would change are pruned weights, and the momentum of these
        self._masks_gradients = isinstance(recipe.optimizer, AdamW) or recipe.clip_norm is not None
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        self.losses: list[tuple[Tensor, int]] = []
        parameters = dict(self.model.named_parameters())
        self._pruned = [parameters[name] for name in start.mask.layers]
        # laid out in memory as their weights: what multiplies them all at once is several times as slow for others
        self._masks = [torch.empty_like(p, requires_grad=False) for p in self._pruned]
        for own, layer in zip(self._masks, start.mask.layers.values(), strict=True):
            own.copy_(layer)

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Do one iteration at the rate that is set. It waits for no result, so that it can be captured.

        Args:
            images: Normalized samples, (n, channels, size, size) where they are square images.
            labels: int64 (n).

        Returns:
            The batch's mean loss before the iteration.
        """
        with computing(self.precision, images.device):
            loss = functional.cross_entropy(self.model(images), labels, label_smoothing=self.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self._masks_gradients:
            self._mask_gradients()
        if self._clip_norm is not None:
            # a norm that isn't finite makes weights that aren't, which is told as divergence; to look at it would wait for it
            nn.utils.clip_grad_norm_(
                self.optimizer.param_groups[0]["params"], self._clip_norm, error_if_nonfinite=False
            )
        self.optimizer.step()
        self.apply_mask()
        return loss.detach()

    def total_loss(self) -> float:
        """The training loss summed over the images of all steps since the last call."""
        total = self.loss
        if self.losses:
            means, counts = zip(*self.losses, strict=True)
            # on the CPU, where a cumsum adds in turn, as recorded steps do
            summands = torch.stack(means).cpu() * torch.tensor(counts)
            total = total.cpu() + summands.double().cumsum(0)[-1]
            self.losses = []
        result = total.item()
        self.loss.zero_()
        return result

    @torch.no_grad()
    def finite(self) -> bool:
        """Whether every weight is finite."""
        # where the least and the greatest are, all are: several times as fast as looking at each
        bounds = [bound for p in self.model.parameters() if p.numel() for bound in torch.aminmax(p)]
        return bool(torch.stack(bounds).isfinite().all())

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the steps to come."""
        group = self.optimizer.param_groups[0]
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate

    def hold_buffers(self) -> None:
        """Make the optimizer's buffers, of zeros, before the first step, so that a captured step finds them where they are.

        The first step gives the same numbers with and without them.
        """
        for p in self.model.parameters():
            if made := buffers(self.optimizer, p):
                self.optimizer.state[p] = made

    def tensors(self) -> list[Tensor]:
        """All tensors that a step changes: the network's, the optimizer's, the sum of losses."""
        held = [tensor for state in self.optimizer.state.values() for tensor in state.values()]
        return [*self.model.parameters(), *self.model.buffers(), *held, self.loss]

    @torch.no_grad()
    def restore(self, tensors: Sequence[Tensor]) -> None:
        """Put copies of what :meth:`tensors` returned back where it was."""
        for own, tensor in zip(self.tensors(), tensors, strict=True):
            own.copy_(tensor)

    @torch.no_grad()
    def load(self, start: Start) -> None:
        """Copy another start of the same kind of network to where the last one was, before an optimizer's first step."""
        own = [*self.model.parameters(), *self.model.buffers()]
        new = [*start.model.parameters(), *start.model.buffers()]
        for target, source in zip([*own, *self._masks], [*new, *start.mask.layers.values()], strict=True):
            target.copy_(source)
        for tensor in self.tensors()[len(own) :]:
            tensor.zero_()
        self.max_lr = start.max_lr

    def _mask_gradients(self) -> None:
        """Set pruned weights' gradients to 0: they are no part of the network."""
        pairs = [(p.grad, mask) for p, mask in zip(self._pruned, self._masks, strict=True) if p.grad is not None]
        if pairs:
            gradients, masks = zip(*pairs, strict=True)
            torch._foreach_mul_(gradients, masks)
            # -0.0 becomes 0.0: by it the first step from a momentum of zeros would differ in a bit from that from none
            torch._foreach_add_(gradients, 0.0)

    @torch.no_grad()
    def apply_mask(self) -> None:
        """Set pruned weights to 0."""
        if self._pruned:
            torch._foreach_mul_(self._pruned, self._masks)


class Stepper(Protocol):
    """How lanes take their steps. ``str()`` of it is part of a recorded training.

    Attributes:
        at_once: How many lanes step side by side, at most; at least 1.
    """

    at_once: int

    def lanes(self, starts: Sequence[Start], recipe: Recipe, device: torch.device) -> list[Lane]:
        """A lane on the device for each start, of which there are at most ``at_once``."""
        ...

    def prepare(self, lanes: Sequence[Lane], data: Split, recipe: Recipe) -> None:
        """Get ready to step on the batches of a training; the lanes' weights stay what they are.

        Args:
            lanes: Lanes that :meth:`lanes` returned.
            data: The split that they are trained and evaluated on.
            recipe: How they are trained.

        Raises:
            torch.OutOfMemoryError: Where the memory doesn't hold so many lanes.
        """
        ...

    def table(self, rates: Sequence[Sequence[float]]) -> RateTable:
        """The learning rates of an epoch's steps, for each step a rate for each lane, where :meth:`step` reads them."""
        ...

    def step(self, lanes: Sequence[Lane], images: Tensor, labels: Tensor, rates: Sequence[float] | Tensor) -> None:
        """Do one iteration of each lane, each at a rate of its own.

        Args:
            lanes: Lanes that :meth:`lanes` returned, after :meth:`prepare`.
            images: Normalized samples, (n, channels, size, size) where they are square images.
            labels: int64 (n).
            rates: A row of what :meth:`table` returned.
        """
        ...


@dataclass(frozen=True)
class EagerStepper:
    """Steps operation by operation, one lane after another.

    One lane at a time is the fastest on a CPU, and leaves a network's own draws what they are.

    Args:
        at_once: How many lanes go through the batches together, at least 1.
        because: Why a GPU's steps are not captured; recorded with the training.
    """

    at_once: int = 1
    because: str = ""

    def lanes(self, starts: Sequence[Start], recipe: Recipe, device: torch.device) -> list[Lane]:
        """A lane around each start's network, which is trained in place."""
        return [Lane(start, recipe, device) for start in starts]

    def prepare(self, lanes: Sequence[Lane], data: Split, recipe: Recipe) -> None:
        """Do nothing: what a step needs it takes when it is done."""

    def table(self, rates: Sequence[Sequence[float]]) -> Sequence[Sequence[float]]:
        """The rates as they are: the host sets them."""
        return rates

    def step(self, lanes: Sequence[Lane], images: Tensor, labels: Tensor, rates: Sequence[float]) -> None:
        """Do one iteration of each lane, one after another."""
        for lane, rate in zip(lanes, rates, strict=True):
            lane.set_rate(rate)
            # to be summed after the epoch: three operations a step would be a percent of a tiny network's
            lane.losses.append((lane.step(images, labels), len(labels)))

    def __str__(self) -> str:
        return ": ".join(filter(None, ["eager", self.because]))


EAGER = EagerStepper()
