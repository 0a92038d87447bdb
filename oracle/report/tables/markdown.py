"""A table of strings as GitHub's markdown."""

import pandas as pd

from oracle.report.tables import escape
from oracle.report.tables.format import WORD_COLUMNS, Bold


def markdown(display: pd.DataFrame) -> str:
    """The table as GitHub's markdown, padded so that the raw text can be read too.

    Args:
        display: strings; columns of words (``WORD_COLUMNS``) are aligned on the left, all others on the right.
    """
    rows = [[_escaped(cell) for cell in row] for row in [list(display.columns), *display.to_numpy().tolist()]]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.ljust if name in WORD_COLUMNS else str.rjust for name in display.columns]
    rule = [
        "-" * width if pad is str.ljust else "-" * (width - 1) + ":" for width, pad in zip(widths, pads, strict=True)
    ]
    lines = [[pad(cell, width) for cell, width, pad in zip(row, widths, pads, strict=True)] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], rule, *lines[1:]])


def _escaped(cell: str) -> str:
    text = escape.markdown(cell)
    return f"**{text}**" if isinstance(cell, Bold) else text
