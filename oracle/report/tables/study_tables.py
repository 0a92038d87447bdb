"""The tables of a study as strings to read: the Oracle, SILO beside it, and how sure that is; a row a pruning cycle."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from oracle.report.tables.format import AT_LEAST, AT_MOST, MISSING, decimals, known, mean_std, significant, yes_or_no

# the head of a column -> what it says of a row
Columns = Mapping[str, Callable[[Any], str]]


def oracle_table(comparison: pd.DataFrame) -> pd.DataFrame:
    """What the Oracle found, a row a cycle, as strings to read.

    max_lr and weights have 3 significant digits, accuracies (percent) 2 decimals and, where there are several seeds,
    their standard deviation; "–" where nothing is known. Brackets: the cycle is uninformative.

    Args:
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
    """
    return _display(comparison, ORACLE_COLUMNS)


def comparison_table(comparison: pd.DataFrame) -> pd.DataFrame:
    """SILO beside the Oracle, a row a cycle, as strings to read; written as in :func:`oracle_table`.

    The tests of SILO and of the Oracle's best are of trainings that start from the same masks; SILO's own chain has a
    column where its numbers are others. Position is where SILO's max_lr lies by the interval; within tolerance is judged
    by SILO's own validation accuracy. The gap is in points of validation accuracy, above 0 where SILO is worse.

    Args:
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
    """
    table = _display(comparison, COMPARISON_COLUMNS)
    chain, silo = comparison.chain_test.astype(float), comparison.silo_test.astype(float)
    return table.drop(columns=OWN_CHAIN) if np.array_equal(chain, silo, equal_nan=True) else table


def compact_table(comparison: pd.DataFrame) -> pd.DataFrame:
    """What matters most of :func:`comparison_table`, so narrow that 80 characters hold it: accuracies are means alone.

    Args:
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
    """
    return _display(comparison, COMPACT_COLUMNS)


def optima_table(optima: pd.DataFrame) -> pd.DataFrame:
    """Where each cycle's response curve has its optimum, as strings to read; written as in :func:`oracle_table`.

    Args:
        optima: as :func:`oracle.analysis.findings.optima_table` returns it.
    """
    return _display(optima, OPTIMA_COLUMNS)


def losses_table(losses: pd.DataFrame) -> pd.DataFrame:
    """What SILO and the best constant lose to each cycle's best, as strings to read; written as in :func:`oracle_table`.

    Args:
        losses: as :func:`oracle.analysis.findings.losses_table` returns it.
    """
    return _display(losses, LOSSES_COLUMNS)


def _display(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    rows = list(frame.itertuples(index=False))
    return pd.DataFrame({name: [show(row) for row in rows] for name, show in columns.items()}, dtype=str)


def _interval(row: Any) -> str:
    """ "0.01 to 0.3"; an open end reads as one: "≤0.01 to 0.3", and "≥0.3" where the grid's last value stands alone."""
    if not known(row.low):
        return MISSING
    low, high = AT_MOST if row.open_low else "", AT_LEAST if row.open_high else ""
    if row.low == row.high and not (low and high):
        return low + high + significant(row.low)
    return f"{low}{significant(row.low)} to {high}{significant(row.high)}"


def _width(row: Any) -> str:
    """The interval's width in decades; where an end is open it is at least what was seen."""
    at_least = known(row.decades) and (row.open_low or row.open_high)
    return (AT_LEAST if at_least else "") + decimals(row.decades)


def _informative(row: Any) -> str:
    if row.seeds == 0:
        return MISSING
    return "yes" if row.informative else f"no: {row.why}"


def _note(row: Any) -> str:
    if row.seeds == 0:
        return "incomplete"
    if not row.informative:
        return f"not counted: {row.why}"
    if row.open_low and row.open_high:
        return "open below and above"
    if row.open_low:
        return "open below"
    return "open above" if row.open_high else ""


