"""Text from files, errors and other people's machines, made fit to be shown: it can't steer a terminal or a page."""

import codecs
import re

# C0 and C1 controls, lone surrogates, line and paragraph separators, and what turns the direction of writing around
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
LONGEST, LONGEST_WORD = 2000, 300  # characters of an error's line, and of a word in it, such as a path
# characters that our texts have, and others that look alike where a screen hasn't got them
ALIKE = {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{PLUS-MINUS SIGN}": "+-", "\N{MIDDLE DOT}": "-"}
ALIKE |= {"\N{LESS-THAN OR EQUAL TO}": "<=", "\N{GREATER-THAN OR EQUAL TO}": ">=", "\N{DAGGER}": "#"}
ALIKE |= {"\N{HORIZONTAL ELLIPSIS}": "...", "\N{MULTIPLICATION SIGN}": "x"}
ALIKE_ERRORS = "silo-oracle-alike"  # the name of an error handler of codecs


def one_line(text: str) -> str:
    """The text in one line without control characters; each run of these and of spaces is one space."""
    return " ".join(CONTROL.sub(" ", text).split())


class Quoted(str):
    """A sentence that holds others' words, such as an error's: no part of it is markup."""

    __slots__ = ()


def printable(text: str) -> str:
    """A text of several lines without any other control character."""
    return "\n".join(CONTROL.sub(" ", line) for line in text.split("\n"))


def shortened(text: str) -> str:
    """An error's line of 2000 characters at most, and words of 300: of longer ones their beginning and their end, which say
    where and why.
    """
    return _middle_cut(" ".join(_middle_cut(word, LONGEST_WORD, "...") for word in text.split(" ")), LONGEST, " ... ")


def _middle_cut(text: str, longest: int, between: str) -> str:
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}{between}{text[-half:]}"


def _alike(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that a screen hasn't got: others that look alike, else question marks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(ALIKE.get(char, "?") for char in error.object[error.start : error.end]), error.end


codecs.register_error(ALIKE_ERRORS, _alike)
