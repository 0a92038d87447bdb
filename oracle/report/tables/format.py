"""How numbers and words stand in a table: 3 significant digits, 2 decimals, a dash where nothing is known, bold."""

from typing import Any

import pandas as pd

MISSING = "\N{EN DASH}"
MINUS, PLUS_MINUS = "\N{MINUS SIGN}", "\N{PLUS-MINUS SIGN}"
AT_MOST, AT_LEAST = "\N{LESS-THAN OR EQUAL TO}", "\N{GREATER-THAN OR EQUAL TO}"

# columns of words, which are aligned on the left; all others hold numbers
WORD_COLUMNS = {"Optimal interval", "Informative", "Position", "Within tolerance", "Note", "Policy", "Layer"}
WORD_COLUMNS |= {"Held out", "Decided", "", "Run", "Experiment", "Folder", "Field", "Claim", "Estimate of"}


class Bold(str):
    """The text of a table cell that is set in bold."""

    __slots__ = ()


def known(value: Any) -> bool:
    """False for NaN, NA, None and the empty text."""
    return not pd.isna(value) and value != ""


def significant(value: Any) -> str:
    """A number with 3 significant digits; a dash where it is not known."""
    return f"{value:.3g}" if known(value) else MISSING


def quantity(value: Any) -> str:
    """A number of at least 0 with 3 significant digits and k, M, G or T for thousands; a dash where it is not known."""
    if not known(value):
        return MISSING
    power = next((power for power in range(4) if float(f"{value:.3g}") < 1000 ** (power + 1)), 4)
    return f"{float(f'{value:.3g}') / 1000**power:.3g}{['', 'k', 'M', 'G', 'T'][power]}"


def decimals(value: Any) -> str:
    """A number with 2 decimals; a dash where it is not known."""
    if not known(value):
        return MISSING
    return f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)  # + 0.0: no negative zero


def mean_std(mean: Any, std: Any) -> str:
    """ "91.23 ± 0.10"; the mean alone where one seed has no standard deviation."""
    return f"{decimals(mean)} {PLUS_MINUS} {decimals(std)}" if known(mean) and known(std) else decimals(mean)


def yes_or_no(value: Any) -> str:
    """ "yes" or "no"; a dash where the answer is not known."""
    if not known(value):
        return MISSING
    return "yes" if value else "no"
