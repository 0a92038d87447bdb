"""How large the networks were: the table of alive weights and FLOPs by policy and cycle."""

from collections.abc import Sequence

import pandas as pd

from oracle.report.tables.format import MISSING, known, quantity, significant
from oracle.report.tables.paper_table import cycle_heads, evenly_spaced


def size_table(sizes: pd.DataFrame, cycles: Sequence[int] | None = None) -> pd.DataFrame:
    """The weights that are alive and, a row a policy, the FLOPs of one forward pass; a column a cycle.

    FLOPs stand with their share of the dense network's, where that is known.

    Args:
        sizes: one row for each (policy, cycle) with alive, prunable (weights) and flops (NaN: not known), means over the seeds.
        cycles: the cycles to show; by default at most 8, spread evenly.
    """
    columns = evenly_spaced(sizes.cycle) if cycles is None else list(cycles)
    heads = cycle_heads(sizes.assign(weights_remaining=100 * sizes.alive / sizes.prunable), columns)
    alive = sizes.groupby("cycle").alive.max().reindex(columns)  # every policy prunes as many
    rows = [["Weights alive", *(f"{count:,.0f}" if known(count) else MISSING for count in alive)]]
    for policy, own in sizes.groupby("policy", sort=False):
        flops = own.set_index("cycle").flops
        rows.append([f"FLOPs, {policy}", *(_flops(flops.get(cycle), flops.get(0)) for cycle in columns)])
    return pd.DataFrame(rows, columns=["", *heads], dtype=object)


def size_notes(sizes: pd.DataFrame) -> tuple[str, ...]:
    """Lines that say how FLOPs are counted, and why some are missing."""
    notes = []
    if sizes.flops.notna().any():
        notes.append(
            "FLOPs: a multiply-add counts as 2, those of pruned weights are left out; products of matrices and convolutions "
            "count, biases, normalization and activations don't. In parentheses: of the dense network's."
        )
    if sizes.flops.isna().any():
        notes.append(
            f"{MISSING}: recorded by an older version, which counted no FLOPs, or of a network whose FLOPs can't be counted."
        )
    return tuple(notes)


def _flops(flops: float | None, dense: float | None) -> str:
    """ "5.22M (64.1%)"; without the share where the dense network's aren't known."""
    share = f" ({significant(100 * flops / dense)}%)" if known(flops) and known(dense) and dense else ""
    return quantity(flops) + share
