"""The comparison by pruning cycle, as the figures draw it: numbers as floats, answers as bools, cycles with a place."""

import numpy as np
import pandas as pd

NUMBERS = ["weights_remaining", "best_max_lr", "best_test", "best_test_std", "low", "high", "edge_low", "edge_high"]
NUMBERS += ["silo_max_lr", "chain_test", "chain_test_std"]
FLAGS = ["open_low", "open_high", "informative"]


def plain_types(comparison: pd.DataFrame) -> pd.DataFrame:
    """The comparison sorted by cycle, with floats (NaN: unknown) and bools (unknown: False)."""
    table = comparison.sort_values("cycle", ignore_index=True)
    table[NUMBERS] = table[NUMBERS].astype(float)
    for flag in FLAGS:
        table[flag] = table[flag].isin([True])
    return table


def cycles_with_weights(comparison: pd.DataFrame) -> pd.DataFrame:
    """The cycles whose weights remaining are known, or lie between two cycles of which they are.

    Between these the logarithm of the weights remaining is interpolated. Types are those of :func:`plain_types`.
    """
    table = plain_types(comparison)
    known = table[table.weights_remaining.notna()]
    if known.empty:
        return known
    log = np.interp(table.cycle, known.cycle, np.log(known.weights_remaining), left=np.nan, right=np.nan)
    return table.assign(weights_remaining=np.exp(log)).dropna(subset="weights_remaining").reset_index(drop=True)
