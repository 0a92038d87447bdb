"""The rival: would one constant max_lr not do?

confirmed  two cycles are apart (oracle.analysis.claims.intervals).
refuted    one grid value lies in every inner interval.
"""

import pandas as pd

from oracle.analysis.claims.intervals import constants, constants_text, interval_text, pairs_apart
from oracle.analysis.claims.verdict import Judgement, Verdict

CLAIM = "Rival: one constant max_lr would not do"


def judge_rival(informative: pd.DataFrame, grid: tuple[float, ...]) -> Verdict:
    """Return the verdict on the rival.

    Args:
        informative: rows of ``oracle.analysis.comparison.comparison_table``.
        grid: the Oracle's values.
    """
    if rival := constants(informative, grid):
        evidence = f"It would: {constants_text(rival)} in every informative cycle's interval."
        return Verdict(CLAIM, Judgement.REFUTED, evidence)
    if apart := pairs_apart(informative):
        a, b = apart[0]
        evidence = f"No constant serves both {interval_text(a)} and {interval_text(b)}, beyond edges and noise."
        return Verdict(CLAIM, Judgement.CONFIRMED, evidence)
    evidence = "No grid value is in every interval, but by no more than their edges and the noise."
    return Verdict(CLAIM, Judgement.UNDECIDED, evidence)
