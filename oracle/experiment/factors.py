"""Several experiments in one file: a level of a factor is the file's own experiment but for one thing."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from oracle.error import InputError
from oracle.experiment.load import FACTORS as KEY
from oracle.experiment.load import load, read
from oracle.experiment.message import cut, shown
from oracle.experiment.overrides import set_field
from oracle.experiment.schema import json_schema
from oracle.experiment.spec import Experiment
from oracle.experiment.words import LONGEST_LABEL

BASE = "base"
COMPARE = "compare"  # the folder beside a factor's levels that `run` compares them in
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "description": "Further experiments, by factor and level: the file's own but for the fields that a level sets.",
    "propertyNames": {"pattern": f"^{NAME}$", "not": {"const": BASE}},
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{NAME}$", "not": {"const": COMPARE}},
        "additionalProperties": {"type": "object", "minProperties": 1},
    },
}


def load_levels(path: str | Path, overrides: Sequence[str] = (), levels: Sequence[str] = ()) -> dict[str, Experiment]:
    """Return the experiments that a file describes, validated.

    A file without ``factors`` has one. Otherwise there is one for each level of each factor, beside the file's own, which is
    the level that all factors share::

        factors:
          epochs:                        # a factor
            x2: {train.epochs: 30}       # a level: fields, as --set names them, and their values
          restart:
            rewind: {prune.restart: rewind}

    Args:
        path: The experiment file.
        overrides: ``FIELD=VALUE`` each, applied to every one of them, after what a level sets.
        levels: Which ones, such as ``epochs/x2`` or ``base``; none for all.

    Returns:
        By level, ``base`` first; by "" where the file has no factors. The name of a level's experiment ends with it.

    Raises:
        InputError: The file, an override or a field is wrong, a level isn't there, or two are the same experiment: the first
            problem, in one line.
    """
    path = Path(path)
    tree = read(path, Experiment)
    if KEY not in tree:
        if levels:
            raise InputError(f"--level must be of a file that has {KEY}, got {path}, which has none")
        return {"": load(path, overrides)}
    found = _levels(tree.pop(KEY), path)
    if unknown := [level for level in levels if level not in found]:
        raise InputError(f"--level must be one of {', '.join(found)}, got {cut(unknown[0])}")
    experiments = {
        level: load(
            _with_level(tree, level, fields, path), overrides, str(path) if level == BASE else f"{path}: {level}"
        )
        for level, fields in found.items()
        if level in (levels or found)
    }
    _refuse_the_same(experiments, path)
    return experiments


def file_schema() -> dict[str, Any]:
    """Return the JSON schema of an experiment file."""
    schema = json_schema(Experiment)
    schema["properties"][KEY] = SCHEMA
    return schema


def _levels(factors: Any, path: Path) -> dict[str, Mapping[str, Any]]:
    """The fields that each level sets, by ``FACTOR/LEVEL``, after the base, which sets none."""
    found: dict[str, Mapping[str, Any]] = {BASE: {}}
    for factor, levels in _named(factors, KEY, path):
        if factor == BASE:
            raise InputError(f"{path}: {KEY} must have other names than {BASE}, which is the file's own experiment")
        for level, fields in _named(levels, f"{KEY}.{factor}", path):
            if level == COMPARE:
                raise InputError(f"{path}: levels must have other names than {COMPARE}, where `run` compares them")
            if not (isinstance(fields, dict) and fields and all(isinstance(field, str) for field in fields)):
                what = "a mapping of fields, such as train.epochs, and their values"
                raise InputError(f"{path}: {KEY}.{factor}.{level} must be {what}, got {shown(fields)}")
            found[f"{factor}/{level}"] = fields
    return found


def _refuse_the_same(experiments: Mapping[str, Experiment], path: Path) -> None:
    """Refuse a level that would train another one's trainings again, before it does; compared they would say nothing."""
    earlier: list[tuple[str, Experiment]] = []
    for level, experiment in experiments.items():
        bare = experiment.model_copy(update={"name": "", "label": ""})
        for other, same in earlier:
            if bare == same:
                what = f"differ from {other} in a field, with what --set overrides"
                raise InputError(f"{path}: {KEY}.{level.replace('/', '.')} must {what}, got the same experiment")
        earlier.append((level, bare))


def _named(value: Any, field: str, path: Path) -> Sequence[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        raise InputError(f"{path}: {field} must be a mapping of at least one name, got {shown(value)}")
    for name in value:
        if not (isinstance(name, str) and re.fullmatch(NAME, name)):
            must = "letters, digits, . _ - and first a letter or digit"
            raise InputError(f"{path}: the names in {field} must be {must}, got {shown(name)}")
    return list(value.items())


def _with_level(tree: dict[str, Any], level: str, fields: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What a file of the level's experiment alone would hold."""
    own = deepcopy(tree)
    for field, value in fields.items():
        set_field(own, field, deepcopy(value), f"{path}: {KEY}.{level.replace('/', '.')}")
    if level != BASE:
        if isinstance(tree.get("name"), str):  # else it is refused as the base's would be
            own["name"] = f"{tree['name']}-{level.replace('/', '-')}"
        if isinstance(tree.get("label"), str) and tree["label"]:
            own["label"] = f"{tree['label']}, {level.replace('/', ' ')}"[:LONGEST_LABEL]
    return own
