"""Tables as plain text that fits a screen: no marks but spaces, and an asterisk at what files have in bold."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from oracle.report.tables.format import WORD_COLUMNS, Bold
from oracle.report.tables.paper_table import MAX_CYCLES, REDUCED, accuracy_table, evenly_spaced
from oracle.report.tables.size import size_notes, size_table

GAP = "  "  # between columns
BEST = "*"


def plain_table(display: pd.DataFrame, width: int) -> str:
    """Return a table as lines of at most so many characters.

    The words of a head stand below each other. Columns that don't fit are left out, the last first, and a line says so.

    Args:
        display: strings; columns of words (``WORD_COLUMNS``) are aligned on the left, all others on the right.
        width: characters a line.
    """
    widths = _widths(display)
    shown = max(1, _fitting(widths, width))
    columns = [_column(display[name], size) for name, size in zip(display.columns[:shown], widths, strict=False)]
    tallest = max(map(len, columns), default=0)
    padded = [[" " * size] * (tallest - len(column)) + column for column, size in zip(columns, widths, strict=False)]
    lines = [GAP.join(cells).rstrip() for cells in zip(*padded, strict=True)]
    if without := list(display.columns[shown:]):
        lines += textwrap.wrap(f"No room here for: {', '.join(without)}.", width)
    return "\n".join(lines)


def plain_accuracies(
    policies: pd.DataFrame,
    width: int,
    cycles: Sequence[int] | None = None,
    epoch: Literal["chosen", "final"] = "chosen",
) -> str:
    """Return the mean test accuracy (percent) of every policy by weights remaining, at as many cycles as fit.

    Args:
        policies: as :func:`oracle.report.tables.paper_table.accuracy_table` takes them.
        width: characters a line.
        cycles: those that may be shown; by default all.
        epoch: as there.
    """
    means = policies.assign(test_std=np.nan, final_test_std=np.nan)
    every = policies.cycle if cycles is None else cycles
    text = _with_fitting_cycles(lambda shown: accuracy_table(means, shown, None, epoch), every, width)
    marks = {BEST: "the best of its column", REDUCED: "not over all seeds"}
    notes = [f"{mark} {meaning}" for mark, meaning in marks.items() if mark in text]
    return "\n".join([text, *(["; ".join(notes)] if notes else [])])


def plain_sizes(sizes: pd.DataFrame, width: int, cycles: Sequence[int] | None = None) -> str:
    """Return the weights alive and every policy's FLOPs by weights remaining, at as many cycles as fit, and notes.

    Args:
        sizes: as :func:`oracle.report.tables.size.size_table` takes them.
        width: characters a line.
        cycles: those that may be shown; by default all.
    """
    every = sizes.cycle if cycles is None else cycles
    text = _with_fitting_cycles(lambda shown: size_table(sizes, shown), every, width)
    return "\n".join([text, *(line for note in size_notes(sizes) for line in textwrap.wrap(note, width))])


def _with_fitting_cycles(show: Callable[[list[int]], pd.DataFrame], cycles: Iterable[int], width: int) -> str:
    """The table of as many of the cycles, evenly spread, as fit."""
    for most in range(MAX_CYCLES, 0, -1):
        display = show(evenly_spaced(cycles, most))
        if _fitting(_widths(display), width) == len(display.columns):
            break
    return plain_table(display, width)


def _text(cell: str) -> str:
    return f"{cell}{BEST}" if isinstance(cell, Bold) else cell


def _widths(display: pd.DataFrame) -> list[int]:
    """The width of each column: of its longest cell, or of the longest word of its head."""
    return [max([1, *map(len, name.split()), *(len(_text(cell)) for cell in display[name])]) for name in display]


def _fitting(widths: Sequence[int], width: int) -> int:
    """How many columns fit."""
    ends = np.cumsum(widths) + len(GAP) * np.arange(len(widths))
    return int((ends <= width).sum())


def _column(cells: pd.Series, width: int) -> list[str]:
    """The lines of a column: its head, whose words are broken, and its cells."""
    pad = str.ljust if cells.name in WORD_COLUMNS else str.rjust
    return [pad(text, width) for text in [*textwrap.wrap(str(cells.name), width), *map(_text, cells)]]
