"""Claim 1: does the best max_lr change as the network is pruned, and grow?

confirmed  some cycles are apart (oracle.analysis.claims.intervals), and wherever two are the later one is the higher.
refuted    two are apart with the later one the lower.
"""

import pandas as pd

from oracle.analysis.claims.intervals import constants, constants_text, interval_text, pairs_apart
from oracle.analysis.claims.verdict import Judgement, Verdict

CLAIM = "1. The best max_lr changes as the network is pruned, and grows"


def judge_growth(informative: pd.DataFrame, grid: tuple[float, ...]) -> Verdict:
    """Return the verdict on claim 1.

    Args:
        informative: rows of ``oracle.analysis.comparison.comparison_table``.
        grid: the Oracle's values.
    """
    apart = pairs_apart(informative)
    for a, b in apart:
        if b.high < a.low:
            evidence = f"The optimal interval falls: {interval_text(a)}, {interval_text(b)}."
            return Verdict(CLAIM, Judgement.REFUTED, evidence)
    if apart:
        a, b = max(apart, key=lambda pair: pair[1].low / pair[0].high)
        pair = f"{interval_text(a)} and {interval_text(b)}"
        evidence = f"No constant serves both {pair}; {len(apart)} such pairs, all rising."
        return Verdict(CLAIM, Judgement.CONFIRMED, evidence)
    if rival := constants(informative, grid):
        evidence = (
            f"No change is shown at this tolerance: {constants_text(rival)} in every informative cycle's interval."
        )
        return Verdict(CLAIM, Judgement.UNDECIDED, evidence)
    evidence = "The intervals differ by no more than their edges and the noise; a finer grid or more seeds would tell."
    return Verdict(CLAIM, Judgement.UNDECIDED, evidence)
