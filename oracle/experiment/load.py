"""Read and validate an experiment file, or another YAML file; whatever is wrong with it becomes one line."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from oracle.error import InputError
from oracle.experiment.component import Strict
from oracle.experiment.imported import Imported
from oracle.experiment.label import true_label
from oracle.experiment.message import explain, shown
from oracle.experiment.overrides import apply_override
from oracle.experiment.spec import Experiment
from oracle.experiment.yaml_text import MAX_CHARACTERS, parse_yaml
from oracle.files import read_file
from silo.number import plain

MAX_BYTES = 4 * MAX_CHARACTERS  # as UTF-8 has them
FACTORS = "factors"  # the key of a file that holds several experiments
HELD = "the experiment"  # what an error calls one that is no file
Model = TypeVar("Model", bound=Strict)


def load(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = (), name: str = "") -> Experiment:
    """Return the validated experiment that a file describes; its label says where overrides make another problem of it.

    Trains and writes nothing. Parts that the experiment imports are imported.

    Args:
        source: The path of a YAML file, or what such a file holds, as a mapping.
        overrides: ``FIELD=VALUE`` each, such as ``oracle.seeds=5``, applied in this order (``--set`` of the command line).
        name: What an error calls a mapping.

    Returns:
        The experiment, whose fields are those of the file; it can't be changed.

    Raises:
        InputError: The file, an override or a field is wrong: the first problem, in one line.
    """
    if isinstance(overrides, str):
        raise InputError(f"overrides must be a list of texts FIELD=VALUE, got {shown(overrides)}")
    held = isinstance(source, Mapping)
    written = _as_read(source) if held else read(Path(source), Experiment)
    where = (name or HELD) if held else str(source)
    if FACTORS in written:
        raise InputError(
            f"{where}: {FACTORS} must be read by oracle.load_levels, which returns each level's experiment"
        )
    tree = deepcopy(written)
    for override in overrides:
        apply_override(tree, override)
    if label := true_label(written, tree):
        tree["label"] = label
    return validate(tree, where)


class _Dumper(yaml.SafeDumper):
    """Writes a mapping as a file would hold it: every text in quotes, numpy's numbers as plain ones."""

    def represent_text(self, value: str) -> yaml.Node:
        """Return the node of a text: without quotes one such as 5e-4 would be read as a number."""
        return self.represent_scalar("tag:yaml.org,2002:str", value, style='"')

    def represent_other(self, value: Any) -> yaml.Node:
        """Return the node of a number of another type; no other value has one."""
        if isinstance(value, Real):
            return self.represent_data(plain(value))
        return self.represent_undefined(value)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(None, _Dumper.represent_other)


def _as_read(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What a file with this text would hold: a mapping is read by the rules of files."""
    try:
        text = yaml.dump(dict(tree), Dumper=_Dumper, allow_unicode=True, sort_keys=False)
    except yaml.YAMLError as error:
        _, value = error.args
        given = f"{type(value).__name__} {shown(value)}"
        raise InputError(f"{HELD}: must hold numbers, texts, lists and mappings alone, got {given}") from error
    return parse_yaml(text, HELD)


def read(path: Path, model: type[Strict]) -> dict[str, Any]:
    """The mapping in a YAML file, as it stands there; :func:`validate` looks at what it holds.

    Args:
        path: A YAML file.
        model: What the mapping is to describe; an error names its fields.

    Raises:
        InputError: The file can't be read, or holds something else.
    """
    try:
        text = read_file(path, MAX_BYTES, follow=True).decode("utf-8")
    except (OSError, ValueError) as error:
        found = (
            "not a text file" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or error
        )
        raise InputError(f"{path} must be a readable YAML file, got: {found}") from error
    tree = parse_yaml(text, str(path))
    if not isinstance(tree, dict):
        raise InputError(f"{path}: must be a mapping of {', '.join(model.model_fields)}, got {shown(tree)}")
    return tree


def recorded_experiment(study: Mapping[str, Any], source: str) -> Experiment:
    """The experiment that a run folder or a publication holds; nothing that it names is imported, and no network is built.

    Args:
        study: What :func:`oracle.study.study.describe_study` returned.
        source: The file's name, which an error begins with.

    Raises:
        InputError: A field is wrong, or what it imports is not recorded: the first problem, in one line.
    """
    tree = study["experiment"]
    imported = validate(study.get("imported", {}), f"{source}: imported", Imported)
    return validate(tree, source, context=imported)


def validate(tree: Any, source: str, model: type[Model] = Experiment, context: Imported | None = None) -> Model:
    """What a parsed file describes.

    Args:
        tree: What the file holds.
        source: The file's name, which an error begins with.
        model: What the file is to describe.
        context: What is recorded of the parts that it imports; None: they are imported, and what can be made is made once.

    Raises:
        InputError: A field is wrong: the first problem, in one line.
    """
    try:
        return model.model_validate(_immutable(tree), context=context)
    except RecursionError as error:
        raise InputError(f"{source}: must be a tree, got a value that holds itself (a YAML anchor)") from error
    except ValidationError as error:
        raise InputError(f"{source}: {explain(error, tree)}") from error


def _immutable(tree: Any) -> Any:
    """Lists as tuples, which is what the strict, frozen models hold."""
    if isinstance(tree, dict):
        return {key: _immutable(value) for key, value in tree.items()}
    return tuple(_immutable(value) for value in tree) if isinstance(tree, list) else tree
