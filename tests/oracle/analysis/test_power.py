"""The power of an experiment before it is run: what any such number must obey."""

import json
import math
import shutil
from functools import cache

import numpy as np
import pytest
from experiments import experiment
from made import made_data

from oracle.analysis.power import CLAIMS, Pilot, powers, right_judgements, scenarios
from oracle.error import InputError
from oracle.stats.judgement import Judgement

RIGHT, STILL, OFF = range(3)  # the scenarios
CONFIRMED, REFUTED, UNDECIDED = Judgement.CONFIRMED, Judgement.REFUTED, Judgement.UNDECIDED
STUDY = {
    "prune.cycles": 8,
    "silo.epsilon": 0.1,
    "silo.delta": 0.1333,
    "oracle.grid": {"low": 0.02, "high": 2.0, "points": 9},
    "oracle.seeds": 4,
    "oracle.tolerance": 0.5,
}
APART = {"training_images": 10**9}  # seeds that share next to no images


def planned(changes=None, images=None, noise=0.4, curvature=0.3, **numbers):
    one, data = experiment(STUDY | (changes or {})), made_data(**(images or {}))
    return powers(one, data, Pilot.stated(noise, curvature), **({"studies": 20, "search_studies": 0} | numbers))


@cache
def with_seeds(seeds):
    return planned({"oracle.seeds": seeds}, APART)


def test_every_study_is_judged_once():
    for one in with_seeds(2):
        for shares in one.shares.values():
            assert sum(shares.values()) == pytest.approx(1)
            assert set(shares) == set(Judgement)


def test_more_seeds_confirm_growth_more_often():
    few, many = (with_seeds(seeds)[RIGHT].shares["claim 1"][CONFIRMED] for seeds in (2, 16))
    assert many > few + 0.2


def test_growth_is_hardly_confirmed_where_nothing_moves():
    still = planned(images=APART, studies=40)[STILL]
    assert still.shares["claim 1"][CONFIRMED] <= 0.1


def test_without_noise_the_right_verdict_is_sure():
    for one in planned(images=APART, noise=0.01, studies=5):
        assert {claim: shares[one.scenario.right[claim]] for claim, shares in one.shares.items()} == dict.fromkeys(
            CLAIMS, 1
        )


def test_the_same_numbers_come_out_again():
    numbers = {"studies": 5, "search_studies": 3}
    first, second = ([(one.shares, one.seeds) for one in planned(**numbers)] for _ in range(2))
    assert first == second


def test_one_seed_decides_nothing_and_more_do():
    (right, *_) = planned({"oracle.seeds": 1}, APART, studies=5, noise=0.05, search_studies=5)
    assert all(shares[UNDECIDED] == 1 for shares in right.shares.values())
    assert all(2 <= seeds <= 32 for seeds in right.seeds.values())


def test_the_seeds_that_are_needed_are_more_and_enough():
    right = planned(images=APART, noise=0.5, studies=15, search_studies=15)[RIGHT]
    seeds = right.seeds["claim 1"]
    assert seeds in (8, 16, 32)
    enough = planned({"oracle.seeds": int(seeds)}, APART, noise=0.5, studies=15)[RIGHT]
    assert enough.shares["claim 1"][CONFIRMED] >= 0.8


def test_where_seeds_share_images_no_number_may_do():
    def needed(images):
        return planned(images=images, noise=3, studies=5, search_studies=6)[RIGHT].seeds["claim 1"]

    assert needed({"training_images": 500}) == math.inf
    assert needed(APART) != math.inf


def test_a_loss_at_the_tolerance_is_nothing_that_images_are_to_blame_for():
    at = 0.5 / math.log2(3) ** 2 * 1.001
    off = planned({"silo.delta": 0.0}, curvature=at, studies=5, search_studies=5)[OFF]
    assert off.seeds["claim 3"] is None


