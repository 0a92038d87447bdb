"""The loop that a competent person writes by hand for one training on a CPU: nothing in it but the training."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.speed.task import BATCH, LR, MOMENTUM, WEIGHT_DECAY, Task
from silo.data.images import Images
from silo.data.split import Split


def train_plain(task: Task, ahead: bool = False) -> list[float]:
    """Train on one thread; returns the mean loss of every epoch.

    Tensors in; whole batches cropped and flipped; channels_last; fused SGD; pruned weights set to 0 after every step. Evaluates
    validation after every epoch, and test where validation rose and at the end.

    Args:
        task: What is trained.
        ahead: Whether images that aren't augmented are normalized before the first step, as float32; else batch by batch, out
            of uint8.
    """
    model, mask = task.start()
    data, crop = task.data, task.augment.crop  # with a flip, where it crops
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = model.to(memory_format=torch.channels_last)
    parameters = dict(model.named_parameters())
    pruned = {name: layer for name, layer in mask.layers.items() if not layer.all()}
    weights, masks = [parameters[name] for name in pruned], [layer.float() for layer in pruned.values()]
    optimizer = torch.optim.SGD(model.parameters(), LR, MOMENTUM, weight_decay=WEIGHT_DECAY, fused=True)
    pixels, labels = data.train.pixels, data.train.labels
    size, n = pixels.shape[-1], len(labels)
    if crop:
        windows = functional.pad(pixels, [crop] * 4).unfold(2, size, 1).unfold(3, size, 1)
    elif ahead:
        ready = normalized(pixels, data)
    best, losses = -1.0, []
    for epoch in range(task.epochs):
        model.train()
        order = torch.randperm(n)
        if crop:
            y, x = torch.randint(2 * crop + 1, (2, n))
            flips = (torch.rand(n) < 0.5).view(-1, 1, 1, 1)
        total = 0.0
        for start in range(0, n, BATCH):
            at = slice(start, start + BATCH)
            index = order[at]
            if crop:
                cut = windows[index, :, y[at], x[at]]
                images = normalized(torch.where(flips[at], cut.flip(3), cut), data)
            else:
                images = ready[index] if ahead else normalized(pixels[index], data)
            loss = functional.cross_entropy(model(images), labels[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                torch._foreach_mul_(weights, masks)
            total += loss.item() * len(index)
        losses.append(total / n)
        validation = accuracy(model, data.validation, data)
        if validation > best or epoch == task.epochs - 1:
            best = max(best, validation)
            accuracy(model, data.test, data)
    return losses


@torch.no_grad()
def accuracy(model: nn.Module, images: Images, data: Split) -> float:
    """Percent of the images that are classified as labelled."""
    model.eval()
    correct = 0
    for start in range(0, len(images), BATCH):
        at = slice(start, start + BATCH)
        correct += (model(normalized(images.pixels[at], data)).argmax(1) == images.labels[at]).sum().item()
    return 100 * correct / len(images)


def normalized(pixels: Tensor, data: Split) -> Tensor:
    """Images as the network takes them."""
    return (pixels.float() - data.mean).div_(data.std).contiguous(memory_format=torch.channels_last)
