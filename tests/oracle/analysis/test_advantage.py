"""Claim 2 on synthetic winners and losers, and how often its rule errs on simulated chains with a known truth."""

import numpy as np
import pandas as pd
import pytest
from experiments import UNTRAINED, experiment
from made import made_data

from oracle.analysis.claims.advantage import best_baseline, difference, judge_advantage
from oracle.analysis.policies import SILO

DATA = made_data()
CYCLES = 6


def study(seeds=3, silo_search=12, baselines=None, cycles=CYCLES, **search):
    """The search of a baseline takes 4 values x seeds trainings."""
    return experiment(
        UNTRAINED
        | {
            "prune.cycles": cycles,
            "silo.search_trainings": silo_search,
            "oracle": {"grid": [0.1, 0.2, 0.3, 0.4], "seeds": seeds},
            "policies": {"search": search, "baselines": {"cosine": {}, "keep": {}} if baselines is None else baselines},
        }
    )


def scores(spec, test, validation=None, noise=0.0, random=None):
    """test, validation: policy -> accuracy, one number or one a cycle; noise: standard deviation, of every cell anew."""
    rows = []
    for policy, level in test.items():
        for seed in spec.oracle.seeds:
            for cycle in range(spec.prune.cycles):
                at = level[cycle] if isinstance(level, list) else level
                measured = at + (random.normal(0, noise) if noise else 0.0)
                chosen = (validation or test)[policy]
                rows.append((policy, seed, cycle, measured, chosen[cycle] if isinstance(chosen, list) else chosen))
    frame = pd.DataFrame(rows, columns=["policy", "seed", "cycle", "test", "validation"])
    return frame.assign(final_test=frame.test, max_lr=0.1, diverged=False)


def judged(spec, test, **other):
    return judge_advantage(scores(spec, test, **other), spec, DATA)


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ({SILO: 93.0, "cosine": 90.0, "keep": 80.0}, "confirmed"),
        ({SILO: 92.0, "cosine": 90.0, "keep": 80.0}, "confirmed"),  # 2 points are enough
        ({SILO: 91.99, "cosine": 90.0, "keep": 80.0}, "refuted"),
        ({SILO: 90.0, "cosine": 90.0, "keep": 80.0}, "refuted"),
        ({SILO: 80.0, "cosine": 90.0, "keep": 80.0}, "refuted"),
        # only in one cycle: neither the typical one nor none
        ({SILO: [90, 90, 90, 90, 90, 93], "cosine": 90.0, "keep": 80.0}, "undecided"),
        # in most cycles, and lost in one: the typical one
        ({SILO: [90, 93, 93, 93, 93, 60], "cosine": 90.0, "keep": 80.0}, "confirmed"),
        # cycle 0 is no pruned cycle
        ({SILO: [99, 90, 90, 90, 90, 90], "cosine": 90.0, "keep": 80.0}, "refuted"),
    ],
)
def test_without_noise_the_differences_decide(test, verdict):
    assert judged(study(), test).judgement == verdict


def test_the_rival_is_the_best_on_validation_not_on_test():
    test = {SILO: 92.5, "cosine": 90.0, "keep": 95.0}
    validation = {SILO: 92.5, "cosine": 91.0, "keep": 90.0}
    result = judged(study(), test, validation=validation)
    assert (result.judgement, "SILO less cosine, the best of 2" in result.evidence) == ("confirmed", True)
    assert best_baseline(scores(study(), test), "test") == "keep"


def test_a_study_that_chooses_on_test_chooses_its_rival_on_test():
    spec = study()
    spec = spec.model_copy(update={"train": spec.train.model_copy(update={"choose": "test-best"})})
    test = {SILO: 92.5, "cosine": 90.0, "keep": 95.0}
    result = judge_advantage(scores(spec, test, {SILO: 92.5, "cosine": 91.0, "keep": 90.0}), spec, DATA)
    assert result.judgement == "refuted"
    assert "keep, the best of 2 baselines on test" in result.evidence


