"""What is wrong with a file, in one line: ``FIELD must be ..., got VALUE``. Only this module knows pydantic's errors.

A validator says what is wrong with its own field by a ValueError that begins with "must"; the value is added here. What is
wrong with a field below it is an :class:`InnerFieldError`. Any other ValueError stands after the field, as it is: imported
code may raise anything.
"""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

# A type of pydantic's errors (2.9 to 2.14) -> what the field must be, with the names of the error's own context.
EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list",
    "model_type": "a mapping",
    "none_required": "null",
    "string_type": "a string",
    "too_long": "of at most {max_length} values",
    "too_short": "of at least {min_length} values",
    "tuple_type": "a list",
}
MISSING = "is missing"
KEY = "[key]"  # in pydantic's location of an error: what is before it is a mapping's key

LONGEST = 80  # characters of a value that is shown
ABSENT = object()


class InnerFieldError(ValueError):
    """What is wrong with a field below the one that is validated.

    Args:
        name: The inner field, such as ``period``.
        text: What is wrong with it, such as ``must be at least 1ep``.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(sentence(name, text))
        self.name, self.text = name, text


class UnknownFieldError(ValueError):
    """A key that is no field of the mapping that is validated.

    Args:
        name: The key.
        fields: The fields that the mapping may have.
    """

    def __init__(self, name: object, fields: Iterable[str]) -> None:
        super().__init__(f"{name} is no field")
        self.name, self.fields = str(name), tuple(fields)


def sentence(field: str, text: str) -> str:
    """A field and what is wrong with it: ``FIELD must ...``, or ``FIELD: text`` where the text is another sentence."""
    if not field:
        return text
    return f"{field} {text}" if text.startswith(("must ", MISSING)) else f"{field}: {text}"


def shown(value: Any) -> str:
    """A value as a file holds it, cut where it is long."""
    try:
        text = json.dumps(value, default=str)
    except (TypeError, ValueError):  # of a key that JSON has no word for, or a number of too many digits
        return f"a value of type {type(value).__name__}"
    return cut(text)


def cut(text: str, longest: int = LONGEST) -> str:
    """A text of so many characters at most, as a message shows what was given."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def must_be_one_of(names: Iterable[str], value: object, other: str = "") -> str:
    """``must be one of NAMES, got VALUE``, and "did you mean ...?" where one of the names is near.

    Args:
        names: The names that a field may hold.
        value: What it holds.
        other: What it may hold beside the names, such as an import path.
    """
    names = list(names)
    choice = f"{', '.join(names)}, or {other}" if other else ", ".join(names)
    return f"must be one of {choice}, got {shown(value)}{did_you_mean(value, names)}"


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """``; did you mean ...?`` with the nearest of the names; empty where none is near."""
    near = difflib.get_close_matches(str(name), list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""


def inner_error(error: Exception, options: Sequence[str]) -> InnerFieldError | None:
    """The error of a constructor's option, from a message that begins with its name: "period must be ..., got ...".

    Args:
        error: What the constructor raised.
        options: The names of its options.

    Returns:
        None where the message is of another form, or about what is no option.
    """
    parts = re.fullmatch(r"((\w+)(?:\.\w+|, \w+| and \w+)*) (must .*)", str(error), re.DOTALL)
    return InnerFieldError(parts[1], parts[3]) if parts and parts[2] in options else None


def explain(error: ValidationError, tree: Any) -> str:
    """The first problem that pydantic found, in one line.

    Args:
        error: What pydantic raised.
        tree: What the file holds.
    """
    problem = error.errors(include_url=False)[0]
    location, context = problem["loc"], problem.get("ctx", {})
    if KEY in location:
        at = location.index(KEY)
        field, _ = _locate(location[: at - 1], tree)
        field, value = f"{field}: each key".removeprefix(": "), problem["input"]
    else:
        field, value = _locate(location, tree)
    if problem["type"] == "missing":
        return _line(f"{_path(field, location[-1])} {MISSING}")
    cause = context.get("error")
    if isinstance(cause, UnknownFieldError):
        return _line(_unknown(cause, field, error.title))
    if isinstance(cause, InnerFieldError):
        field, text = _path(field, cause.name), cause.text
        value = value.get(cause.name, ABSENT) if isinstance(value, dict) else value
    elif isinstance(cause, Exception):
        text = str(cause) or type(cause).__name__
    else:
        text = _requirement(problem["type"], context, value) or problem["msg"]
    return _line(sentence(field, text) + _got(value, text, field))


def _requirement(kind: str, context: dict[str, Any], value: Any) -> str:
    """ "must be ..." for an error of pydantic's own; empty for one that isn't known here."""
    try:
        if kind in ("literal_error", "enum"):
            return must_be_one_of(re.split(r", | or ", context["expected"].replace("'", "")), value)
        return f"must be {EXPECTED[kind].format(**context)}"
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # of another version of pydantic
        return ""


def _unknown(error: UnknownFieldError, field: str, whole: str) -> str:
    near = did_you_mean(error.name, error.fields)
    choice = f"{near} It must" if near else "; it must"
    return f"{_path(field, error.name)} is no field of {field or whole}{choice} be one of {', '.join(error.fields)}"


def _got(value: Any, text: str, field: str) -> str:
    # a mapping is shown only where it is itself what is wrong
    within = isinstance(value, dict) and (not field or not text.startswith("must "))
    return "" if value is ABSENT or within or ", got " in text else f", got {shown(value)}"


def _path(field: str, name: object) -> str:
    return f"{field}.{name}" if field else str(name)


def _line(text: str) -> str:
    return " ".join(text.split())


def _locate(location: tuple[str | int, ...], tree: Any) -> tuple[str, Any]:
    """The field as the file's own keys spell it, and its value: pydantic's path also holds the names of its choices."""
    keys = []
    for part in location:
        text = {str(key): key for key in tree} if isinstance(tree, dict) else {}
        if str(part) in text:
            tree = tree[text[str(part)]]
        elif isinstance(tree, list | tuple) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            continue
        keys.append(str(part))
    return ".".join(keys), tree
