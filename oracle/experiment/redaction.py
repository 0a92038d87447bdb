"""Redaction: no path of one machine or one user, no password and no environment variable's value leaves a machine.

It needs neither torch nor pydantic, so that the command line answers bad input at once.
"""

import json
import os
import re
import socket
from pathlib import PurePosixPath
from typing import Any

from oracle.experiment.yaml_text import parse_yaml
from oracle.plain_text import one_line
from oracle.utf8 import as_utf8

ELSEWHERE = "..."
URL = re.compile(r"([a-z][a-z0-9+.-]*://)(?:([^/?#]*)@)?([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
USER = re.compile(r"(?<=://)[^/?#\s@]*@")  # of a URL within a text, with its password

# of a path from the root, or from what a variable holds: where it lies says nothing elsewhere
VARIABLE, ROOT, FOLDER = r"\$[A-Z_][A-Z0-9_]*/", r"(?<![\w.:/])/", r"[^\s/:'\",;()]+/"
FOLDERS = re.compile(rf"{VARIABLE}(?:{FOLDER})*|{ROOT}(?:{FOLDER})+")
# as an OSError shows it: there may be spaces in it
QUOTED = re.compile(rf"(['\"])(?:{VARIABLE}|{ROOT})(?:[^'\"]*/)?([^'\"/]*)\1")
PRIVATE = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|^(USER|LOGNAME|HOSTNAME)$", re.IGNORECASE)
TELLING = 8  # characters: a shorter value of another variable is a word that any text may hold


def redact(value: Any) -> Any:
    """A value of an experiment file without what only one machine or one user has.

    Args:
        value: A string, or what holds strings at any depth.

    Returns:
        The value with lists for tuples. Of a path that leaves the folder one is in only its last name is left
        (``.../name``), of a URL neither user nor query. What is redacted already stays as it is.
    """
    if isinstance(value, dict):
        return {key: redact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    if not isinstance(value, str):
        return value
    value = as_utf8(value)
    if url := URL.fullmatch(value):
        scheme, _, host_and_path, _ = url.groups()
        return redact(host_and_path) if host_and_path.startswith("/") else scheme + host_and_path
    if value.startswith(("/", "~")) or ".." in value.split("/"):
        name = PurePosixPath(value).name
        return ELSEWHERE if name in ("", "..") or name.startswith("~") else f"{ELSEWHERE}/{name}"
    return value


def redact_override(override: str) -> str:
    """An override ``FIELD=VALUE`` whose value is redacted where the field is one of the data's.

    Raises:
        InputError: The value of such a field isn't YAML.
    """
    field, _, text = override.partition("=")
    if field.partition(".")[0] != "data":
        return override
    value = parse_yaml(text, f"--set {field}=...")
    redacted = redact(value)
    if redacted == value:
        return override
    return f"{field}={redacted if isinstance(redacted, str) else json.dumps(redacted)}"


def redact_text(text: str) -> str:
    """An error's text in one line: paths without their folders, URLs without their users, what the environment holds by the
    variable's name.
    """
    text = _name_variables(without_users(one_line(text)))
    return FOLDERS.sub("", QUOTED.sub(r"\1\2\1", text))


def without_users(text: str) -> str:
    """The text with URLs that have no user and no password."""
    return USER.sub("", text)


def _name_variables(text: str) -> str:
    variables = [("HOSTNAME", socket.gethostname()), *os.environ.items()]
    for name, value in sorted(variables, key=lambda item: -len(item[1])):
        value = " ".join(value.split())
        if len(value) >= TELLING and not value.isdecimal():
            text = text.replace(value, f"${name}")
        elif len(value) > 1 and PRIVATE.search(name):
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"${name}", text)
    return text


def first_private(value: Any, field: str) -> tuple[str, str] | None:
    """The first field whose value is a path from the root or from a home, or a URL with a user.

    Args:
        value: What the field holds: a string, or what holds strings at any depth.
        field: The field's path, such as ``prune.restart``.

    Returns:
        The path of the field, or of one below it, and its value; None where there is none.
    """
    if isinstance(value, dict):
        parts = ((f"{field}.{key}", inner) for key, inner in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"{field}.{index}", inner) for index, inner in enumerate(value))
    elif isinstance(value, str):
        url = URL.fullmatch(value)
        return (field, value) if value.startswith(("/", "~")) or (url and url[2] is not None) else None
    else:
        return None
    private = (first_private(inner, name) for name, inner in parts)
    return next((part for part in private if part), None)
