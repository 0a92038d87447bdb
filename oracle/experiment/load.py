"""Read an experiment file, with overrides, or another YAML file; whatever is wrong with it becomes one line."""

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from oracle.error import InputError
from oracle.experiment.component import Strict
from oracle.experiment.redaction import portable
from oracle.experiment.spec import Experiment

Described = TypeVar("Described", bound=Strict)


class _Loader(yaml.SafeLoader):
    """YAML, but 5e-4 is a number (PyYAML's own reader wants 5.0e-4) and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # as values, since 100 and 100.0 are one key; a merge key (<<) has none
        keys = [
            key.value if key.tag.endswith(":merge") else self.construct_object(key, deep=True) for key, _ in node.value
        ]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def load(path: Path, overrides: list[str]) -> Experiment:
    """The experiment in a file, with ``a.b=value`` overrides applied; raises InputError."""
    tree = read(path, Experiment)
    for override in overrides:
        _override(tree, override)
    return validate(tree, str(path))


def read(path: Path, model: type[Strict]) -> dict[str, Any]:
    """The mapping in a YAML file that is to hold the model's fields, as it stands there; raises InputError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read ({getattr(error, 'strerror', None) or 'not a text file'})") from error
    tree = _parse(text, str(path))
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


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{where}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    except (ValueError, TypeError) as error:  # PyYAML's own, for a date that isn't one, say
        raise InputError(f"{where}: not YAML that can be read: {error}") from error


def _immutable(tree: Any) -> Any:
    """Lists as tuples, which is what the strict, frozen models hold."""
    if isinstance(tree, dict):
        return {key: _immutable(value) for key, value in tree.items()}
    return tuple(_immutable(value) for value in tree) if isinstance(tree, list) else tree


def _override(tree: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise InputError(f"--set {override}: a.b=value is allowed, such as oracle.seeds=5")
    *parents, last = path.split(".")
    for key in parents:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise InputError(f"--set {override}: {key} holds a value, not a mapping")
    tree[last] = _parse(text, f"--set {override}")


def told(override: str) -> str:
    """An override as it may be told elsewhere: where the data lies is no other machine's business."""
    field, _, text = override.partition("=")
    if field.partition(".")[0] != "data":
        return override
    value = _parse(text, f"--set {override}")
    if (safe := portable(value)) == value:
        return override
    return f"{field}={safe if isinstance(safe, str) else json.dumps(safe)}"


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