def test_the_truths_are_where_they_are_said_to_be():
    one = experiment(STUDY)
    right, still, off = scenarios(one, made_data(), Pilot.stated(1.0, 0.3))
    silo = [one.schedule.max_lr(cycle) for cycle in range(8)]
    np.testing.assert_allclose(right.truth.optimum, silo)
    np.testing.assert_allclose(still.truth.optimum, 0.1)
    np.testing.assert_allclose(off.truth.optimum, np.multiply(3, silo))
    assert (right.beyond, still.beyond, off.beyond) == (0, 0, 0)
    assert right.truth.overlap_chosen == 1


def test_off_goes_to_the_side_that_the_grid_covers():
    low = scenarios(experiment(STUDY | {"oracle.grid.high": 0.3}), made_data(), Pilot.stated(1.0, 0.3))[OFF]
    np.testing.assert_allclose(low.truth.optimum[0], 0.1 / 3)
    assert low.beyond == 0


def test_a_grid_that_does_not_cover_is_counted():
    narrow = experiment(STUDY | {"oracle.grid": [0.08, 0.1, 0.12]})
    found = scenarios(narrow, made_data(), Pilot.stated(1.0, 0.3))
    silo = np.array([narrow.schedule.max_lr(cycle) for cycle in range(8)])
    assert [one.beyond for one in found] == [(silo > 0.12).sum(), 0, 8]


def test_what_is_right_follows_from_the_truth():
    right, still, off = (one.scenario.right for one in planned(studies=1))
    assert right == {"claim 1": CONFIRMED, "claim 3": CONFIRMED, "rival": REFUTED}
    assert still["claim 1"] == REFUTED
    assert (off["claim 1"], off["claim 3"]) == (CONFIRMED, REFUTED)  # 0.3 x log2(3)^2 is more than 0.5
    steep = scenarios(experiment(STUDY), made_data(), Pilot.stated(1.0, 5.0))[RIGHT]
    assert right_judgements(steep.truth)["rival"] == CONFIRMED


def test_in_sample_parameters_are_never_confirmed():
    changes = {"silo.chosen_on_seeds": [0]}
    right = planned(changes, APART, noise=0.01, studies=3)[RIGHT]
    assert right.shares["claim 3"] == {CONFIRMED: 0, REFUTED: 0, UNDECIDED: 1}


def test_too_few_cycles_are_refused():
    with pytest.raises(ValueError, match="at least 3 cycles, got 2"):
        planned({"prune.cycles": 2})


def test_a_pilots_noise_is_taken_by_density():
    pilot = Pilot(np.array([1.0, 0.64, 0.25]), np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 3.0]), 0.1, 0.2)
    chosen, tested = pilot.noise_at(np.array([1.0, 0.8, 0.64, 0.4, 0.1]))
    np.testing.assert_allclose(chosen, [1, 1.5, 2, 3, 4])
    np.testing.assert_allclose(tested, [1, 1, 1, 2, 3])


def test_a_published_run_is_a_pilot(request):
    pilot = Pilot.of(request.config.rootpath / "results/digits-mlp")
    assert len(pilot.density) == len(pilot.noise_chosen) == len(pilot.noise_tested) == 18
    assert 0.3 < pilot.noise_chosen.min() < pilot.noise_tested.max() < 1
    assert 0.05 < pilot.left < pilot.right < 1


def test_one_seed_is_no_pilot(request, tmp_path):
    folder = shutil.copytree(request.config.rootpath / "results/digits-mlp", tmp_path / "one-seed")
    held = json.loads((folder / "experiment.json").read_text())
    held["experiment"]["oracle"]["seeds"] = [0]
    (folder / "experiment.json").write_text(json.dumps(held))
    with pytest.raises(InputError, match=r"--pilot must be a run of at least two seeds.*one-seed: .*"):
        Pilot.of(folder)


def test_a_search_that_gave_some_values_more_seeds_is_no_pilot(request):
    with pytest.raises(InputError, match=r"--pilot must be a run of at least two seeds.*digits-mlp-adaptive"):
        Pilot.of(request.config.rootpath / "results/digits-mlp-adaptive")
