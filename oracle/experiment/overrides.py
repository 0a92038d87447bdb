"""Overrides, ``--set FIELD=VALUE``: applied to a parsed file; and which ones would request more of an experiment."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from oracle.error import InputError
from oracle.experiment.message import cut, shown
from oracle.experiment.search import SearchKind
from oracle.experiment.spec import Experiment
from oracle.experiment.yaml_text import parse_yaml


class Override(NamedTuple):
    """A field of an experiment, by its path, and another value for it."""

    field: str
    value: Any


SET_OPTION = re.compile(r"--set '[^']*'|--set \S+")  # in a text, as one pastes it
WHOLE_GRID = Override("oracle.search", SearchKind.EXHAUSTIVE)


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
        raise InputError(f"--set must be FIELD=VALUE, such as oracle.seeds=5, got {cut(override)}")
    set_field(tree, path, parse_yaml(text, f"--set {cut(override)}"), f"--set {cut(override)}")


def set_field(tree: dict[str, Any], path: str, value: Any, source: str) -> None:
    """Set one field of a parsed experiment file, in place.

    Args:
        tree: What the file holds. Mappings that the field's path lacks are added.
        path: Such as ``oracle.seeds``.
        value: What it is from now on.
        source: Where that is said, which an error begins with.

    Raises:
        InputError: The path leads through a value.
    """
    *parents, last = path.split(".")
    for key in parents:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise InputError(f"{source}: {key} must be a mapping, got {shown(tree)}")
    tree[last] = value


def set_option(override: str) -> str:
    """Return ``--set`` with an override, FIELD=VALUE, quoted for a shell."""
    quoted = override.replace("'", "'\\''")
    return f"--set '{quoted}'"


def grid_with(experiment: Experiment, values: Iterable[float]) -> Override:
    """Return the override that adds values to the grid."""
    grid = experiment.oracle.grid
    field = "oracle.grid.extra" if grid.points else "oracle.grid"  # a grid may be a plain list
    return Override(field, sorted({*grid.extra, *values}))


def requested_beyond(experiment: Experiment, other: Experiment) -> list[Override]:
    """Return the overrides by which an experiment requests, beside its own trainings, those of another one of the same
    identity.

    SILO's parameters and the search, of which an experiment has one, are the other one's.
    """
    overrides: list[Override] = []
    own_grid, own_seeds = set(experiment.oracle.grid.values()), experiment.oracle.seeds
    if values := set(other.oracle.grid.values()) - own_grid:
        overrides.append(grid_with(experiment, values))
    if seeds := [seed for seed in other.oracle.seeds if seed not in own_seeds]:
        overrides.append(Override("oracle.seeds", [*own_seeds, *seeds]))
    if other.prune.cycles > experiment.prune.cycles:
        overrides.append(Override("prune.cycles", other.prune.cycles))
    if other.oracle.follow != experiment.oracle.follow:
        overrides.append(Override("oracle.follow", other.oracle.follow))
    if other.oracle.search != experiment.oracle.search:
        overrides.append(Override("oracle.search", other.oracle.search.model_dump(mode="json", exclude_none=True)))
    overrides += [
        Override(f"silo.{field}", value)
        for field in ("epsilon", "delta", "beta", "delay")
        if (value := getattr(other.silo, field)) != getattr(experiment.silo, field)
    ]
    if other.baselines and other.policies.search != experiment.policies.search:
        overrides.append(Override("policies.search", other.policies.search.model_dump(mode="json", exclude_none=True)))
    overrides += [
        Override(f"policies.baselines.{name}", baseline.model_dump(mode="json", exclude_none=True))
        for name, baseline in other.baselines.items()
        if name not in experiment.baselines
    ]
    return overrides
