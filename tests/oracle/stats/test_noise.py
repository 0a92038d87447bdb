"""Simulated studies with a known truth: noise alone must decide nothing, and a clear truth must be found."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from experiments import UNTRAINED, experiment
from made import made_data

from oracle.analysis.cells import CELL_COLUMNS, accuracies
from oracle.analysis.claims.judge import judge
from oracle.analysis.comparison import comparison_table
from oracle.stats.noise import resolvable, standard_error

GRID = [round(0.01 * 2**i, 4) for i in range(8)]
CYCLES, SEEDS = 8, 3
DATA = made_data()


def study(seeds=SEEDS, epsilon=0.08):
    silo = {"silo.epsilon": epsilon, "silo.delta": 0.0}
    return experiment(UNTRAINED | silo | {"prune.cycles": CYCLES, "oracle.grid": GRID, "oracle.seeds": seeds})


def simulate(random, peaks, noise, spec):
    """Accuracies that fall from 90 by 1 point for each square of a doubling away from the cycle's peak."""
    rows = []
    for cycle, peak in enumerate(peaks):
        silo = spec.schedule.max_lr(cycle)
        for seed in spec.oracle.seeds:
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


@cache  # several tests look at one
def decided(peaks, noise, epsilon=0.08, times=18):
    """How often each claim is decided how."""
    spec = study(epsilon=epsilon)
    random = np.random.default_rng(0)
    judgements = {"1": [], "3": [], "R": []}
    for _ in range(times):
        for verdict in judge(comparison_table(simulate(random, peaks, noise, spec), spec, DATA), spec):
            judgements.setdefault(verdict.claim[0], []).append(verdict.judgement)
    return {
        claim: {v: given.count(v) / times for v in ("confirmed", "refuted", "undecided")}
        for claim, given in judgements.items()
    }


STILL = (0.08,) * CYCLES
RISING = tuple(0.02 * 1.6**cycle for cycle in range(CYCLES))


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.6, 2.0])
def test_where_the_truth_stands_still_noise_shows_no_change(noise):
    shares = decided(STILL, noise)
    assert shares["1"]["confirmed"] + shares["1"]["refuted"] <= 0.05
    assert shares["R"]["confirmed"] <= 0.05


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
    assert all(shares["undecided"] == 1 for shares in decided(RISING, 2.0).values())
    spec = study()
    cells = simulate(np.random.default_rng(0), RISING, 2.0, spec)
    for verdict in judge(comparison_table(cells, spec, DATA), spec)[::2]:
        assert "Too noisy" in verdict.evidence
        assert "seeds would tell" in verdict.evidence


def test_one_seed_tells_no_noise():
    spec = study(seeds=1)
    cells = simulate(np.random.default_rng(0), RISING, 0.1, spec)
    judged = judge(comparison_table(cells, spec, DATA), spec)
    assert {verdict.judgement for verdict in judged} == {"undecided"}
    assert "at least two seeds" in judged[0].evidence


def test_the_standard_error_is_that_of_a_difference_of_means():
    spec = study(seeds=20)
    cells = simulate(np.random.default_rng(0), STILL, 0.5, spec)
    truth = math.sqrt(2 * 0.5**2 / 20)
    candidates = [accuracies(one, "validation") for _, one in cells[cells.candidate].groupby("cycle")]
    assert standard_error(candidates, within=10) == pytest.approx(truth, rel=0.05)
    assert resolvable(truth) == pytest.approx(1.645 * truth, rel=1e-3)


def test_noise_about_chance_is_a_collapsed_network():
    """Few images, a best of many values: 5 points above chance are soon reached by luck."""
    spec, random = study(), np.random.default_rng(0)
    cells = simulate(random, STILL, 0.0, spec)
    images = 36
    cells["validation"] = 100 * random.binomial(images, 1 / 3, len(cells)) / images
    comparison = comparison_table(cells, spec, made_data(chance=100 / 3, validation_images=images))
    assert set(comparison.why) == {"collapsed"}
