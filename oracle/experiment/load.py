"""Read an experiment file, with overrides, or another YAML file; whatever is wrong with it becomes one line."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from oracle.error import InputError
from oracle.experiment.component import Strict
from oracle.experiment.override import apply_override
from oracle.experiment.spec import Experiment
from oracle.experiment.yaml_text import parse_yaml

Described = TypeVar("Described", bound=Strict)


def load(path: Path, overrides: list[str]) -> Experiment:
    """The experiment in a file, with ``a.b=value`` overrides applied; raises InputError."""
    tree = read(path, Experiment)
    for override in overrides:
        apply_override(tree, override)
    return validate(tree, str(path))


def read(path: Path, model: type[Strict]) -> dict[str, Any]:
    """The mapping in a YAML file that is to hold the model's fields, as it stands there; raises InputError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read ({getattr(error, 'strerror', None) or 'not a text file'})") from error
    tree = parse_yaml(text, str(path))
    if not isinstance(tree, dict):
        raise InputError(f"{path}: a mapping of {', '.join(model.model_fields)} is due")
    return tree


def validate(tree: Any, where: str, model: type[Described] = Experiment) -> Described:
    """What a parsed file describes, an experiment where nothing else is said; raises InputError naming ``where``."""
    try:
        return model.model_validate(_immutable(tree))
    except RecursionError as error:
        raise InputError(f"{where}: a value that holds itself (a YAML anchor); a tree is allowed") from error
    except ValidationError as error:
        raise InputError(f"{where}: {_explain(error, tree)}") from error


def _immutable(tree: Any) -> Any:
    """Lists as tuples, which is what the strict, frozen models hold."""
    if isinstance(tree, dict):
        return {key: _immutable(value) for key, value in tree.items()}
    return tuple(_immutable(value) for value in tree) if isinstance(tree, list) else tree


def _explain(error: ValidationError, tree: Any) -> str:
    """The first problem, in one line: field, what was given, what is allowed."""
    problem = error.errors()[0]
    field, given = _locate(problem["loc"], tree)
    if problem["type"] == "missing":
        return f"{field + '.' if field else ''}{problem['loc'][-1]} is missing"
    message = (
        problem["msg"]
        .removeprefix("Value error, ")
        .replace("Input should be", "allowed:")
        .replace("a valid integer", "a whole number")
        .replace("a valid ", "a ")
        .replace("a tuple", "a list")
        .replace("a dictionary", "a mapping")
    )
    message = "allowed: a mapping" if problem["type"] == "model_type" else message
    said_already = isinstance(given, dict) or "[key]" in problem["loc"]
    shown = "" if said_already else json.dumps(given, default=str) + ": "
    return " ".join(f"{field + ': ' if field else ''}{shown}{message}".split())


def _locate(location: tuple[str | int, ...], tree: Any) -> tuple[str, Any]:
    """The field as the file's own keys spell it, and its value: pydantic's path also holds the names of its choices."""
    keys = []
    for part in location:
        text = {str(key): key for key in tree} if isinstance(tree, dict) else {}
        if str(part) in text:
            tree = tree[text[str(part)]]
        elif isinstance(tree, list) and isinstance(part, int):
            tree = tree[part]
        else:
            continue
        keys.append(str(part))
    return ".".join(keys), tree
