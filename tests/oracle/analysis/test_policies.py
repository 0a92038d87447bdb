"""What every policy reached on its own chain: paired by seed, a diverged chain worth chance, missing cells left out."""

import pandas as pd
import pytest
from synthetic import experiment

from oracle.analysis.cells import CELL_COLUMNS
from oracle.analysis.policies import policies_table, policy_scores

CHANCE = 10.0


def cells(*rows):
    """(cycle, seed, chain, policies, status, validation, test, final_test), the rest as a dense cell has it."""
    names = ["cycle", "seed", "chain", "policies", "status", "validation", "test", "final_test"]
    frame = pd.DataFrame(rows, columns=names)
    other = {"max_lr": 0.1, "candidate": False, "silo": False, "searches": "", "final_validation": 1.0, "id": "x"}
    other |= {"start": "x", "leaves": "x", "chosen_epoch": 1, "alive": 5, "prunable": 10}
    frame = frame.assign(**other, weights_remaining=100 * 0.8 ** frame.cycle.astype(float))
    return frame[list(CELL_COLUMNS)].astype(CELL_COLUMNS)


def done(cycle, seed, accuracy, policies=""):
    return (cycle, seed, not policies, policies, "done", accuracy, accuracy + 1, accuracy + 2)


def ended(cycle, seed, status, policies=""):
    return (cycle, seed, not policies, policies, status, None, None, None)


def scored(*rows, cycles=3, baselines=("cosine",)):
    spec = experiment(cycles=cycles, baselines={name: {"shape": "cosine"} for name in baselines})
    return policy_scores(cells(*rows), spec, CHANCE), spec


def test_each_chain_is_told_by_seed_and_cycle():
    rows = [done(cycle, seed, 80.0 + cycle + 10 * seed) for cycle in (0, 1) for seed in (0, 1)]
    scores, _ = scored(*rows, done(0, 0, 70.0, "cosine"))
    by_policy = {
        (row.policy, row.seed, row.cycle): (row.validation, row.test, row.final_test) for row in scores.itertuples()
    }
    assert by_policy == {
        ("SILO", 0, 0): (80, 81, 82),
        ("SILO", 0, 1): (81, 82, 83),
        ("SILO", 1, 0): (90, 91, 92),
        ("SILO", 1, 1): (91, 92, 93),
        ("cosine", 0, 0): (70, 71, 72),
    }


def test_a_cell_of_two_chains_counts_for_both():
    row = (0, 0, True, "cosine given", "done", 80.0, 81.0, 82.0)
    scores, _ = scored(row, baselines=("cosine", "given"))
    assert set(scores.policy) == {"SILO", "cosine", "given"}
    assert set(scores.test) == {81.0}


def test_a_chain_that_diverged_is_worth_chance_from_there_to_the_end():
    scores, spec = scored(done(0, 0, 80.0, "cosine"), ended(1, 0, "diverged", "cosine"), cycles=4)
    assert list(scores.cycle) == [0, 1, 2, 3]
    assert list(scores.test) == [81.0, CHANCE, CHANCE, CHANCE]
    assert list(scores.diverged) == [False, True, True, True]
    assert spec.prune.cycles == 4


def test_a_failed_training_is_missing_not_chance():
    scores, _ = scored(done(0, 0, 80.0, "cosine"), ended(1, 0, "failed", "cosine"))
    assert list(scores.cycle) == [0]


def test_nothing_recorded_is_an_empty_table():
    scores, _ = scored()
    assert scores.empty
    assert {"policy", "seed", "cycle", "test", "diverged"} <= set(scores.columns)


def comparison(cycles=3):
    frame = pd.DataFrame({"cycle": range(cycles), "seeds": 2, "weights_remaining": [100.0, 80.0, 64.0][:cycles]})
    best = ("best_max_lr", "best_validation", "best_test", "best_test_std", "best_final_test", "best_final_test_std")
    return frame.assign(**{name: float(at) for at, name in enumerate(best)})


def test_means_are_over_all_seeds_or_unknown_and_the_oracle_comes_last():
    rows = [done(0, 0, 80.0), done(0, 1, 90.0), done(1, 0, 70.0)]
    rows += [done(0, 0, 60.0, "cosine"), ended(0, 1, "diverged", "cosine")]
    scores, spec = scored(*rows)
    table = policies_table(scores, comparison(), spec).set_index(["policy", "cycle"])
    assert list(dict.fromkeys(table.index.get_level_values("policy"))) == ["SILO", "cosine", "Oracle"]
    dense = table.loc[("SILO", 0)]
    assert (dense.test, dense.final_test, dense.seeds, dense.weights_remaining) == (86.0, 87.0, 2, 100.0)
    assert dense.test_std == pytest.approx(50**0.5)
    one_seed = table.loc[("SILO", 1)]
    assert (one_seed.seeds, pd.isna(one_seed.test), pd.isna(one_seed.test_std)) == (1, True, True)
    fallen = table.loc[("cosine", 0)]
    assert (fallen.test, fallen.diverged) == ((61.0 + CHANCE) / 2, 1)
    oracle = table.loc[("Oracle", 0)]
    assert (oracle.max_lr, oracle.test, oracle.final_test_std) == (0.0, 2.0, 5.0)
