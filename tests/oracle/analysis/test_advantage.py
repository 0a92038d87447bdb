"""Claim 2 on synthetic winners and losers, and how often its rule errs on simulated chains with a known truth."""

import numpy as np
import pandas as pd
import pytest
from experiments import UNTRAINED, experiment
from made import made_data

from oracle.analysis.claims.advantage import advantage_verdict
from oracle.analysis.policies import SILO
from oracle.stats.advantage import Chains, advantage, best_of_others

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
    return frame.assign(final_test=frame.test, max_lr=0.2, diverged=False)


def judged(spec, test, **other):
    return advantage_verdict(scores(spec, test, **other), spec, DATA)


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ({SILO: 93.0, "cosine": 90.0, "keep": 80.0}, "confirmed"),
        ({SILO: 92.0, "cosine": 90.0, "keep": 80.0}, "confirmed"),  # 2 points are enough
        ({SILO: 91.99, "cosine": 90.0, "keep": 80.0}, "refuted"),
        ({SILO: 90.0, "cosine": 90.0, "keep": 80.0}, "refuted"),
        ({SILO: 80.0, "cosine": 90.0, "keep": 80.0}, "refuted"),
        # only in one cycle: neither in the mean nor in none
        ({SILO: [90, 90, 90, 90, 90, 93], "cosine": 90.0, "keep": 80.0}, "undecided"),
        # in most cycles, and lost in one: not in the mean, yet in some cycle
        ({SILO: [90, 93, 93, 93, 93, 60], "cosine": 90.0, "keep": 80.0}, "undecided"),
        ({SILO: [90, 95, 95, 95, 95, 80], "cosine": 90.0, "keep": 80.0}, "confirmed"),  # 2 points in the mean
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
    assert result.judgement == "confirmed"
    assert "SILO less the best of 2 baselines (by all seeds cosine): +2.50 points (+2.50 to +2.50)" in result.evidence


def test_a_study_that_chooses_on_test_chooses_its_rival_on_test():
    spec = study()
    spec = spec.model_copy(update={"train": spec.train.model_copy(update={"choose": "test-best"})})
    test = {SILO: 92.5, "cosine": 90.0, "keep": 95.0}
    result = advantage_verdict(scores(spec, test, {SILO: 92.5, "cosine": 91.0, "keep": 90.0}), spec, DATA)
    assert result.judgement == "refuted"
    assert "the best of 2 baselines (by all seeds keep): -2.50 points" in result.evidence


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
    """Where the best baseline is at 98.5% nobody can be 2 points better."""
    result = judged(study(), {SILO: 98.0, "cosine": 98.5, "keep": 80.0})
    assert result.judgement == "undecided"
    assert "cosine, the best baseline, reaches 98.50% on validation in the mean: too little room" in result.evidence
    # it is told by what is chosen on, not by what is measured
    hidden = judged(
        study(), {SILO: 97.0, "cosine": 99.0, "keep": 80.0}, validation={SILO: 97.0, "cosine": 97.9, "keep": 80.0}
    )
    assert hidden.judgement == "refuted"
    assert judged(study(), {SILO: 100.0, "cosine": 98.0, "keep": 80.0}).judgement == "confirmed"  # just room enough


def test_the_best_baseline_is_chosen_without_the_seed_that_is_measured():
    """Each of two is the luckier in the seed that the other isn't: what one chooses by in a seed isn't measured there."""
    lucky = {"a": np.array([[95.0, 90.0]]), "b": np.array([[90.0, 94.0]])}
    best, tested = best_of_others({name: Chains(table, table) for name, table in lucky.items()})
    assert best == "a"  # by the mean of all seeds
    assert tested.tolist() == [[90.0, 90.0]]


@pytest.mark.parametrize(("max_lr", "end"), [(0.1, "lowest"), (0.4, "highest"), (0.2, "")])
def test_a_search_that_ended_at_an_end_of_the_grid_says_so_and_confirms_nothing(max_lr, end):
    spec = study(baselines={"cosine": {}})
    result = advantage_verdict(scores(spec, WINS).assign(max_lr=max_lr), spec, DATA)
    assert result.judgement == ("undecided" if end else "confirmed")
    text = f"it chose {max_lr}, the {end} value tried"
    assert (text in result.evidence) == (any(text in detail for detail in result.details)) == bool(end)
    # where SILO loses to it all the same, nothing stands in the way
    assert advantage_verdict(scores(spec, LOSES).assign(max_lr=max_lr), spec, DATA).judgement == "refuted"


