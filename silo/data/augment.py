"""Random crops and flips of a whole batch on tensors, before normalization."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augment:
    """crop: pixels of black padding around the image before it is cropped back to its size at random (0: none);
    flip: mirrored left to right with probability 1/2. The released code uses crop 4 and flip.
    """

    crop: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        if self.crop < 0:
            raise ValueError(f"crop: {self.crop}: 0 or more pixels are allowed")


class Augmented:
    """Training pixels (uint8, n x c x s x s) from which batches are cut; one epoch's draws come from one generator."""

    def __init__(self, pixels: Tensor, augment: Augment) -> None:
        self.augment = augment
        self.size = pixels.shape[-1]
        self.padded = functional.pad(pixels, [augment.crop] * 4) if augment.crop else pixels

    def draw(self, generator: torch.Generator) -> None:
        """Draw the crop and flip of every position in the coming epoch's order."""
        n, device = len(self.padded), self.padded.device
        places = 2 * self.augment.crop + 1
        self.y, self.x = torch.randint(places, (2, n), generator=generator).to(device)
        self.flips = (torch.rand(n, generator=generator) < 0.5).to(device).view(-1, 1, 1, 1)

    def batch(self, index: Tensor, start: int) -> Tensor:
        """The images at ``index``, which take positions ``start``, ``start + 1``, ... in the epoch's order; uint8."""
        at = slice(start, start + len(index))
        if self.augment.crop:
            windows = self.padded.unfold(2, self.size, 1).unfold(3, self.size, 1)  # n, c, y, x, size, size: a view
            images = windows[index, :, self.y[at], self.x[at]]
        else:
            images = self.padded[index]
        return torch.where(self.flips[at], images.flip(3), images) if self.augment.flip else images