def _bracketed(show: Callable[[Any], str]) -> Callable[[Any], str]:
    """A column whose text stands in brackets where the cycle is uninformative: nobody should count it."""

    def bracketed(row: Any) -> str:
        text = show(row)
        return text if row.informative or text == MISSING else f"({text})"

    return bracketed


def _band(row: Any) -> str:
    """ "0.05 to 0.2"; an end that nothing bounds reads as "any"."""
    ends = (row.low if row.low > 0 else np.inf, row.high)
    return " to ".join("any" if np.isinf(end) else significant(end) for end in ends)


def _between(low: float, high: float) -> str:
    """ "0.10 to 0.52"; a loss to itself has no interval."""
    if not known(low):
        return MISSING
    return "same value" if low == high else f"{decimals(low)} to {decimals(high)}"


OWN_CHAIN = "Test, SILO's own chain (%)"
ORACLE_COLUMNS: Columns = {
    "Cycle": lambda row: str(row.cycle),
    "Weights remaining (%)": lambda row: significant(row.weights_remaining),
    "Seeds": lambda row: str(row.seeds),
    "Best max_lr": _bracketed(lambda row: significant(row.best_max_lr)),
    "Optimal interval": _bracketed(_interval),
    "Width (decades)": _bracketed(_width),
    "Validation at best (%)": lambda row: decimals(row.best_validation),
    "Test at best (%)": lambda row: mean_std(row.best_test, row.best_test_std),
    "Informative": _informative,
}
COMPARISON_COLUMNS: Columns = {
    "Cycle": ORACLE_COLUMNS["Cycle"],
    "Weights remaining (%)": ORACLE_COLUMNS["Weights remaining (%)"],
    "SILO max_lr": lambda row: significant(row.silo_max_lr),
    "Optimal interval": ORACLE_COLUMNS["Optimal interval"],
    "Position": _bracketed(lambda row: row.position if known(row.position) else MISSING),
    "Gap to best (points)": _bracketed(lambda row: decimals(row.gap)),
    "Within tolerance": _bracketed(lambda row: yes_or_no(row.within_tolerance)),
    "Test, SILO (%)": lambda row: mean_std(row.silo_test, row.silo_test_std),
    OWN_CHAIN: lambda row: mean_std(row.chain_test, row.chain_test_std),
    "Test, Oracle's best (%)": lambda row: mean_std(row.best_test, row.best_test_std),
    "Note": _note,
}
COMPACT_COLUMNS: Columns = {
    "Cycle": ORACLE_COLUMNS["Cycle"],
    "Weights (%)": ORACLE_COLUMNS["Weights remaining (%)"],
    "SILO max_lr": COMPARISON_COLUMNS["SILO max_lr"],
    "Optimal interval": ORACLE_COLUMNS["Optimal interval"],
    "Position": COMPARISON_COLUMNS["Position"],
    "Gap (points)": COMPARISON_COLUMNS["Gap to best (points)"],
    "Test, SILO (%)": lambda row: decimals(row.silo_test),
    "Test, best (%)": lambda row: decimals(row.best_test),
}
OPTIMA_COLUMNS: Columns = {
    "Cycle": ORACLE_COLUMNS["Cycle"],
    "Weights remaining (%)": ORACLE_COLUMNS["Weights remaining (%)"],
    "Seeds": lambda row: str(row.seeds),
    "Optimum": lambda row: significant(row.optimum),
    "Its band": _band,
    "SILO max_lr": lambda row: significant(row.silo_max_lr),
    "Accuracy at it (%)": lambda row: decimals(row.accuracy),
    "Noise of a training (points)": lambda row: decimals(row.noise),
}
LOSSES_COLUMNS: Columns = {
    "Cycle": ORACLE_COLUMNS["Cycle"],
    "Weights remaining (%)": ORACLE_COLUMNS["Weights remaining (%)"],
    "SILO's loss (points)": lambda row: decimals(row.silo),
    "Its interval": lambda row: _between(row.silo_low, row.silo_high),
    "Best constant's loss (points)": lambda row: decimals(row.constant),
    "Interval of that": lambda row: _between(row.constant_low, row.constant_high),
}
