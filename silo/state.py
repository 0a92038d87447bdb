"""What a pruning cycle starts from: a mask, and the weights that the restart keeps."""

import hashlib
from dataclasses import dataclass

from silo.mask import Mask
from silo.restart import Weights


@dataclass(frozen=True)
class State:
    """What a cycle starts from: which weights are alive, and their values.

    Args:
        mask: The prunable weights that are alive; None for all.
        weights: A whole state_dict; batch norm's statistics alone, the rest being drawn; or None, where the restart draws all.
    """

    mask: Mask | None = None
    weights: Weights | None = None

    def digest(self) -> str:
        """A hash of mask and weights, 20 hexadecimal digits; "dense" where nothing is pruned and everything is drawn."""
        if self.mask is None and self.weights is None:
            return "dense"
        text = hashlib.sha256(b"dense" if self.mask is None else self.mask.digest().encode())
        for name, tensor in sorted((self.weights or {}).items()):
            text.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            text.update(tensor.contiguous().numpy().tobytes())
        return text.hexdigest()[:20]
