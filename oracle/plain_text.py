"""Text from files, errors and other people's machines, made fit to be shown: it can't steer a terminal or a page."""

import re

# C0 and C1 controls, lone surrogates, line and paragraph separators, and what turns the direction of writing around
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
LONGEST = 2000  # characters of an error's line


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
    """An error's line of 2000 characters at most: of a longer one its beginning and its end, which say where and why."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} ... {text[-half:]}"
