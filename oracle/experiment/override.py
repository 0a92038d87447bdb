"""``--set FIELD=VALUE``: a field of an experiment's file, changed for one command."""

from typing import Any

from oracle.error import InputError
from oracle.experiment.message import shown
from oracle.experiment.yaml_text import parse_yaml


def apply_override(tree: dict[str, Any], override: str) -> None:
    """Set one field of a parsed experiment file.

    Args:
        tree: What the file holds; it is changed. Mappings that the field's path lacks are added.
        override: ``FIELD=VALUE``, FIELD being a path such as ``oracle.seeds``, VALUE a YAML text.

    Raises:
        InputError: The override is of another form, its value isn't YAML, or its path leads through a value.
    """
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise InputError(f"--set must be FIELD=VALUE, such as oracle.seeds=5, got {override}")
    *parents, last = path.split(".")
    for key in parents:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise InputError(f"--set {override}: {key} must be a mapping, got {shown(tree)}")
    tree[last] = parse_yaml(text, f"--set {override}")
