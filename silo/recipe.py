"""How one cycle is trained."""

import math
from dataclasses import dataclass

from silo.data.augment import Augment
from silo.optimizer import AdamW, Optimizer, Sgd
from silo.shape import Shape

CHOICES = ("validation", "test-best")
# fp32: IEEE single precision, the only one that the others are measured against. tf32: a CUDA device's matrix units round the
# factors of a product to 10 bits. bf16: convolutions and matrix products in bfloat16 (7 bits), weights and sums in fp32.
PRECISIONS = ("fp32", "tf32", "bf16")


@dataclass(frozen=True)
class Recipe:
    """How one cycle is trained: on cross entropy, a fresh optimizer each cycle, the last partial batch kept.

    Args:
        epochs: Epochs of a cycle, at least 1.
        batch_size: Images of an iteration, at least 1; the last batch of an epoch may have fewer.
        momentum: SGD's, in [0, 1); 0 with AdamW.
        weight_decay: The optimizer's, at least 0, on every parameter.
        shape: The learning rate within the cycle, as a factor of max_lr.
        augment: The augmentation of the training images.
        choose: The state that is reported. ``validation``: the first with the best validation accuracy after an epoch.
            ``test-best``, as the released code does: the first with the best test accuracy before an epoch.
        precision: The network's arithmetic in training and evaluation, fp32, tf32 or bf16: see ``PRECISIONS``.
        optimizer: SGD, or AdamW (:mod:`silo.optimizer`).
        label_smoothing: Of the training loss, in [0, 1): this share of every label is spread evenly over all classes.
        clip_norm: The norm, above 0, to which the gradient of all alive weights together is scaled down where its own is
            greater; None leaves it as it is.

    Raises:
        ValueError: For epochs or a batch_size below 1, another choice or precision, a momentum that isn't the optimizer's, or
            another label_smoothing or clip_norm.
    """

    epochs: int
    batch_size: int
    momentum: float
    weight_decay: float
    shape: Shape
    augment: Augment = Augment()
    choose: str = "validation"
    precision: str = "fp32"
    optimizer: Optimizer = Sgd()
    label_smoothing: float = 0.0
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name, choices in (("choose", CHOICES), ("precision", PRECISIONS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and below 1, got {self.label_smoothing}")
        if self.clip_norm is not None and not (math.isfinite(self.clip_norm) and self.clip_norm > 0):
            raise ValueError(f"clip_norm must be a finite number above 0, or None, got {self.clip_norm}")
        if isinstance(self.optimizer, AdamW) and self.momentum != 0:
            raise ValueError(f"momentum must be 0 with AdamW (its betas stand for it), got {self.momentum}")
        if isinstance(self.optimizer, Sgd) and self.optimizer.nesterov and self.momentum == 0:
            raise ValueError(f"momentum must be above 0 with nesterov, got {self.momentum}")

    def steps_per_epoch(self, images: int) -> int:
        """Iterations of an epoch over this many training images: ceil(images / batch_size)."""
        return math.ceil(images / self.batch_size)

    def batch_sizes(self, images: int) -> list[int]:
        """The sizes that the batches of so many training images have: the whole ones', then the short last one's.

        >>> from silo.shape import Constant
        >>> [Recipe(1, 64, 0.9, 0.0, Constant()).batch_sizes(images) for images in (150, 128, 50)]
        [[64, 22], [64], [50]]
        """
        whole = [self.batch_size] if images >= self.batch_size else []
        short = images % self.batch_size
        return [*whole, short] if short else whole