def test_seeds_that_share_their_test_images_are_less_sure():
    random = np.random.default_rng(3)
    silo, other = 90 + random.normal(size=(2, 5, 4))
    alone, shared = (advantage(silo, other, overlap, 0.05) for overlap in (0.0, 1 / 3))
    assert shared.gain.error / alone.gain.error == pytest.approx(((1 / 4 + 1 / 3) / (1 / 4)) ** 0.5)
    reaches = [one.upper - one.by_cycle for one in (alone, shared)]
    assert reaches[1] / reaches[0] == pytest.approx(((1 / 4 + 1 / 3) / (1 / 4)) ** 0.5)


def test_parameters_chosen_on_the_same_seeds_are_in_sample():
    spec = study()
    spec = spec.model_copy(update={"silo": spec.silo.model_copy(update={"chosen_on_seeds": (2, 7)})})
    test = {SILO: 90.0, "cosine": 90.0, "keep": 80.0}
    assert any("In-sample" in detail for detail in judged(spec, test).details)
    assert not any("In-sample" in detail for detail in judged(study(), test).details)


def test_every_baseline_is_told_and_which_restart_otherwise():
    spec = study(baselines={"keep": {"restart": "keep"}, "cosine": {}, "constant": {"shape": "cosine"}})
    test = {SILO: 90.0, "keep": 95.0, "cosine": 88.0, "constant": 87.0}
    result = judged(spec, test)
    assert (result.judgement, "of 3 baselines (by all seeds keep): -5.00" in result.evidence) == ("refuted", True)
    each, restarts, *_ = result.details
    assert each == (
        "SILO less each: keep -5.00 points (-5.00 to -5.00), cosine +2.00 points (+2.00 to +2.00), "
        "constant +3.00 points (+3.00 to +3.00)."
    )
    assert restarts == (
        "Restarting otherwise than SILO: keep; less the best of those that restart as SILO does (cosine): "
        "+2.00 points (+2.00 to +2.00)."
    )
    plain = judged(study(), {SILO: 90.0, "cosine": 88.0, "keep": 87.0})
    assert not any("Restarting" in detail for detail in plain.details)


def test_a_rival_that_collapsed_where_silo_did_not_counts():
    test = {SILO: [93, 93, 93, 93, 93, 93], "cosine": [93, 93, 93, 10, 10, 10], "keep": 20.0}
    assert judged(study(), test).judgement == "confirmed"


def test_the_difference_is_paired_by_seed():
    """A seed that is easy for both says nothing: by hand, with two cycles of three seeds."""
    silo, cosine = (
        np.array(table, float).T for table in ([[81, 83], [91, 92], [72, 74]], [[80, 81], [90, 89], [70, 71]])
    )
    found = advantage(silo, cosine, 0.0, 0.05)
    # differences 1 2, 1 3, 2 3; means 1.5, 2, 2.5: mean 2, standard deviation 0.5; t(95%, 2) = 2.919986
    assert found.gain.value == pytest.approx(2.0)
    assert found.gain.lower(0.05) == pytest.approx(2 - 2.919986 * 0.5 / 3**0.5, abs=1e-5)
    assert found.gain.upper(0.05) == pytest.approx(2 + 2.919986 * 0.5 / 3**0.5, abs=1e-5)
    assert list(found.by_cycle) == pytest.approx([4 / 3, 8 / 3])
    # residuals squared: 6/9 + 6/9, over (3 - 1) x 2; t(97.5%, 4) = 2.776445
    assert list(found.upper - found.by_cycle) == pytest.approx([2.776445 * (12 / 9 / 4 / 3) ** 0.5] * 2, abs=1e-5)


@pytest.mark.parametrize(("gain", "wrong"), [(1.9, "confirmed"), (2.1, "refuted")])
@pytest.mark.parametrize("seeds", [2, 4])
@pytest.mark.parametrize("shared", [0.0, 1.5], ids=["cycles independent", "a seed's cycles alike"])
def test_on_noise_the_wrong_verdict_is_rare(gain, wrong, seeds, shared):
    """The truth lies close to 2 points on either side: at most about 5 of 100 studies may err."""
    random, wrongly = np.random.default_rng(7), 0
    for _ in range(1000):
        silo, other = 80.0 + random.normal(size=(2, 9, seeds))
        silo += gain + random.normal(0, shared, seeds)
        wrongly += advantage(silo, other, 0.0, 0.05).judgement == wrong
    assert wrongly <= 70


@pytest.mark.parametrize(("gain", "right"), [(4.0, "confirmed"), (0.0, "refuted")])
def test_with_enough_seeds_a_clear_truth_is_found(gain, right):
    random = np.random.default_rng(8)
    spec = study(seeds=4, silo_search=16, baselines={"cosine": {}}, cycles=9)
    result = [judged(spec, {SILO: 80.0 + gain, "cosine": 80.0}, noise=0.25, random=random).judgement for _ in range(50)]
    assert result.count(right) >= 45
