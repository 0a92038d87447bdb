"""The experiment that tests use, and what a test changes of it by dotted path, as ``--set`` does."""

import copy

import yaml

from oracle.experiment.load import validate

# Real trainings on digits, in a second or two; 1e6 diverges.
TINY = {
    "name": "tiny",
    "data": {"source": "digits"},
    "model": {"name": "mlp", "hidden": [16]},
    "train": {
        "epochs": 3,
        "batch_size": 64,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "shape": {"kind": "warmup-step", "warmup": "1ep", "drops": {"2ep": 0.1}},
    },
    "prune": {"criterion": "magnitude", "scope": "global", "rate": 0.2, "cycles": 3, "restart": "rewind"},
    "silo": {"epsilon": 0.1, "delta": 0.1, "beta": 5, "delay": 1},
    "oracle": {"grid": [0.01, 0.03, 0.1, 0.3, 1.0, 1e6], "seeds": 2},
}

# What makes it an experiment that nobody trains: its accuracies are made up.
UNTRAINED = {
    "name": "synthetic",
    "model": "mlp",
    "train.epochs": 1,
    "train.weight_decay": 0.0,
    "train.shape": "constant",
    "prune.restart": "reinit",
}


def changed(tree, changes):
    """A copy of a tree with other values at these paths, such as {"oracle.seeds": 3}; a section that is missing is added."""
    tree = copy.deepcopy(tree)
    for path, value in changes.items():
        *parents, last = path.split(".")
        part = tree
        for key in parents:
            part = part.setdefault(key, {})
        part[last] = copy.deepcopy(value)
    return tree


def experiment(changes=None, base=TINY):
    """The validated experiment."""
    return validate(changed(base, changes or {}), "test")


def text(changes=None, base=TINY):
    """The experiment as YAML."""
    return yaml.safe_dump(changed(base, changes or {}), sort_keys=False)


def write(folder, changes=None, name=None):
    """Write the experiment to a file of the folder, by default NAME.yaml; returns its path."""
    path = folder / (name or f"{(changes or {}).get('name', TINY['name'])}.yaml")
    path.write_text(text(changes))
    return path
