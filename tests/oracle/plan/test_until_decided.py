"""A search of all cycles together, until the verdicts are decided: which cells it trains, in whatever order they end.

The worker of tests/oracle/synthetic.py stands in for the real one.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import DATA_INFO, counts, experiment, fresh_store, ids, snapshot, sweep

from oracle.analysis.results import analyze
from oracle.experiment.search import Search
from oracle.plan.look import measured
from oracle.plan.oracle_until_decided import RoundsTrajectory
from oracle.plan.record_view import RecordView
from oracle.plan.search.rounds import first_values, values_near
from oracle.plan.steps import Pending, Request, Role, Skipped
from oracle.plan.trajectories import Trajectories
from oracle.stats.judgement import Judgement
from oracle.study.store import Store

GRID = tuple(round(0.02 * 2 ** (i / 2), 4) for i in range(11))
CYCLES, NOISE = 4, 0.05
WHOLE = CYCLES * len(GRID)  # trainings of a seed, beside SILO's own


def study(seeds=4, search="until-decided", growth=12.0, **changes):
    """SILO's max_lr grows by so much over the cycles, as half of the weights go after each."""
    spec = experiment("silo", 0.03, GRID, seeds, CYCLES, search=search, **changes)
    silo = spec.silo.model_copy(update={"delta": 0.03 * (growth - 1), "delay": 0})
    return spec.model_copy(update={"silo": silo, "prune": spec.prune.model_copy(update={"rate": 0.5})})


def gives(spec, noise=NOISE, curvature=0.35, bad=()):
    """Accuracies by a curve whose best is SILO's max_lr; ``bad``: (cycle, seed) at which SILO's own diverges."""

    def accuracy(cell):
        silo = spec.schedule.max_lr(cell.cycle)
        if cell.max_lr == silo and (cell.cycle, cell.seed) in bad:
            return None
        luck = np.random.default_rng([cell.seed, cell.cycle, round(1e6 * cell.max_lr)]).normal()
        return 90 - min(curvature * math.log2(cell.max_lr / silo) ** 2, 40) + cell.seed + noise * luck

    return accuracy


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def steps(spec, store, kind):
    return [step for step in Trajectories(spec, DATA_INFO, store).steps() if isinstance(step, kind)]


def candidates(spec, store):
    return {
        (s.cell.cycle, s.cell.max_lr, s.cell.seed) for s in steps(spec, store, Request) if Role.CANDIDATE in s.roles
    }


# -- rounds


@pytest.mark.parametrize(
    ("seeds", "rounds"),
    [(3, (2, 2, 3)), (4, (2, 2, 4)), (5, (2, 2, 4, 5)), (8, (2, 2, 4, 8)), (12, (2, 2, 4, 8, 12))],
)
def test_the_seeds_of_the_rounds(seeds, rounds):
    assert Search(kind="until-decided").rounds(seeds) == rounds
    oracle, whole = study(seeds).oracle, study(seeds, "exhaustive").oracle
    assert sum(oracle.levels) == pytest.approx(0.05) and len(oracle.levels) == len(rounds)
    assert len(set(oracle.levels[:-1])) == 1 and oracle.levels[-1] == pytest.approx(2 / 3 * 0.05)
    assert [oracle.look_level(early) for early in (True, False)] == [oracle.levels[0], oracle.levels[-1]]
    assert whole.levels == (0.05,) and whole.look_level(ended_early=False) == 0.05


@pytest.mark.parametrize(
    ("values", "first"), [(1, [0]), (2, [0, 1]), (5, [0, 2, 4]), (8, [0, 2, 4, 6, 7]), (9, [0, 2, 4, 6, 8])]
)
def test_the_first_round_has_every_second_value_and_the_ends(values, first):
    assert first_values(range(values)) == tuple(first)


def test_the_second_has_all_between_what_is_near_in_some_cycle_and_a_step_more():
    near = np.zeros((2, 10), dtype=bool)
    near[0, 2], near[1, 4] = True, True
    assert values_near(range(10), near, (0, 2, 4, 6, 8, 9)) == (0, 1, 2, 3, 4, 5, 6, 8, 9)
    assert values_near(range(10), None, (0, 9)) == tuple(range(10))
    assert values_near(range(10), np.zeros((0, 10), dtype=bool), (0, 9)) == (0, 9)


# -- what is trained


def test_at_first_every_second_value_in_two_seeds_in_each_cycle_that_silo_came_to(store):
    spec = study()
    assert candidates(spec, store) == {(0, value, seed) for value in first_values(GRID) for seed in (0, 1)}
    first = {}

    def silo_first(cell):
        first[cell.id] = cell
        if len(first) > CYCLES * 4:
            raise InterruptedError
        return gives(spec)(cell)

    with pytest.raises(InterruptedError):
        sweep(spec, store, gives=silo_first)
    # SILO's own go first; then all of the round is ready at once
    tried = candidates(spec, Store(store.folder))
    assert tried == {(m, value, seed) for m in range(CYCLES) for value in first_values(GRID) for seed in (0, 1)}


def test_a_large_effect_is_decided_early_and_what_was_skipped_is_told(store):
    spec = study()
    jobs = sweep(spec, store, gives=gives(spec))
    assert len(jobs) == CYCLES * (4 + 2 * len(first_values(GRID)))  # SILO's own, and the first round
    skipped = steps(spec, store, Skipped)
    reported = {(s.cycle, s.max_lr, seed) for s in skipped for seed in s.seeds}
    assert candidates(spec, store) | reported == {(m, v, s) for m in range(CYCLES) for v in GRID for s in range(4)}
    assert not candidates(spec, store) & reported
    assert {s.why for s in skipped} == {"decided after round 1 of 3"}


