"""The table of sizes and powers: a row a truth and kind of study."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from benchmarks.power.measure import COLUMNS, ESTIMATES, false, outcomes
from benchmarks.power.truths import Truth, known


def tabulate(
    named: Mapping[str, Mapping[str, Truth]], studies: int, each: Callable[[Callable, Iterable], Iterable] = map
) -> pd.DataFrame:
    """Return what the rules say of studies of every truth.

    Args:
        named: truths, by what they are in words, and by kind.
        studies: how many of each.
        each: like ``map``, in order; it may work on several truths at once.

    Returns:
        A row each: what is true (points), the share of studies with each verdict and with each interval that holds the truth,
        medians of the estimates, and for each verdict whether it would be false ("false", "edge": at the border of the claim).
    """
    tasks = [(words, kind, truth, studies) for words, kinds in named.items() for kind, truth in kinds.items()]
    return pd.DataFrame(list(each(_row, tasks)))


def _row(task: tuple[str, str, Truth, int]) -> dict:
    words, kind, truth, studies = task
    facts = known(truth)
    found = outcomes(truth, facts, range(studies))
    wrong = false(truth, facts)
    row = {
        "truth": words,
        "kind": kind,
        "seeds": truth.seed_count,
        "cycles": truth.cycle_count,
        "true_growth": truth.growth,
        "true_gain": facts.gain,
        "true_loss": max(facts.losses),
        "true_loss_of_constant": facts.constant,
        "widened": truth.widened,
        "studies": studies,
    }
    for name, values in zip(COLUMNS, found.T, strict=True):
        row[name] = float(np.median(values) if name in ESTIMATES else values.mean())
    return row | {f"{name}_is_false": how for name, how in wrong.items()}
