"""What titles call an experiment whose file names another problem than the overrides make of it."""

from collections.abc import Iterator
from typing import Any

from oracle.experiment.message import cut, shown
from oracle.experiment.redaction import redact
from oracle.experiment.words import LONGEST_LABEL
from silo.data.facts import FACTS

# a part of an experiment that a label is about, the key of its name, and the fields that are no part of what it is
PARTS = (("data", "source", ("split", "augment", "normalize")), ("model", "name", ("init",)))
BUT, LONGEST_REMARK = ", but ", 150
PLACES = ("path", "download", "loaders")  # where a known data set lies, and how it is read


def true_label(written: dict[str, Any], tree: dict[str, Any]) -> str | None:
    """The label of a file's experiment with what overrides made of its data and network: "LABEL, but data.source=folder".

    Args:
        written: What the file holds.
        tree: The same with the overrides.

    Returns:
        None where they are the same, or an override says what titles call it.
    """
    key = "label" if written.get("label") else "name"
    if written.get(key) != tree.get(key) or tree.get("label") != written.get("label"):
        return None
    others = list(_others(written, tree))
    label, remark = written.get(key), cut(", ".join(others), LONGEST_REMARK)
    if not remark or not isinstance(label, str) or len(label) > LONGEST_LABEL:
        return None
    return f"{cut(label, LONGEST_LABEL - len(BUT) - len(remark))}{BUT}{remark}"


def _others(written: dict[str, Any], tree: dict[str, Any]) -> Iterator[str]:
    for part, tag, apart in PARTS:
        before, after = (_fields(one.get(part), tag) for one in (written, tree))
        apart = (*apart, *PLACES) if str(after.get(tag)) in FACTS else apart
        for field, value in after.items():
            if before and field not in apart and value != before.get(field):
                value = redact(value)
                yield f"{part}.{field}={value if isinstance(value, str) else shown(value)}"


def _fields(part: Any, tag: str) -> dict[str, Any]:
    """A part's fields, the name first; a part may be written as its name alone."""
    fields = part if isinstance(part, dict) else {tag: part} if isinstance(part, str) else {}
    return {tag: fields[tag], **fields} if tag in fields else fields
