"""Train one network for one pruning cycle: start weights, mask and max_lr in; the outcome and the trained weights out."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from silo.checkpoint import Checkpoint, Position, copies
from silo.data.augment import Augment
from silo.data.part import Batches
from silo.data.split import Split
from silo.mask import Mask
from silo.outcome import Epoch, Outcome, Trained, chosen
from silo.randomness import derive, generator, reseed
from silo.restart import Weights
from silo.shape import Shape

CHOICES = ("validation", "test-best")


@dataclass(frozen=True)
class Recipe:
    """How one cycle is trained: SGD on cross entropy, a fresh optimizer each cycle, the last partial batch kept.

    epochs, batch_size  at least 1;  momentum  from 0, under 1;  weight_decay  at least 0
    shape               of the learning rate within the cycle;  augment  of the training images
    choose              the state that is reported: "validation", the first with the best validation accuracy after an epoch;
                        or, as the released code does, "test-best", the first with the best test accuracy before an epoch
    """

    epochs: int
    batch_size: int
    momentum: float
    weight_decay: float
    shape: Shape
    augment: Augment = Augment()
    choose: str = "validation"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs, batch_size: {self.epochs}, {self.batch_size}: at least 1 is allowed")
        if self.choose not in CHOICES:
            raise ValueError(f"choose: {self.choose}: {' or '.join(CHOICES)} is allowed")

    def steps_per_epoch(self, images: int) -> int:
        """Iterations over so many training images."""
        return math.ceil(images / self.batch_size)


@contextmanager
def reproducible() -> Iterator[None]:
    """One thread, deterministic and full-precision kernels, the caller's global random state untouched."""
    backends = torch.backends
    exact = [backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv]
    settings = [(backends.cudnn, "benchmark", False), (backends.cudnn, "deterministic", True)]
    settings += [(kernels, "fp32_precision", "ieee") for kernels in exact]
    before = [(where, name, getattr(where, name)) for where, name, _ in settings]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for where, name, value in settings:
        setattr(where, name, value)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(threads)
        for where, name, value in before:
            setattr(where, name, value)


