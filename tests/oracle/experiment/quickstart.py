"""The experiment by which trainings are identified: its ids are pinned, so that its text is its own."""

import experiments

from oracle.hashing import digest

QUICKSTART = {
    "name": "quickstart",
    "data": {"source": "digits", "split": {"kind": "pooled", "validation": 0.2, "test": 0.2}},
    "model": {"name": "mlp", "hidden": [100, 100]},
    "train": {
        "epochs": 20,
        "batch_size": 64,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "shape": {"kind": "warmup-step", "warmup": "10ep", "drops": {"13ep": 0.1, "17ep": 0.01}},
    },
    "prune": {"criterion": "magnitude", "scope": "global", "rate": 0.2, "cycles": 12, "restart": "rewind"},
    "silo": {"epsilon": 0.2, "delta": 0.2, "beta": 5, "delay": 1},
    "oracle": {"grid": {"low": 0.01, "high": 1.0, "points": 12}, "seeds": 3, "tolerance": 0.5, "follow": "silo"},
}
DATA = "0123456789abcdef0123"  # a data set's digest


def experiment(changes=None, base=QUICKSTART):
    return experiments.experiment(changes, base)


def training_id(parsed, data=DATA):
    return digest(parsed.training(data))
