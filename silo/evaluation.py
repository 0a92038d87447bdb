"""What a network is worth on images: its accuracy, and the gradients that a criterion may use."""

import math

import torch
from torch import nn
from torch.nn import functional

from silo.data.part import Batches
from silo.data.split import Split
from silo.precision import computing, layout, reproducible
from silo.restart import Weights
from silo.sample_shape import Size, sample_shape


@torch.no_grad()
def accuracy(
    model: nn.Module,
    images: Batches,
    data: Split,
    random: torch.Generator | None = None,
    precision: str = "fp32",
) -> float:
    """Percent of the images that the model, in evaluation mode, classifies as labelled; every image counts once.

    Args:
        model: The network, on the images' device; it is left in evaluation mode.
        images: The images, a part of the split.
        data: The split, which normalizes them.
        random: Draws the augmentation, if the images were given one (see Split.augmented); None leaves them as they are.
        precision: The arithmetic of the network, see :mod:`silo.precision`.

    Returns:
        A percentage, from 0 to 100.
    """
    model.eval()
    device, batch = data.mean.device, batch_size(images.channels, images.size, data.mean.device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    with computing(precision, device):
        for pixels, labels in images.batches(batch, random=random):
            correct += (model(data.normalized(pixels, layout(device, precision))).argmax(1) == labels).sum()
    return 100 * int(correct) / len(images)


@torch.no_grad()
def evaluate_blank(model: nn.Module, data: Split, precision: str) -> None:
    """Take all memory that :func:`accuracy` of any part needs: the model, left in evaluation mode, is shown black images."""
    model.eval()
    device, part = data.mean.device, max(data.validation, data.test, key=len)
    with computing(precision, device):
        most = batch_size(part.channels, part.size, device)
        model(data.blank(min(len(part), most), layout(device, precision)))


def batch_size(channels: int, size: Size, device: torch.device) -> int:
    """How many samples of so many channels and this size are evaluated at once on a device."""
    # on a CPU 64 images of 32x32 fit the cache and are the fastest (1000 take 2.4 times as long); a GPU wants many
    numbers = math.prod(sample_shape(channels, size))
    return max(1, (2**23 if device.type == "cuda" else 64 * 3 * 32 * 32) // numbers)


def gradients(model: nn.Module, data: Split, batch_size: int) -> Weights:
    """The gradient of the mean cross entropy over all training images, by parameter name.

    Images are not augmented, labels not smoothed, and the model is in evaluation mode (our choice: it is the trained function
    that is judged, without chance).

    Args:
        model: The network, on the data's device; it is left in evaluation mode.
        data: The split whose training images are used.
        batch_size: Bounds the memory, at least 1; a short last batch counts by its images.

    Returns:
        Tensors of the parameters' shapes, float64, on the CPU.
    """
    model.eval()
    parameters = dict(model.named_parameters())
    sums = [torch.zeros_like(p, dtype=torch.float64) for p in parameters.values()]
    with reproducible():
        for pixels, labels in data.train.batches(batch_size):
            shown = data.normalized(pixels, layout(data.mean.device, "fp32"))
            loss = functional.cross_entropy(model(shown), labels, reduction="sum")
            torch._foreach_add_(sums, torch.autograd.grad(loss, list(parameters.values())))
    return {name: (total / len(data.train)).cpu() for name, total in zip(parameters, sums, strict=True)}
