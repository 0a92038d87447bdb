"""A study whose Oracle searches: which cells it trains, in whatever order they end, and what it reports of the others.

The worker of tests/oracle/synthetic.py stands in for the real one.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import (
    DATA_INFO,
    ON_GRID,
    TRAINING,
    accuracy,
    counts,
    experiment,
    fresh_store,
    ids,
    leaves,
    snapshot,
    states,
    sweep,
)

from oracle.plan.steps import Pending, Request, Role, Skipped
from oracle.plan.trajectories import Trajectories
from oracle.study.cell import DENSE, Cell
from oracle.study.store import Store

GRID = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.6, 0.8)
STUDIES = [(search, follow) for search in ("adaptive", "racing") for follow in ("silo", "oracle")]


def study(search, follow="silo", silo=0.33, **changes):
    return experiment(follow, silo, GRID, search=search, **{"seeds": 3, **changes})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def steps(spec, store, kind):
    return [step for step in Trajectories(spec, DATA_INFO, store).steps() if isinstance(step, kind)]


@pytest.mark.parametrize(("search", "follow"), STUDIES)
@pytest.mark.parametrize("silo", [0.33, ON_GRID])
@settings(deadline=None, max_examples=5)  # of each of eight kinds
@given(data=st.data())
def test_whatever_order_jobs_end_in_the_same_cells_are_trained_once(search, follow, silo, data):
    spec = study(search, follow, silo)
    trained = []
    for workers in (1, data.draw(st.integers(2, 6))):
        with fresh_store() as store:
            jobs = sweep(spec, store, lambda count: data.draw(st.integers(0, count - 1)), workers)
            assert counts(spec, store).count("missing", "failed") == 0
            assert not steps(spec, store, Pending)
            trained.append(ids(jobs))
    assert sorted(trained[0]) == sorted(trained[1]) and len(set(trained[0])) == len(trained[0])


@pytest.mark.parametrize(("search", "follow"), STUDIES)
def test_every_grid_value_is_tried_or_skipped_and_told(store, search, follow):
    spec = study(search, follow)
    sweep(spec, store)
    tried = {
        (s.cell.cycle, s.cell.max_lr, s.cell.seed) for s in steps(spec, store, Request) if Role.CANDIDATE in s.roles
    }
    reported = {(s.cycle, s.max_lr, seed) for s in steps(spec, store, Skipped) for seed in s.seeds}
    assert not tried & reported
    assert tried | reported == {(m, v, s) for m in range(3) for v in GRID for s in range(3)}


def test_it_takes_a_third_of_the_trainings_at_most(store):
    spec = study("adaptive")
    jobs = sweep(spec, store)
    assert len(jobs) <= len((*GRID, 0.33)) * 3 * 3 / 3
    assert counts(spec, Store(store.folder.parent / "other")).total == len(jobs)


def test_it_finds_what_an_exhaustive_search_finds(store):
    """Which the accuracies of tests/oracle/synthetic.py have at 0.4, 0.2 and 0.4."""
    sweep(study("adaptive", "oracle"), store)
    starts = {
        s.cell.start
        for s in steps(study("adaptive", "oracle"), store, Request)
        if Role.CANDIDATE in s.roles and s.cell.cycle
    }
    winners = {seed: Cell(TRAINING, seed, 0, 0.4) for seed in range(3)}
    second = {s: Cell(TRAINING, s, 1, 0.2, leaves(cell).digest()) for s, cell in winners.items()}
    assert starts == {leaves(cell).digest() for cells in (winners, second) for cell in cells.values()}


def test_what_an_exhaustive_run_recorded_is_not_trained_again(store):
    sweep(study("exhaustive"), store)
    assert sweep(study("adaptive"), store) == sweep(study("racing"), store) == []


def test_an_exhaustive_run_goes_on_from_a_search(store):
    first = sweep(study("adaptive"), store)
    rest = sweep(study("exhaustive"), store)
    assert not set(ids(first)) & set(ids(rest))
    assert len(first) + len(rest) == (len(GRID) + 1) * 3 * 3


@pytest.mark.parametrize("outcome", [None, "out of memory"], ids=["diverged", "failed"])
@pytest.mark.parametrize(("search", "follow"), STUDIES)
def test_where_every_candidate_is_bad_the_search_ends(store, outcome, search, follow):
    spec = study(search, follow)
    sweep(spec, store, gives=lambda cell: outcome if cell.cycle == 1 and cell.max_lr in GRID else accuracy(cell))
    blocked = [(one.trajectory, one.cycle) for one in snapshot(spec, store).blocked]
    assert blocked == ([] if follow == "silo" else [("the Oracle's chain", 2)])
    assert counts(spec, store).count("missing") == 0


@pytest.mark.parametrize("search", ["adaptive", "racing"])
def test_the_search_goes_on_in_the_seeds_that_silo_came_to(store, search):
    spec = study(search)
    bad = {"max_lr": 0.33, "seed": 0, "cycle": 0}
    sweep(spec, store, gives=lambda c: None if all(getattr(c, f) == v for f, v in bad.items()) else accuracy(c))
    later = {s.cell.seed for s in steps(spec, store, Request) if s.cell.cycle > 0}
    assert later == {1, 2}
    assert {s.cell.seed for s in steps(spec, store, Request) if s.cell.cycle == 0} == {0, 1, 2}
    dense = [s.cell for s in steps(spec, store, Request) if Role.CANDIDATE in s.roles and s.cell.cycle == 0]
    assert all(cell.start == DENSE for cell in dense)


def test_losers_states_are_dropped_on_the_oracle_s_masks(store):
    spec = study("adaptive", "oracle")
    sweep(spec, store)
    winners = [Cell(TRAINING, seed, 0, 0.4).id for seed in range(3)]
    candidates = [s.cell.id for s in steps(spec, store, Request) if Role.CANDIDATE in s.roles and s.cell.cycle == 0]
    assert set(winners) <= states(store) and not (set(candidates) - set(winners)) & states(store)


@pytest.mark.parametrize(("search", "follow"), STUDIES)
@pytest.mark.parametrize("silo", [0.33, ON_GRID])
def test_the_search_tells_how_many_it_may_take_at_most(store, search, follow, silo):
    spec = study(search, follow, silo)
    before = counts(spec, store)
    jobs = sweep(spec, store)
    assert before.at_most and before.total >= len(jobs)


@pytest.mark.parametrize("over", ["dense", "trajectory"])
@pytest.mark.parametrize(("search", "follow"), STUDIES)
def test_the_dense_networks_that_a_baseline_tries_anyhow_are_the_oracle_s_too(store, search, follow, over):
    spec = study(search, follow, baselines={"lr-warmup": {}}, over=over)
    before = counts(spec, store)
    jobs = sweep(spec, store)
    whole = study("exhaustive", follow, baselines={"lr-warmup": {}}, over=over)
    assert len(jobs) <= before.total
    assert follow == "oracle" or before.total <= counts(whole, Store(store.folder / "other")).total
    dense = {
        (s.cell.max_lr, s.cell.seed)
        for s in steps(spec, store, Request)
        if Role.CANDIDATE in s.roles and s.cell.cycle == 0
    }
    assert dense == {(value, seed) for value in GRID for seed in range(3)}
    assert {s.cycle for s in steps(spec, store, Skipped)} == {1, 2}
    assert sum(job.cell.cycle == 0 for job in jobs) == 3 * (len(GRID) + 1)  # and SILO's own value


@pytest.mark.parametrize(
    "changes",
    [
        {"baselines": {"cosine": {"shape": "cosine"}}},
        {"baselines": {"lr-rewinding": {"restart": "keep"}}},
        {"baselines": {"given": {"max_lr": 0.1}}},
        {"baselines": {"lr-warmup": {}}, "search_grid": GRID[1:]},
    ],
)
def test_other_dense_networks_are_no_help(store, changes):
    spec = study("adaptive", **changes)
    sweep(spec, store)
    assert 0 in {s.cycle for s in steps(spec, store, Skipped)}
