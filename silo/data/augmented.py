"""Random crops and flips of a whole batch of images in memory, before normalization."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from silo.data.augment import Augment


class Augmented:
    """Images in memory (uint8, n x c x s x s) from which augmented batches are cut; they are padded once."""

    def __init__(self, pixels: Tensor, labels: Tensor, augment: Augment) -> None:
        self.pixels, self.labels, self.augment = pixels, labels, augment
        self.channels, self.size, self.dtype = pixels.shape[1], pixels.shape[-1], pixels.dtype
        self.padded = functional.pad(pixels, [augment.crop] * 4) if augment.crop else pixels

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, batch_size: int, order: Tensor | None = None, random: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """(uint8 pixels, labels) of the images, batch by batch, the last as short as it comes.

        Args:
            batch_size: Images of a batch, at least 1.
            order: int64 indices of the images to read, in this order; None for all as they lie.
            random: Draws the crop and flip of every position in the order; None leaves the images as they are.
        """
        draws_any = random is not None and (self.augment.crop or self.augment.flip)
        if order is None and not draws_any:  # as they lie there: views are enough
            yield from zip(self.pixels.split(batch_size), self.labels.split(batch_size), strict=True)
            return
        order = (torch.arange(len(self)) if order is None else order).to(self.labels.device)
        draws = self._draw(len(order), random) if draws_any else None
        for start in range(0, len(order), batch_size):
            at = slice(start, start + batch_size)
            index = order[at]
            pixels = self.pixels[index] if draws is None else self._cut(index, *(draw[at] for draw in draws))
            yield pixels, self.labels[index]

    def _draw(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        device = self.labels.device
        y, x = torch.randint(2 * self.augment.crop + 1, (2, n), generator=random).to(device)
        return y, x, (torch.rand(n, generator=random) < 0.5).to(device).view(-1, 1, 1, 1)

    def _cut(self, index: Tensor, y: Tensor, x: Tensor, flips: Tensor) -> Tensor:
        if self.augment.crop:
            windows = self.padded.unfold(2, self.size, 1).unfold(3, self.size, 1)  # n, c, y, x, size, size: a view
            images = windows[index, :, y, x]
        else:
            images = self.pixels[index]
        return torch.where(flips, images.flip(3), images) if self.augment.flip else images
