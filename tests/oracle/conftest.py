import pytest
import yaml

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


@pytest.fixture(scope="session")
def write_tiny():
    """Write the real experiment on digits that trains in a second or two (1e6 diverges), and return its path."""

    def write(folder):
        path = folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(TINY, sort_keys=False))
        return path

    return write


@pytest.fixture
def tiny(write_tiny, tmp_path):
    return write_tiny(tmp_path)
