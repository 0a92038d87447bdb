"""Verdicts on whole tables of cells: each can be yes, no and "can't tell", and none names a number that isn't there."""

import math
import re

import numpy as np
import pytest
from made_cells import DATA, GRID, SILO, cells_of, found, judged, parabola, study
from published import published

from oracle.analysis.findings import losses_table, optima_table, verdicts_table
from oracle.experiment.overrides import WHOLE_GRID
from oracle.stats.held_out import HeldOut, best_constant, best_of_each_cycle


def right(spec):
    """The optimum goes as SILO's own max_lr does."""
    return parabola(spec.schedule.max_lr)


def still(cycle):
    return 0.11


@pytest.mark.parametrize(
    ("optimum", "curvature", "verdicts"),
    [
        ("silo", 1.0, ("confirmed", "confirmed", "confirmed")),  # a constant in the middle loses at least 0.6 points
        ("silo", 4.0, ("confirmed", "confirmed", "confirmed")),
        ("silo", 0.3, ("confirmed", "confirmed", "refuted")),
        (still, 1.0, ("refuted", "refuted", "refuted")),  # SILO loses up to a point
        (lambda cycle: 0.2 / 2 ** (cycle / 4), 1.0, ("refuted", "refuted", "confirmed")),
    ],
)
def test_a_known_truth_is_found(optimum, curvature, verdicts):
    spec = study()
    truth = spec.schedule.max_lr if optimum == "silo" else optimum
    cells = cells_of(spec, parabola(truth, curvature))
    assert tuple(one.judgement for one in judged(spec, cells)) == verdicts


def test_with_too_much_noise_nothing_is_decided_and_it_is_said_what_it_would_take():
    spec = study(tolerance=0.3)
    truth = parabola(lambda cycle: 0.1 * 1.04**cycle, 0.2)
    growth, position, rival = judged(spec, cells_of(spec, truth, noise=1.0))
    assert {growth.judgement, position.judgement, rival.judgement} == {"undecided"}
    assert growth.seeds > 4 and position.seeds > 4
    assert any("eight times in ten" in detail for detail in growth.details)


def test_the_numbers_are_the_truths():
    spec = study()
    growth, position, rival = judged(spec, cells_of(spec, right(spec)))
    numbers = {one.name: one for verdict in (growth, position, rival) for one in verdict.quantities}
    along = numbers["growth along SILO's curve"]
    assert along.low < 3 < along.high and along.estimate == pytest.approx(3, rel=0.1)
    assert "x3" in growth.evidence and "is not excluded" in growth.evidence
    best = numbers["loss to the best of each cycle"]
    assert best.low < best.estimate < best.high and abs(best.estimate) < 0.06
    assert numbers["gain of SILO over the best constant"].estimate > 0.1
    worst = numbers["loss of the best constant in its worst cycle"]
    assert worst.estimate == pytest.approx(math.log2(0.24 / GRID[7]) ** 2, abs=0.15)  # the nearest to the middle


def test_growth_is_told_apart_from_growth_of_silo_s_own_size():
    spec = study()
    growth, *_ = judged(spec, cells_of(spec, parabola(still)))
    assert "SILO's own growth, x3, is excluded" in growth.evidence
    assert "A growth of x1.25 or more is excluded" in growth.evidence
    falls, *_ = judged(spec, cells_of(spec, parabola(lambda cycle: 0.2 / 2 ** (cycle / 4))))
    assert falls.evidence.endswith("It falls.")


def test_a_rise_and_its_return_are_seen():
    spec = study()
    growth, *_ = judged(spec, cells_of(spec, parabola(lambda cycle: 0.06 * 2 ** (2 * math.sin(math.pi * cycle / 11)))))
    assert any("shown to come down from an earlier height" in detail for detail in growth.details)
    assert any("it matters" in detail for detail in growth.details)


def test_a_schedule_without_growth_is_judged_by_the_density():
    spec = study(silo=SILO | {"delta": 0.0})
    growth, *_ = judged(spec, cells_of(spec, parabola(lambda cycle: 0.05 * 1.12**cycle)))
    assert growth.judgement == "confirmed"
    assert "SILO doesn't change" in growth.evidence
    exponent = next(one for one in growth.quantities if one.unit == "")
    assert exponent.estimate == pytest.approx(math.log(1.12) / -math.log(1 - spec.prune.rate), rel=0.1)


@pytest.mark.parametrize(("chosen_on", "noted"), [((), False), ((5, 6), False), ((1, 2), True)])
def test_parameters_chosen_on_the_same_seeds_can_only_be_refuted(chosen_on, noted):
    spec = study(silo=SILO | {"chosen_on_seeds": list(chosen_on)})
    _, position, _ = judged(spec, cells_of(spec, right(spec)))
    assert ("In-sample" in position.evidence) == noted
    assert position.judgement == ("undecided" if noted else "confirmed")
    _, position, _ = judged(spec, cells_of(spec, parabola(lambda cycle: 0.02)))
    assert position.judgement == "refuted"


def only(**places):
    """A status for the trainings of some cycles or seeds, done for all others."""
    wanted, state = places, places.pop("state")

    def status(cycle, max_lr, seed):
        at = {"cycle": cycle, "seed": seed, "max_lr": max_lr}
        return state if all(at[key] in values for key, values in wanted.items()) else "done"

    return status


