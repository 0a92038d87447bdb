"""Tables as files: csv with all columns, markdown and LaTeX with what a reader needs."""

from pathlib import Path
from typing import Any

import pandas as pd

from oracle.report.tables import escape
from oracle.report.tables.latex import latex
from oracle.report.tables.markdown import markdown


def write_table(all_columns: pd.DataFrame, display: pd.DataFrame, folder: Path, name: str, caption: str) -> list[Path]:
    """Write a table as csv, markdown and LaTeX; the same table gives the same bytes.

    Args:
        all_columns: what the csv holds, at full precision.
        display: what markdown and LaTeX show, as strings.
        folder: where to; it is made where it is missing.
        name: the files' name without its ending.
        caption: stands above the table; any text.

    Returns:
        The paths of NAME.csv, NAME.md and NAME.tex.
    """
    return write_texts(
        all_columns, f"{escape.markdown(caption)}\n\n{markdown(display)}", latex(display, caption), folder, name
    )


def write_texts(all_columns: pd.DataFrame, markdown_text: str, latex_text: str, folder: Path, name: str) -> list[Path]:
    """Write a table whose markdown and LaTeX are made already; arguments and result are those of :func:`write_table`."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"csv": csv_text(all_columns), "md": markdown_text, "tex": latex_text}
    paths = {folder / f"{name}.{ending}": text for ending, text in texts.items()}
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(paths)


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table as csv; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    for name in frame.columns:
        if any(map(_is_formula, frame[name])):
            frame = frame.assign(**{name: [f"'{value}" if _is_formula(value) else value for value in frame[name]]})
    return frame.to_csv(index=False, lineterminator="\n")


def _is_formula(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
