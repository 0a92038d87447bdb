"""How text is shown: in lines that a screen holds, broken between words; a pipe gets the same, in 80 columns."""

import os
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path

from oracle.experiment.overrides import SET_OPTION
from oracle.plain_text import printable

WIDTH = 80  # of what is no terminal, unless COLUMNS says otherwise
LEAST = 30  # narrower terminals break what is left themselves
BETWEEN_WORDS = "\x00"  # stands for a space that no line may end at; printable text has none


def show(text: str) -> None:
    """Print a text, in which labels, reasons and folders' names are others' words, so that it can't steer the terminal."""
    print(broken(printable(text), screen_width()))


def screen_width() -> int:
    """Return how many characters a line holds."""
    return max(LEAST, shutil.get_terminal_size((WIDTH, 24)).columns)


def broken(text: str, width: int) -> str:
    """Return a text whose lines are broken between words; what follows of a line is indented by two more than it.

    Args:
        text: lines of printable characters; an option to paste is never broken.
        width: characters a line; a longer word stands alone.
    """
    return "\n".join(_broken(line, width) if len(line) > width else line for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    kept = SET_OPTION.sub(lambda option: option[0].replace(" ", BETWEEN_WORDS), line.strip())
    lines = textwrap.wrap(
        kept,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(BETWEEN_WORDS, " ")


def shown_path(path: Path) -> str:
    """Return a path as short as it can be opened by from here."""
    return min(str(path), os.path.relpath(path), key=len)


def files_text(files: Mapping[Path, str]) -> str:
    """Return the files worth opening, a line each; what each is stands beside it where the screen has the room.

    Args:
        files: what each is, in a few words; those that don't exist are left out.
    """
    names = {shown_path(path): what for path, what in files.items() if path.is_file()}
    longest = max(map(len, names), default=0)
    beside = all(2 + longest + 2 + len(what) <= screen_width() for what in names.values())
    lines = [f"  {name:{longest}}  {what}" if beside else f"  {name}" for name, what in names.items()]
    return "\n".join(["Worth opening:", *lines])