PLAIN = {
    "one seed": ({"seeds": 1}, None, "one seed can't tell it"),
    "one cycle": ({"cycles": 1}, None, "1 of 1 cycles are informative: too few"),
    "two cycles": ({"cycles": 2}, None, "2 of 2 cycles are informative: too few"),
    "all diverged": ({}, only(state="diverged"), "0 of 12 cycles are informative: too few"),
    "nothing recorded": ({}, only(state="missing"), "0 of 12 cycles are informative: too few"),
    "half diverged": ({}, only(state="diverged", max_lr=GRID[7:]), ""),
    "a seed is missing": ({}, only(state="missing", seed=[3], cycle=range(6, 12)), "Trainings are missing at cycle 6"),
    "but one seed is missing": (
        {},
        only(state="missing", seed=[1, 2, 3], cycle=range(6, 12)),
        "Fewer than two seeds have all of them",
    ),
    "half of all is missing": ({}, only(state="missing", cycle=range(6, 12)), "Trainings are missing at cycle 6"),
    "two seeds": ({"seeds": 2}, None, ""),
    "SILO diverged": ({}, only(state="diverged", max_lr=[SILO["epsilon"]]), ""),
}


@pytest.mark.parametrize("case", PLAIN)
def test_what_can_t_be_judged_says_so_plainly(case):
    fields, status, sentence = PLAIN[case]
    spec = study(**fields)
    verdicts = judged(spec, cells_of(spec, right(spec), **({"status": status} if status else {})))
    for verdict in verdicts:
        if sentence:
            assert verdict.judgement == "undecided"
            assert sentence in verdict.evidence
        for text in (verdict.evidence, *verdict.details):
            assert not re.search(r"\b(nan|inf|None)\b", text)
    findings, _ = found(spec, cells_of(spec, right(spec), **({"status": status} if status else {})))
    assert len(optima_table(findings, 0.05)) == len(losses_table(findings, 0.05))
    assert len(verdicts_table(verdicts)) >= 3


def test_collapsed_cycles_count_for_nothing():
    spec = study()
    truth = right(spec)
    collapsed = cells_of(spec, lambda cycle, max_lr, seed: truth(cycle, max_lr, seed) if cycle < 8 else 10.0)
    alone = study(cycles=8)
    # but for SILO's growth, which ends at cycle 8 there as here
    assert [one.evidence for one in judged(spec, collapsed)[1:]] == [
        one.evidence for one in judged(alone, cells_of(alone, right(alone)))[1:]
    ]


def test_a_search_that_gives_the_better_more_seeds_is_not_judged_by():
    spec = study(search="racing")
    cells = cells_of(spec, right(spec), only(state="missing", max_lr=GRID[:4], seed=[2, 3]))
    from oracle.analysis.cells import skipped_table
    from oracle.plan.steps import Skipped

    skipped = skipped_table([Skipped(cycle, value, (2, 3), "") for cycle in range(12) for value in GRID[:4]])
    for verdict in judged(spec, cells[~cells.seed.isin([9])], skipped):
        assert verdict.judgement in ("undecided", "confirmed")
    lone = cells_of(spec, right(spec), only(state="missing", max_lr=GRID[:4], seed=[1, 2, 3]))
    skipped = skipped_table([Skipped(cycle, value, (1, 2, 3), "") for cycle in range(12) for value in GRID[:4]])
    for verdict in judged(spec, lone, skipped):
        assert verdict.judgement == "undecided"
        assert verdict.remedies == (WHOLE_GRID,)


def test_of_two_ways_to_average_the_held_out_losses_are_these():
    """The published losses again, seed by seed and value by value, from the table of cells alone."""
    result = published("digits-mlp")
    cells, experiment = result.cells, result.experiment
    seeds, values = experiment.oracle.seeds, experiment.oracle.grid.values()
    own = {(row.cycle, row.max_lr, row.seed): row for row in cells[cells.candidate].itertuples()}
    silo = {(row.cycle, row.seed): row for row in cells[cells.silo].itertuples()}
    cycles = list(result.losses.cycle)

    def mean(cycle, value, left_out):  # rounded: equal means are equal, and the lowest value counts
        return round(np.mean([own[cycle, value, seed].validation for seed in seeds if seed != left_out]), 9)

    for cycle in cycles:
        losses, of_constant = [], []
        for seed in seeds:
            best = max(values, key=lambda value: mean(cycle, value, seed))
            constant = max(values, key=lambda value: round(np.mean([mean(one, value, seed) for one in cycles]), 9))
            losses.append(own[cycle, best, seed].test - silo[cycle, seed].test)
            of_constant.append(own[cycle, best, seed].test - own[cycle, constant, seed].test)
        row = result.losses.set_index("cycle").loc[cycle]
        assert row.silo == pytest.approx(np.mean(losses), abs=1e-9)
        assert row.constant == pytest.approx(np.mean(of_constant), abs=1e-9)


def test_the_tables_of_a_study_are_of_its_judged_cycles():
    result = published("digits-mlp")
    assert list(result.optima.cycle) == list(result.losses.cycle) == list(result.findings.measured.cycles)
    assert (result.optima.low <= result.optima.optimum).all() and (result.optima.optimum <= result.optima.high).all()
    held = HeldOut(result.findings.measured)
    mean, _ = held.over_silo(held.chosen(best_of_each_cycle))
    assert result.losses.silo.mean() == pytest.approx(mean.value)
    mean, _ = held.over(held.chosen(best_of_each_cycle), held.chosen(best_constant))
    assert result.losses.constant.mean() == pytest.approx(mean.value)
    assert DATA.chance == 10