WINS, LOSES = {SILO: 93.0, "cosine": 90.0}, {SILO: 90.0, "cosine": 90.0}


@pytest.mark.parametrize(
    ("test", "of_silo", "baseline", "verdict"),
    [
        # a searched baseline takes 4 x 3 trainings
        (WINS, 12, {}, "confirmed"),
        (WINS, 11, {}, "confirmed"),
        (WINS, 13, {}, "undecided"),
        (WINS, None, {}, "undecided"),
        (LOSES, 12, {}, "refuted"),
        (LOSES, 13, {}, "refuted"),
        (LOSES, 11, {}, "undecided"),
        (LOSES, None, {}, "refuted"),
        # a max_lr that was given, by so many trainings elsewhere
        (WINS, 12, {"max_lr": 0.1, "search_trainings": 12}, "confirmed"),
        (WINS, 12, {"max_lr": 0.1, "search_trainings": 2}, "undecided"),
        (WINS, 12, {"max_lr": 0.1}, "undecided"),
        (LOSES, 12, {"max_lr": 0.1}, "undecided"),
        (LOSES, 12, {"max_lr": 0.1, "search_trainings": 13}, "undecided"),
    ],
)
def test_who_searched_more_does_not_win_by_it(test, of_silo, baseline, verdict):
    result = judged(study(silo_search=of_silo, baselines={"cosine": baseline}), test)
    assert result.judgement == verdict
    assert f"SILO {'not stated' if of_silo is None else of_silo}" in result.evidence


def test_a_search_over_trajectories_counts_every_cycle():
    spec = study(silo_search=13, baselines={"cosine": {}}, over="trajectory")
    assert spec.search_trainings("cosine") == 4 * 3 * CYCLES
    assert judged(spec, WINS).judgement == "confirmed"


@pytest.mark.parametrize(
    ("spec", "test", "why"),
    [
        (study(baselines={}), {SILO: 93.0}, "No other schedule"),
        (study(), {SILO: 93.0, "cosine": 90.0}, "not all chains are complete: keep"),
        (study(seeds=1), {SILO: 93.0, "cosine": 90.0, "keep": 80.0}, "One seed"),
        (study(), {SILO: [93, 93, 93, 12, 12, 12], "cosine": [90, 90, 90, 12, 12, 12], "keep": 10.0}, "2 of 5"),
    ],
)
def test_what_cannot_be_judged_is_undecided_and_says_why(spec, test, why):
    result = judged(spec, test)
    assert result.judgement == "undecided"
    assert why.lower() in result.evidence.lower()


def test_a_rival_that_leaves_no_room_cannot_refute():
    """Where the best baseline is at 98.5% nobody can be 2 points better: such cycles don't count."""
    easy = {SILO: 98.0, "cosine": 98.5, "keep": 80.0}
    result = judged(study(), easy)
    assert (result.judgement, "cosine, the best baseline, is within 2 points of 100% in 5 of 5" in result.evidence) == (
        "undecided",
        True,
    )
    some = {SILO: [98, 98, 98, 90, 90, 90], "cosine": [98.5, 98.5, 98.5, 90, 90, 90], "keep": 80.0}
    result = judged(study(), some)
    assert (result.judgement, "of 3 judged cycles" in result.evidence) == ("refuted", True)
    assert judged(study(), {SILO: 100.0, "cosine": 98.0, "keep": 80.0}).judgement == "confirmed"  # just room enough


def test_parameters_chosen_on_the_same_seeds_are_in_sample():
    spec = study()
    spec = spec.model_copy(update={"silo": spec.silo.model_copy(update={"chosen_on_seeds": (2, 7)})})
    test = {SILO: 90.0, "cosine": 90.0, "keep": 80.0}
    assert "In-sample" in judged(spec, test).evidence
    assert "In-sample" not in judged(study(), test).evidence


