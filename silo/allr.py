"""ALLR: the peak of a retraining's linear decay, by how much the prune took from the network."""

import math

from silo.number import is_finite


def allr_max_lr(max_lr: float, share_pruned: float, relative_norm: float, relative_length: float) -> float:
    """The max_lr of a retraining by ALLR, "adaptive linear learning rate restarting"; its shape is ``Linear("10%")``.

    With L the dense network's max_lr, s the share pruned, dW the weights that went and W all before, T_cycle the retraining's
    length and T_dense that of the dense network's training::

        max_lr = clip((|dW| / |W|) / sqrt(s) * L,  min(T_cycle / T_dense, 1) * L,  L)

    So it is L wherever the retraining is as long as the dense training, whatever was pruned. In an experiment file every cycle
    is: there ALLR is LLR, ``shape: {kind: linear, warmup: 10%}``. This is for loops of your own with shorter retraining.

    >>> [allr_max_lr(1.0, share_pruned=0.25, relative_norm=0.2, relative_length=length) for length in (0.1, 0.5, 1)]
    [0.4, 0.5, 1.0]

    Source: Zimmer, Spiegel and Pokutta, arXiv 2111.00843, and their released code (ZIB-IOL/BIMP).

    Args:
        max_lr: L, the greatest rate of the dense network's training, above 0.
        share_pruned: s, the share of the weights alive before the prune that went in it, in (0, 1).
        relative_norm: |dW| / |W|, Euclidean norms, in [0, 1]: sqrt(s) where weights go at random, less by magnitude.
        relative_length: T_cycle / T_dense, above 0.

    Returns:
        A rate, at most ``max_lr``.

    Raises:
        ValueError: For any other value.
    """
    if not (is_finite(max_lr) and max_lr > 0):
        raise ValueError(f"max_lr must be a finite number above 0, got {max_lr!r}")
    if not (is_finite(share_pruned) and 0 < share_pruned < 1):
        raise ValueError(f"share_pruned must be in (0, 1), got {share_pruned!r}")
    if not (is_finite(relative_norm) and 0 <= relative_norm <= 1):
        raise ValueError(f"relative_norm must be in [0, 1], got {relative_norm!r}")
    if not (is_finite(relative_length) and relative_length > 0):
        raise ValueError(f"relative_length must be a finite number above 0, got {relative_length!r}")
    by_norm = relative_norm / math.sqrt(share_pruned)
    return max_lr * min(max(by_norm, min(relative_length, 1.0)), 1.0)