def test_what_no_training_is_likely_to_decide_is_left_undecided(store):
    spec = study(growth=1.0001)  # SILO hardly grows: its form says nothing
    sweep(spec, store, gives=gives(spec, noise=0.3))
    verdicts = analyze(snapshot(spec, store)).verdicts
    assert verdicts[0].judgement is Judgement.UNDECIDED
    assert {s.why for s in steps(spec, store, Skipped)} <= {
        f"what round {number} of 3 left undecided, more trainings are unlikely to decide" for number in (1, 2)
    }


@pytest.mark.parametrize("noise", [0.02, 0.5, 3.0])
def test_it_never_takes_more_than_the_whole_grid_and_says_so_before(store, noise):
    spec = study()
    before = counts(spec, store)
    jobs = sweep(spec, store, gives=gives(spec, noise))
    whole = study(search="exhaustive")
    assert before.at_most and before.total == counts(whole, Store(store.folder / "other")).total
    assert len(jobs) <= before.total
    rest = sweep(whole, store, gives=gives(spec, noise))
    assert not set(ids(jobs)) & set(ids(rest)) and len(jobs) + len(rest) == before.total


@settings(deadline=None, max_examples=8)
@given(data=st.data(), noise=st.sampled_from([NOISE, 0.6]), bad=st.sampled_from([(), ((1, 0),), ((0, 3),)]))
def test_whatever_order_jobs_end_in_the_same_cells_are_trained_once(data, noise, bad):
    spec = study()
    trained = []
    for workers in (1, data.draw(st.integers(2, 6))):
        with fresh_store() as store:
            pick = lambda count: data.draw(st.integers(0, count - 1))  # noqa: E731
            jobs = sweep(spec, store, pick, workers, gives=gives(spec, noise, bad=bad))
            assert counts(spec, store).count("missing", "failed") == 0
            assert not steps(spec, store, Pending)
            trained.append(ids(jobs))
    assert sorted(trained[0]) == sorted(trained[1]) and len(set(trained[0])) == len(trained[0])


@pytest.mark.parametrize("after", [1, 25, 60])
def test_an_interrupted_search_goes_on_with_what_is_missing(store, after):
    spec = study()
    whole = ids(sweep(spec, Store(store.folder.parent / "whole"), gives=gives(spec, 0.6)))
    first = []

    def until(cell):
        if len(first) == after:
            raise InterruptedError
        first.append(cell.id)
        return gives(spec, 0.6)(cell)

    with pytest.raises(InterruptedError):
        sweep(spec, store, gives=until)
    rest = ids(sweep(spec, Store(store.folder), gives=gives(spec, 0.6)))
    assert sorted(first + rest) == sorted(whole)


def test_more_seeds_lose_nothing(store):
    sweep(study(4), store, gives=gives(study()))
    more = study(6)
    before = candidates(study(4), store)
    sweep(more, Store(store.folder), gives=gives(more))
    assert before <= candidates(more, store)


@pytest.mark.parametrize("outcome", [None, "out of memory"], ids=["diverged", "failed"])
def test_where_every_candidate_is_bad_it_takes_the_whole_grid_and_ends(store, outcome):
    spec = study()
    jobs = sweep(spec, store, gives=lambda cell: outcome if cell.max_lr in GRID else gives(spec)(cell))
    assert len(jobs) == 4 * (WHOLE + CYCLES)
    assert counts(spec, store).count("missing") == 0


# -- one voice


@pytest.mark.parametrize("noise", [NOISE, 0.6])
@pytest.mark.parametrize("bad", [(), ((2, 0),), ((2, 3),)])
@pytest.mark.parametrize("silo_on_grid", [False, True])
def test_the_search_looks_at_the_very_numbers_that_the_report_judges(store, noise, bad, silo_on_grid):
    spec = study()
    if silo_on_grid:
        spec = spec.model_copy(update={"silo": spec.silo.model_copy(update={"epsilon": GRID[1]})})
    sweep(spec, store, gives=gives(spec, noise, bad=bad))
    taken = snapshot(spec, store)
    reported = analyze(taken).findings.measured
    trajectories = Trajectories(spec, DATA_INFO, store)
    search = RoundsTrajectory(RecordView(spec, store), trajectories.training, DATA_INFO)
    for _ in search.steps():
        pass
    *_, results = drained(search._results())
    looked = measured(results, spec, DATA_INFO)
    assert (looked is None) == (reported is None)
    if looked is not None:
        for name in ("cycles", "density", "values", "chosen", "tested", "silo", "silo_tested"):
            np.testing.assert_array_equal(getattr(looked, name), getattr(reported, name))
        same = ("tolerance", "chance", "overlap_chosen", "overlap_tested")
        assert [getattr(looked, name) for name in same] == [getattr(reported, name) for name in same]


def drained(generator):
    """What a generator yields, then what it returns."""
    found = []
    while True:
        try:
            found.append(next(generator))
        except StopIteration as end:
            return [*found, end.value]


def test_the_report_judges_at_the_level_of_a_look(store):
    spec = study()
    sweep(spec, store, gives=gives(spec))
    results = analyze(snapshot(spec, store))
    judged = results.findings.judged
    assert judged.growth.growth.level == pytest.approx(2 * 0.05 / 6)
    assert [verdict.judgement for verdict in (results.verdicts[0], *results.verdicts[2:])] == list(judged.judgements)
    assert Judgement.UNDECIDED not in judged.judgements
    assert results.findings.measured.seeds == 2