def test_every_baseline_is_told_and_which_restart_otherwise():
    spec = study(baselines={"keep": {"restart": "keep"}, "cosine": {}, "constant": {"shape": "cosine"}})
    test = {SILO: 90.0, "keep": 95.0, "cosine": 88.0, "constant": 87.0}
    result = judged(spec, test)
    assert (result.judgement, "SILO less keep" in result.evidence) == ("refuted", True)
    assert "SILO less the others: cosine +2.00 (+2.00 to +2.00), constant +3.00 (+3.00 to +3.00)." in result.evidence
    assert "Restarting otherwise than SILO: keep." in result.evidence
    assert "Restarting" not in judged(study(), {SILO: 90.0, "cosine": 88.0, "keep": 87.0}).evidence


def test_a_rival_that_collapsed_where_silo_did_not_counts():
    test = {SILO: [93, 93, 93, 93, 93, 93], "cosine": [93, 93, 93, 10, 10, 10], "keep": 20.0}
    assert judged(study(), test).judgement == "confirmed"


def test_the_difference_is_paired_by_seed():
    """A seed that is easy for both says nothing: by hand, with two cycles of three seeds."""
    frame = pd.DataFrame(
        [
            (policy, seed, cycle, value)
            for policy, table in {
                SILO: [[81, 83], [91, 92], [72, 74]],
                "cosine": [[80, 81], [90, 89], [70, 71]],
            }.items()
            for seed, of_seed in enumerate(table)
            for cycle, value in enumerate(of_seed, 1)
        ],
        columns=["policy", "seed", "cycle", "test"],
    )
    result = difference(frame, "cosine")
    # differences 1 2, 1 3, 2 3; medians 1.5, 2, 2.5: mean 2, standard deviation 0.5; t(95%, 2) = 2.919986
    assert result.typical == pytest.approx(2.0)
    assert result.low == pytest.approx(2 - 2.919986 * 0.5 / 3**0.5, abs=1e-5)
    assert result.high == pytest.approx(2 + 2.919986 * 0.5 / 3**0.5, abs=1e-5)
    assert list(result.by_cycle) == pytest.approx([4 / 3, 8 / 3])
    # residuals squared: 6/9 + 6/9, over (3 - 1) x 2; t(97.5%, 4) = 2.776445
    assert list(result.upper - result.by_cycle) == pytest.approx([2.776445 * (12 / 9 / 4 / 3) ** 0.5] * 2, abs=1e-5)


@pytest.mark.parametrize(("gain", "wrong"), [(1.9, "confirmed"), (2.1, "refuted")])
@pytest.mark.parametrize("seeds", [2, 4])
@pytest.mark.parametrize("shared", [0.0, 1.5], ids=["cycles independent", "a seed's cycles alike"])
def test_on_noise_the_wrong_verdict_is_rare(gain, wrong, seeds, shared):
    """The truth lies close to 2 points on either side: at most about 5 of 100 studies may err."""
    random = np.random.default_rng(7)
    spec = study(seeds=seeds, silo_search=4 * seeds, baselines={"cosine": {}}, cycles=9)
    wrongly = 0
    for _ in range(150):
        frame = scores(spec, {SILO: 80.0 + gain, "cosine": 80.0}, noise=1.0, random=random)
        extra = {seed: random.normal(0, shared) for seed in spec.oracle.seeds}
        frame.loc[frame.policy == SILO, "test"] += frame.seed.map(extra)
        wrongly += judge_advantage(frame, spec, DATA).judgement == wrong
    assert wrongly <= 15


@pytest.mark.parametrize(("gain", "right"), [(4.0, "confirmed"), (0.0, "refuted")])
def test_with_enough_seeds_a_clear_truth_is_found(gain, right):
    random = np.random.default_rng(8)
    spec = study(seeds=4, silo_search=16, baselines={"cosine": {}}, cycles=9)
    result = [judged(spec, {SILO: 80.0 + gain, "cosine": 80.0}, noise=0.4, random=random).judgement for _ in range(50)]
    assert result.count(right) >= 45
