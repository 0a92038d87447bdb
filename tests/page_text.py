"""The pages that a user reads, taken apart: sections, links, code blocks, commands."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md",
    "oracle/README.md",
    "oracle/fields.md",
    "oracle/verdicts.md",
    "silo/README.md",
    "silo/extending.md",
    "benchmarks/README.md",
    "benchmarks/cluster/README.md",
)
# of mnist1d-mlp and its factors: small enough to train in a test
FEW_SAMPLES = ("data.train=400", "data.test=100", "data.split={kind: draw, train: 200, validation: 100}")
FEW_SAMPLES += ("prune.cycles=2", "oracle.seeds=1", "oracle.grid=[0.1, 1.0]")
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    """Return a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a language, in order; those that stand in a list without its indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def block(page: str, language: str, first_line: str) -> str:
    """Return the one code block of a language that begins so."""
    (found,) = [code for code in blocks(page, language) if code.startswith(f"{first_line}\n")]
    return found


def anchors(page: str) -> set[str]:
    """Return what links to the page's sections end with, as GitHub makes it from their titles."""
    titles = re.findall(r"^#+ (.*)$", FENCED.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: str) -> list[str]:
    """Return where the page's links and images lead, but for the web's."""
    found = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text_of(page)))
    return [link for link in found if not link.startswith("http")]


def commands(page: str) -> list[list[str]]:
    """Return the words of every command in the page's shell blocks, without comments and redirections."""
    found = []
    for code in blocks(page, "sh"):
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for mark in (">", "&", "|"):
                words = words[: words.index(mark)] if mark in words else words
            found.append(words)
    return [words for words in found if words]


def spans(page: str) -> list[str]:
    """Return the page's inline code that begins with silo-oracle."""
    return re.findall(r"`(silo-oracle [^`]+)`", FENCED.sub("", text_of(page)))


def sessions(page: str) -> list[tuple[list[str], str]]:
    """Return the words of each command that a page shows with what it answers, and the answer."""
    found = []
    for code in blocks(page, "console"):
        for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            found.append((shlex.split(command), answer))
    return found
