"""The JSON schema takes what the loader takes, names every option, and refuses what is mistyped."""

import json
from pathlib import Path

import pytest
from experiments import TINY, changed
from jsonschema import Draft202012Validator

from oracle.cli.main import main
from oracle.experiment.factors import file_schema
from oracle.experiment.load import load, read
from oracle.experiment.spec import Experiment
from silo.data import SOURCES, SPLITS
from silo.model import INITIALIZATIONS, MODELS
from silo.optimizer import OPTIMIZERS
from silo.pruning_rule import CRITERIA
from silo.restart import RESTARTS
from silo.schedule import SCHEDULES
from silo.shape import SHAPES

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
FILES = [path for folder in (".", "paper") for path in sorted((BENCHMARKS / folder).glob("*.yaml"))]
SCHEMA = file_schema()
VALID = Draft202012Validator(SCHEMA)


def test_the_command_prints_it_and_nothing_else(capsys, monkeypatch):
    Draft202012Validator.check_schema(SCHEMA)
    printed = []
    for columns in ("40", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        assert main(["schema"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and printed[0].isascii()
    assert json.loads(printed[0]) == SCHEMA


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_of_ours_is_valid(path):
    assert list(VALID.iter_errors(read(path, Experiment))) == []


# what a file may hold beside what our files do
TAKEN = [
    {},
    {"oracle.seeds": [3, 5]},
    {"oracle.grid": {"low": 0.1, "high": 1, "points": 3, "extra": [2]}},
    {"oracle.search": "adaptive"},
    {"oracle.search": {"kind": "racing"}},
    {"data": "digits"},
    {"data.limit": {"train": None, "test": 100}},
    {"data.normalize": {"mean": [0.5], "std": [0.5]}},
    {"data.augment": {"crop": 2, "flip": True}},
    {"model": "mlp"},
    {"prune.rate": [0.5, 0.2]},
    {"prune.prunable": "every-weight"},
    {"prune.prunable": {"head": False}},
    {"prune.restart": {"kind": "rewind", "to": "1ep"}},
    {"prune.restart": {"kind": "reinit", "widen": True}},
    {"train.optimizer": "adamw", "train.momentum": None},
    {"train.optimizer": {"kind": "adamw", "betas": [0.9, 0.99]}, "train.momentum": None},
    {"train.clip_norm": 1},
    {"train.shape": {"kind": "cyclical", "period": "2ep", "low": 0.1}},
    {"train.shape": {"kind": "warmup-step", "warmup": "10%", "drops": {"50%": 0.1, "75%": 0.01}}},
    {"train.shape": "linear", "policies.baselines": {"clr": {"shape": {"kind": "cosine", "warmup": "10%"}}}},
    {
        "policies.baselines": {
            "flat": {"max_lr": 1},
            "searched": {},
            "table": {"max_lr": {"kind": "constant", "value": 1}},
        }
    },
    {"policies.baselines": {"smith": {"range_test": {"low": 0.01, "high": 10}}}},
    {"policies.search": {"over": "trajectory", "grid": [0.1, 0.2]}},
    {"compute": {"lanes": 4, "gpus_per_trial": 0.5, "rate": {"iterations_per_second": 10, "source": "me"}}},
]


@pytest.mark.parametrize("changes", TAKEN, ids=str)
def test_what_the_loader_takes_is_valid(changes):
    tree = changed(TINY, changes)
    load(tree)
    assert list(VALID.iter_errors(tree)) == []


def test_parts_of_ones_own_are_valid():
    """With any option: the schema can't know them."""
    own = {"data": {"source": "my.data:Mine", "images": 3}, "model": "my.nets:net", "prune.criterion": "my.rules:rule"}
    own |= {"train.shape": {"kind": "my.rules:Shape", "top": 1}, "model": {"name": "my.nets:net", "width": 2}}
    assert list(VALID.iter_errors(changed(TINY, own))) == []


REFUSED = [
    {"sead": 1},
    {"train.epoch": 1},
    {"train.epochs": 0},
    {"train.epochs": "3"},
    {"train.momentum": 1},
    {"train.shape": "cosin"},
    {"train.shape": {"kind": "constant", "warmup": "1ep"}},
    {"train.shape": {"kind": "warmup-step"}},
    {"train.optimizer": "my.rules:Adam"},
    {"train.optimizer": {"kind": "adamw", "nesterov": True}},
    {"prune.rate": 1.2},
    {"prune.criterion": "magnitud"},
    {"prune.restart": "rewinding"},
    {"prune.prunable": "every"},
    {"model": {"name": "mlp", "with": 3}},
    {"model": {"hidden": [3]}},
    {"data": {"source": "digit"}},
    {"data.split": "carved"},
    {"oracle.grid": [-1.0]},
    {"oracle.grid": "0.1"},
    {"oracle.seeds": 0},
    {"oracle.search": "all"},
    {"oracle.level": 0.5},
    {"policies.baselines": {"flat": {"max_lr": "big"}}},
    {"policies.baselines": {"smith": {"range_test": {"low": 0.01}}}},
    {"compute.lanes": "many"},
]


@pytest.mark.parametrize("changes", REFUSED, ids=str)
def test_what_is_mistyped_is_not_valid(changes):
    assert list(VALID.iter_errors(changed(TINY, changes)))


def test_every_component_is_named_and_every_field_described():
    """Whoever adds a part or an option documents it: editors show these texts."""
    named, undescribed = set(), []

    def look(schema, where):
        if isinstance(schema, list):
            for number, inner in enumerate(schema):
                look(inner, f"{where}.{number}")
        elif isinstance(schema, dict):
            for name, field in schema.get("properties", {}).items():
                if isinstance(field, dict) and "const" in field:
                    named.add(field["const"])
                elif "description" not in field:
                    undescribed.append(f"{where}.{name}")
            for name, inner in schema.items():
                look(inner, f"{where}.{name}")

    look(SCHEMA, "")
    registries = (SOURCES, SPLITS, MODELS, OPTIMIZERS, RESTARTS, SCHEDULES, SHAPES)
    assert named == {name for registry in registries for name in registry}
    assert undescribed == []
    text = json.dumps(SCHEMA)
    assert all(f'"{name}"' in text for registry in (CRITERIA, INITIALIZATIONS) for name in registry)