def train(
    model: nn.Module,
    data: Split,
    recipe: Recipe,
    max_lr: float,
    mask: Mask,
    *,
    seed: int,
    cycle: int,
    remember_at: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train the model in place, on the device that it and the data are on, from the weights it has.

    Pruned weights are set to 0 before the first step and after every step, and no other weight is held.
    remember_at: the iteration (from 1) after which the weights are remembered.
    checkpoint: keeps the position after an epoch; a training that was cut off goes on from there and gives bitwise the same.
    Raises ValueError where remember_at lies beyond the training, or the checkpoint's position is another network's (which then
    has its own weights still) or not before the last epoch.
    """
    device = data.mean.device
    # channels_last is the layout that the fastest convolutions want; it changes no shape and no result but rounding
    model = model.to(device, memory_format=torch.channels_last)
    parameters = dict(model.named_parameters())
    pruned = [(parameters[name], layer.to(device)) for name, layer in mask.layers.items() if not layer.all()]
    weights, masks = [w for w, _ in pruned], [layer.to(weight.dtype) for weight, layer in pruned]
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.0, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True
    )
    steps_per_epoch = recipe.steps_per_epoch(len(data.train))
    if remember_at is not None and remember_at > steps_per_epoch * recipe.epochs:
        total = steps_per_epoch * recipe.epochs
        raise ValueError(f"restart.to: iteration {remember_at} lies beyond the cycle's {total}")
    curve, at_start, remembered = [], None, None

    def measured(part: str, epoch: int) -> float:
        """The model's accuracy; where the recipe augments evaluation, too, as drawn for this epoch."""
        random = generator(seed, f"augmentation {part}", cycle, epoch)
        return accuracy(model, getattr(data, part), data, random)

    with reproducible(), data.augmented(recipe.augment) as data:
        if checkpoint is not None and (position := checkpoint.load()) is not None:
            if position.epochs >= recipe.epochs:
                raise ValueError(f"this position is after epoch {position.epochs}; the last is {recipe.epochs}")
            position.restore(model, optimizer)
            curve, at_start, remembered = [*position.curve], position.at_start, position.remembered
            del position  # it takes as much memory as the network and its momentum
        _apply(weights, masks)
        if recipe.choose == "test-best" and not curve:
            at_start = measured("validation", -1), measured("test", -1)
        t = len(curve) * steps_per_epoch
        for epoch in range(len(curve), recipe.epochs):
            if epoch == recipe.epochs - 1:
                epoch_before = copies(model.state_dict())
            reseed(derive(seed, "dropout", cycle, epoch))
            order = torch.randperm(len(data.train), generator=generator(seed, "order", cycle, epoch))
            random = generator(seed, "augmentation", cycle, epoch)
            model.train()
            losses, counts = [], []
            for pixels, labels in data.train.batches(recipe.batch_size, order, random):
                t += 1
                optimizer.param_groups[0]["lr"] = max_lr * recipe.shape.factor(t, steps_per_epoch, recipe.epochs)
                output = model(_normalized(pixels, data))
                loss = functional.cross_entropy(output, labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                _apply(weights, masks)
                losses.append(loss.detach())
                counts.append(len(labels))
                if t == remember_at:
                    remembered = copies(model.state_dict())
            # summed in turn, after the steps: three operations a step would be a percent of a tiny network's
            total_loss = (torch.stack(losses) * torch.tensor(counts, device=device)).double().cumsum(0)[-1]
            mean_loss = total_loss.item() / len(order)
            if not (math.isfinite(mean_loss) and _finite(model)):
                outcome = Outcome(True, None, None, None, None, None, t, tuple(curve))
                return Trained(outcome, copies(model.state_dict()), {}, None)
            validation = measured("validation", epoch)
            better = all(validation > earlier.validation for earlier in curve)
            looks = better or epoch == recipe.epochs - 1 or recipe.choose == "test-best"
            curve.append(Epoch(mean_loss, validation, measured("test", epoch) if looks else None))
            if checkpoint is not None and epoch < recipe.epochs - 1 and checkpoint.due():
                checkpoint.save(Position.after(curve, model, optimizer, at_start, remembered))

    outcome = Outcome(False, *chosen(at_start, curve), curve[-1].validation, curve[-1].test, t, tuple(curve))
    return Trained(outcome, copies(model.state_dict()), epoch_before, remembered)


def gradients(model: nn.Module, data: Split, batch_size: int) -> Weights:
    """The gradient of the mean cross entropy over all training images, by parameter name: float64, on the CPU.

    Images are not augmented and the model is in evaluation mode (our choice: it is the trained function that is judged, without
    chance). The batch size bounds memory; a short last batch counts by its images.
    """
    model.eval()
    parameters = dict(model.named_parameters())
    sums = [torch.zeros_like(p, dtype=torch.float64) for p in parameters.values()]
    with reproducible():
        for pixels, labels in data.train.batches(batch_size):
            loss = functional.cross_entropy(model(_normalized(pixels, data)), labels, reduction="sum")
            torch._foreach_add_(sums, torch.autograd.grad(loss, list(parameters.values())))
    return {name: (total / len(data.train)).cpu() for name, total in zip(parameters, sums, strict=True)}


@torch.no_grad()
def accuracy(model: nn.Module, images: Batches, data: Split, random: torch.Generator | None = None) -> float:
    """Percent of the images that the model, in evaluation mode, classifies as labelled; every image counts once.

    random: draws the augmentation, if the images were given one (see Split.augmented); None: they are not augmented.
    """
    model.eval()
    # on a CPU 64 images of 32x32 fit the cache and are the fastest (1000 take 2.4 times as long); a GPU wants many
    batch = max(1, (2**23 if data.mean.is_cuda else 64 * 3 * 32 * 32) // (images.channels * images.size**2))
    correct = 0
    for pixels, labels in images.batches(batch, random=random):
        correct += int((model(_normalized(pixels, data)).argmax(1) == labels).sum())
    return 100 * correct / len(images)


def _normalized(pixels: Tensor, data: Split) -> Tensor:
    return (pixels.float() - data.mean).div_(data.std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def _finite(model: nn.Module) -> bool:
    """Whether every weight is: its least and greatest are, which is several times as fast to tell as of each."""
    bounds = [bound for p in model.parameters() if p.numel() for bound in torch.aminmax(p)]
    return bool(torch.stack(bounds).isfinite().all())


@torch.no_grad()
def _apply(weights: list[Tensor], masks: list[Tensor]) -> None:
    if weights:
        torch._foreach_mul_(weights, masks)
