"""FLOPs of the networks that a worker trains: counted without numbers, with them, or not at all."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from made import made_record
from published import published
from torch import nn

from oracle.analysis.cells import sizes_table
from oracle.experiment.load import load
from oracle.run.problem import flops_of, problems
from oracle.study.cell import Cell
from oracle.study.data import load_dataset
from oracle.study.record import Record


class Looking(nn.Module):
    """A network that looks at a number, which tensors on the meta device don't have."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, x):
        return self.layer(x.flatten(1) if x.sum() == 0 else x.flatten(1) + 1)


class Calling(Looking):
    def forward(self, x):
        raise RuntimeError("no NVIDIA driver was found")


@pytest.fixture
def problem(tiny):
    experiment = load(tiny, [])
    dataset = load_dataset(experiment)
    (problem,) = problems(experiment, dataset, "digest", torch.device("cpu")).values()
    return problem, dataset


def test_a_network_is_counted_without_numbers_or_with_them_or_not_at_all(problem):
    problem, dataset = problem
    own = flops_of(problem, dataset)
    assert own.dense == sum(own.by_weight.values()) == 2 * (64 * 16 + 16 * 10)
    state = torch.get_rng_state()
    counted = flops_of(replace(problem, build=Looking), dataset)
    assert (counted.dense, counted.by_weight) == (1280, {"layer.weight": 1280})
    assert torch.equal(torch.get_rng_state(), state)
    assert flops_of(replace(problem, build=Calling), dataset) is None


def test_a_record_may_hold_none_and_no_others():
    held = made_record(Cell("a training", 0, 0, 0.1), 90.0, "left").to_json()
    assert Record.from_json(held | {"flops": None}).flops is None
    for wrong in (-1, 1.0, "1", True, 2**63):
        with pytest.raises(ValueError, match=f"flops.*{wrong}"):
            Record.from_json(held | {"flops": wrong})


def test_a_mean_over_seeds_of_which_one_is_not_known_is_not_known():
    rows = [(cycle, seed, f"{cycle}{seed}", 100 - cycle, 100, "done", True) for cycle in range(3) for seed in range(2)]
    rows += [(2, 2, "22", pd.NA, pd.NA, "failed", True)]
    cells = pd.DataFrame(rows, columns=["cycle", "seed", "id", "alive", "prunable", "status", "chain"])
    cells = cells.astype({"alive": "Int64", "prunable": "Int64"})
    flops = {"00": 10, "01": 20, "10": 10, "11": None, "20": 7}
    sizes = sizes_table(cells, flops, SimpleNamespace(baselines={}))
    assert sizes.flops.fillna(-1).tolist() == [15, -1, -1]
    assert sizes[["cycle", "alive", "prunable"]].to_numpy().tolist() == [[0, 100, 100], [1, 99, 100], [2, 98, 100]]


def test_what_an_older_version_published_has_its_alive_weights_and_no_flops():
    results = published("digits-mlp")
    sizes = results.sizes
    assert sizes.flops.isna().all() and sizes.policy.unique().tolist() == ["SILO", *results.experiment.baselines]
    layers = results.layers.groupby(["policy", "cycle"], sort=False)[["alive", "prunable"]].sum()
    assert (sizes.set_index(["policy", "cycle"])[["alive", "prunable"]] == layers).all(axis=None)
