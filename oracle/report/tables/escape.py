"""Any text as markdown and as LaTeX: what is special to them is escaped, a line break becomes a space."""

import re
import unicodedata

from oracle.plain_text import CONTROL, one_line

ACCENTS = dict(
    zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327", "`'^~=u.\"rHvc", strict=True)
)
LETTERS = "ss o O ae AE oe OE l L i"
GREEK = "alpha beta gamma delta epsilon zeta eta theta lambda mu rho sigma tau phi omega"
# an asterisk or bracket that begins a row would be read as an argument of the row before
SPECIAL = {char: "\\" + char for char in "&%$#_{}"} | {char: f"{{{char}}}" for char in "[*"}
SPECIAL |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
SIGNS = {
    "\u2013": "--",
    "\u2014": "---",
    "\u201c": "``",
    "\u201d": "''",
    "\u2018": "`",
    "\u2019": "'",
    "…": r"\dots{}",
    "†": r"\dag{}",
}
SIGNS |= {"\u2212": "$-$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "\u00d7": r"$\times$", "·": r"$\cdot$"}
SIGNS |= dict(zip("ßøØæÆœŒłŁı", (rf"\{name}{{}}" for name in LETTERS.split()), strict=True))
SIGNS |= dict(zip("αβγδεζηθλμρστφω", (rf"$\{name}$" for name in GREEK.split()), strict=True))


class _Latex(dict[int, str]):
    """A table for ``str.translate``: code of a character -> ASCII that every LaTeX typesets as this character."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if " " <= char <= "~":
            return char
        plain = unicodedata.normalize("NFKD", char)
        letter, marks = plain[0], plain[1:]
        if plain != char and letter.isascii() and all(mark in ACCENTS for mark in marks):
            for mark in marks:
                letter = rf"\{ACCENTS[mark]}{{{letter}}}"
            return letter if marks else letter.translate(self)
        if plain != char and plain.isascii():
            return plain.translate(self)
        return " " if unicodedata.category(char)[0] in "CZ" else f"{{[}}U+{code:04X}]"


_LATEX = _Latex(str.maketrans(SPECIAL | SIGNS))
_MARKDOWN = str.maketrans({char: "\\" + char for char in "\\|*`<[~$"})


def latex(text: str) -> str:
    """ASCII that LaTeX typesets as the text; a character that LaTeX's own fonts lack stands as its number: [U+4E2D]."""
    return unicodedata.normalize("NFC", text).translate(_LATEX)


def markdown(text: str) -> str:
    """The text as GitHub's markdown, fit for a table too; an underscore within a word, as in max_lr, needs no escape."""
    plain = CONTROL.sub(" ", text)
    return re.sub(r"(?<!\w)_|_(?!\w)|&(?=#?\w+;)", r"\\\g<0>", plain.translate(_MARKDOWN))


def markdown_code(text: str) -> str:
    """The text as a code span of markdown, which shows it as it is."""
    plain = one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    pad = " " if len(fence) > 1 else ""
    return f"{fence}{pad}{plain}{pad}{fence}"
