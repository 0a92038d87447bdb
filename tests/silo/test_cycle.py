"""States that cycles start from, and their digests, which name recorded cells."""

import pytest
import torch

from silo.cycle import run_cycle
from silo.mask import Mask
from silo.restart import Keep
from silo.state import State

WEIGHTS = {"a": torch.arange(24.0).view(1, 2, 3, 4), "b": torch.tensor(3)}
MASK = Mask({"a": torch.arange(24).view(1, 2, 3, 4) % 2 == 0})


def other(name, index):
    """The weights with one number changed."""
    tensor = WEIGHTS[name].clone()
    tensor.view(-1)[index] += 1
    return WEIGHTS | {name: tensor}


STATES = {
    "dense": State(),
    "mask": State(MASK),
    "other mask": State(Mask({"a": ~MASK.layers["a"]})),
    "mask and weights": State(MASK, WEIGHTS),
    "first weight": State(MASK, other("a", 0)),
    "last weight": State(MASK, other("a", -1)),
    "buffer": State(MASK, other("b", 0)),
    "other name": State(MASK, {"a": WEIGHTS["a"], "c": WEIGHTS["b"]}),
    "other shape": State(MASK, WEIGHTS | {"a": WEIGHTS["a"].view(2, 1, 3, 4)}),
    "other type": State(MASK, WEIGHTS | {"b": torch.tensor(3, dtype=torch.int32)}),
}


def test_the_digest_tells_every_difference():
    digests = {name: state.digest() for name, state in STATES.items()}
    assert len(set(digests.values())) == len(STATES), digests


def test_only_a_state_that_fixes_nothing_is_dense():
    assert State(None, WEIGHTS).digest() not in ("dense", State(None, other("a", 0)).digest())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("dense", "dense"), ("mask", "e9dd5a73cfd0a0c2067b"), ("mask and weights", "e6a15bf705566e4452b8")],
)
def test_digests_are_pinned_as_they_name_recorded_cells(name, expected):
    assert STATES[name].digest() == expected


def test_the_digest_knows_nothing_of_memory_or_order():
    strided = WEIGHTS["a"].to(memory_format=torch.channels_last)
    assert strided.stride() != WEIGHTS["a"].stride()
    assert State(MASK, {"b": WEIGHTS["b"], "a": strided}).digest() == STATES["mask and weights"].digest()


def test_a_state_survives_being_stored(problem, tmp_path):
    made = problem("small-cnn", restart=Keep())[0]
    first = run_cycle(made, 0, 0, 0.1, State())
    torch.save({"mask": first.leaves.mask.pack(), "weights": first.leaves.weights}, tmp_path / "state.pt")
    stored = torch.load(tmp_path / "state.pt", weights_only=True)
    mask = Mask.unpack(stored["mask"], made.pruning.prunable(made.build()))
    back = State(mask, stored["weights"])
    assert back.digest() == first.leaves.digest()
    assert run_cycle(made, 0, 1, 0.1, back).outcome == run_cycle(made, 0, 1, 0.1, first.leaves).outcome


def test_a_start_state_is_left_as_it_was(problem):
    made = problem("small-cnn", restart=Keep())[0]
    start = run_cycle(made, 0, 0, 0.1, State()).leaves
    digest = start.digest()
    run_cycle(made, 0, 1, 0.1, start)
    assert start.digest() == digest
