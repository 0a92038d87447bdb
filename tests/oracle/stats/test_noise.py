"""Simulated studies with a known truth: noise alone must decide nothing, and a clear truth must be found."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from made import made_data

from oracle.analysis.cells import CELL_COLUMNS, accuracies
from oracle.analysis.claims.judge import judge
from oracle.analysis.comparison import comparison_table
from oracle.experiment.load import validate
from oracle.stats.noise import resolvable, standard_error

GRID = [round(0.01 * 2**i, 4) for i in range(8)]
CYCLES, SEEDS = 8, 3
DATA = made_data()


def experiment(seeds=SEEDS, epsilon=0.08):
    return validate(
        {
            "name": "simulated",
            "data": "digits",
            "model": "mlp",
            "train": {"epochs": 1, "batch_size": 64, "momentum": 0.9, "weight_decay": 0.0, "shape": "constant"},
            "prune": {"criterion": "magnitude", "scope": "global", "rate": 0.2, "cycles": CYCLES, "restart": "reinit"},
            "silo": {"epsilon": epsilon, "delta": 0.0, "beta": 5.0, "delay": 1},
            "oracle": {"grid": GRID, "seeds": seeds, "tolerance": 0.5},
        },
        "test",
    )


def simulate(random, peaks, noise, asked):
    """Accuracies that fall from 90 by 1 point for each square of a doubling away from the cycle's peak."""
    rows = []
    for cycle, peak in enumerate(peaks):
        silo = asked.schedule.max_lr(cycle)
        for seed in asked.oracle.seeds:
            luck = random.normal(0, 2)  # of a seed: the same for all values
            for value in sorted({*GRID, silo}):
                accuracy = 90 - math.log2(value / peak) ** 2 + luck + random.normal(0, noise)
                rows.append(
                    {
                        "cycle": cycle,
                        "seed": seed,
                        "max_lr": value,
                        "candidate": value in GRID,
                        "silo": value == silo,
                        "chain": value == silo,
                        "status": "done",
                        "validation": accuracy,
                        "test": accuracy,
                        "weights_remaining": 100 * 0.8**cycle,
                    }
                )
    return pd.DataFrame(rows).reindex(columns=list(CELL_COLUMNS)).astype(CELL_COLUMNS)


@cache  # several tests ask about one
def decided(peaks, noise, epsilon=0.08, times=18):
    """How often each claim is decided how."""
    asked = experiment(epsilon=epsilon)
    random = np.random.default_rng(0)
    found = {"1": [], "3": [], "R": []}
    for _ in range(times):
        for verdict in judge(comparison_table(simulate(random, peaks, noise, asked), asked, DATA), asked):
            found.setdefault(verdict.claim[0], []).append(verdict.judgement)
    return {
        claim: {v: of.count(v) / times for v in ("confirmed", "refuted", "undecided")} for claim, of in found.items()
    }


STILL = (0.08,) * CYCLES
RISING = tuple(0.02 * 1.6**cycle for cycle in range(CYCLES))


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.6, 2.0])
def test_where_the_truth_stands_still_noise_shows_no_change(noise):
    found = decided(STILL, noise)
    assert found["1"]["confirmed"] + found["1"]["refuted"] <= 0.05
    assert found["R"]["confirmed"] <= 0.05


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.6, 2.0])
def test_silo_at_the_peak_is_not_refuted_by_noise(noise):
    assert decided(STILL, noise)["3"]["refuted"] <= 0.05


def test_a_clear_truth_is_found():
    rising = decided(RISING, 0.1)
    assert rising["1"]["confirmed"] == rising["R"]["confirmed"] == 1
    assert decided(RISING[::-1], 0.1)["1"]["refuted"] == 1
    still = decided(STILL, 0.1)
    assert still["3"]["confirmed"] >= 0.95
    assert still["R"]["refuted"] >= 0.95
    assert decided(STILL, 0.1, epsilon=0.015)["3"]["refuted"] == 1


def test_what_the_seeds_cannot_resolve_is_undecided_and_says_what_would():
    found = decided(RISING, 2.0)
    assert all(of["undecided"] == 1 for claim, of in found.items())
    asked = experiment()
    cells = simulate(np.random.default_rng(0), RISING, 2.0, asked)
    for verdict in judge(comparison_table(cells, asked, DATA), asked)[::2]:
        assert "Too noisy" in verdict.evidence
        assert "seeds would tell" in verdict.evidence


def test_one_seed_tells_no_noise():
    asked = experiment(seeds=1)
    cells = simulate(np.random.default_rng(0), RISING, 0.1, asked)
    judged = judge(comparison_table(cells, asked, DATA), asked)
    assert {verdict.judgement for verdict in judged} == {"undecided"}
    assert "at least two seeds" in judged[0].evidence


def test_the_standard_error_is_that_of_a_difference_of_means():
    asked = experiment(seeds=20)
    cells = simulate(np.random.default_rng(0), STILL, 0.5, asked)
    truth = math.sqrt(2 * 0.5**2 / 20)
    candidates = [accuracies(one, "validation") for _, one in cells[cells.candidate].groupby("cycle")]
    assert standard_error(candidates, within=10) == pytest.approx(truth, rel=0.05)
    assert resolvable(truth) == pytest.approx(1.645 * truth, rel=1e-3)


def test_noise_about_chance_is_a_collapsed_network():
    """Few images, a best of many values: 5 points above chance are soon reached by luck."""
    asked, random = experiment(), np.random.default_rng(0)
    cells = simulate(random, STILL, 0.0, asked)
    images = 36
    cells["validation"] = 100 * random.binomial(images, 1 / 3, len(cells)) / images
    found = comparison_table(cells, asked, made_data(chance=100 / 3, validation_images=images))
    assert set(found.why) == {"collapsed"}
