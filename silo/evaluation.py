"""What a network is worth on images: its accuracy, and the gradients that a criterion may ask for."""

import torch
from torch import nn
from torch.nn import functional

from silo.data.part import Batches
from silo.data.split import Split
from silo.precision import computing, reproducible
from silo.restart import Weights


@torch.no_grad()
def accuracy(
    model: nn.Module,
    images: Batches,
    data: Split,
    random: torch.Generator | None = None,
    precision: str = "fp32",
) -> float:
    """Percent of the images that the model, in evaluation mode, classifies as labelled; every image counts once.

    random: draws the augmentation, if the images were given one (see Split.augmented); None: they are not augmented.
    """
    model.eval()
    device = data.mean.device
    # on a CPU 64 images of 32x32 fit the cache and are the fastest (1000 take 2.4 times as long); a GPU wants many
    batch = max(1, (2**23 if device.type == "cuda" else 64 * 3 * 32 * 32) // (images.channels * images.size**2))
    correct = torch.zeros((), dtype=torch.int64, device=device)
    with computing(precision, device):
        for pixels, labels in images.batches(batch, random=random):
            correct += (model(data.normalized(pixels)).argmax(1) == labels).sum()
    return 100 * int(correct) / len(images)


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
            loss = functional.cross_entropy(model(data.normalized(pixels)), labels, reduction="sum")
            torch._foreach_add_(sums, torch.autograd.grad(loss, list(parameters.values())))
    return {name: (total / len(data.train)).cpu() for name, total in zip(parameters, sums, strict=True)}
