"""Which cells a baseline asks for: its search, its own chain, and what it shares with SILO and the Oracle."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import (
    DATA,
    DATA_INFO,
    GRID,
    OFF_GRID,
    ON_GRID,
    TRAINING,
    accuracy,
    counts,
    experiment,
    fresh_store,
    ids,
    leaves,
    recorded,
    snapshot,
    states,
    sweep,
)

from oracle.plan.steps import Request
from oracle.plan.trajectories import Trajectories
from oracle.study.cell import DENSE, Cell
from oracle.study.store import Store

COSINE = {"cosine": {"shape": "cosine"}}
SAME = {"warmup": {}}  # SILO's own shape and restart
BEST = 0.4  # on the dense network, over both seeds


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def training_of(spec, name):
    return spec.under(name).training_digest(DATA)


def chain_of(training, rates, seeds=2):
    """(seed, cycle) -> cell, each starting from what the one before it left."""
    chain = {}
    for seed in range(seeds):
        start = DENSE
        for cycle, rate in enumerate(rates):
            chain[seed, cycle] = Cell(training, seed, cycle, rate, start)
            start = leaves(chain[seed, cycle]).digest()
    return chain


def searched(training, grid=GRID, seeds=2):
    return {Cell(training, seed, 0, value) for seed in range(seeds) for value in grid}


def requested_by(spec, store, role, name):
    steps = Trajectories(spec, DATA_INFO, store).steps()
    return {step.cell for step in steps if isinstance(step, Request) and role in step.roles and step.baseline == name}


def test_under_a_baseline_shape_and_restart_are_its_own_and_all_else_is_the_studys():
    spec = experiment(baselines={"cosine": {"shape": "cosine"}, "keep": {"restart": "keep"}, **SAME})
    own = spec.training(DATA)
    assert spec.under("warmup").training(DATA) == own
    cosine = spec.under("cosine").training(DATA)
    assert cosine == own | {"train": own["train"] | {"shape": {"kind": "cosine"}}}
    keep = spec.under("keep").training(DATA)
    assert keep == own | {"prune": own["prune"] | {"restart": {"kind": "keep"}}}


@pytest.mark.parametrize("follow", ["silo", "oracle"])
def test_searched_on_the_dense_network_it_goes_on_with_the_best_over_all_seeds(store, follow):
    spec = experiment(follow, baselines=COSINE)
    training = training_of(spec, "cosine")
    jobs = sweep(spec, store)
    of_it = [job.cell for job in jobs if job.cell.training == training]
    chain = chain_of(training, [BEST] * 3)
    assert set(of_it) == searched(training) | set(chain.values())
    assert len(of_it) == len(set(of_it)) == 2 * 4 + 2 * 2
    assert requested_by(spec, store, "search", "cosine") == searched(training)
    assert requested_by(spec, store, "policy", "cosine") == set(chain.values())


def test_the_study_without_it_is_the_same(store, tmp_path):
    with_it = sweep(experiment(baselines=COSINE), store)
    without = sweep(experiment(), Store(tmp_path / "without"))
    assert {job.cell for job in with_it if job.cell.training == TRAINING} == {job.cell for job in without}


def test_with_silos_own_shape_it_shares_the_oracles_cells_of_the_dense_network(store):
    spec = experiment(baselines=SAME)
    jobs = sweep(spec, store)
    alone = {job.cell for job in sweep(experiment(), Store(store.folder.parent / "alone"))}
    new = {cell for cell in chain_of(TRAINING, [BEST] * 3).values() if cell.cycle > 0}
    assert {job.cell for job in jobs} == alone | new
    assert max(Counter(ids(jobs)).values()) == 1


def test_a_given_max_lr_is_not_searched(store):
    rates = [0.3, 0.2, 0.1]
    spec = experiment(baselines={"mine": {"max_lr": {"kind": "table", "values": rates}}, "flat": {"max_lr": 0.7}})
    sweep(spec, store)
    assert requested_by(spec, store, "policy", "mine") == set(chain_of(TRAINING, rates).values())
    assert requested_by(spec, store, "policy", "flat") == set(chain_of(TRAINING, [0.7] * 3).values())
    assert requested_by(spec, store, "search", "mine") == set()
    assert spec.search_trainings("mine") is None


def test_it_has_a_grid_of_its_own_where_the_search_gives_one(store):
    spec = experiment(baselines=COSINE, grid=GRID, search_grid=[0.5, 0.6])
    sweep(spec, store)
    tried = {cell.max_lr for cell in requested_by(spec, store, "search", "cosine")}
    assert tried == {0.5, 0.6}
    assert spec.search_trainings("cosine") == 2 * 2


def test_searched_on_trajectories_the_best_mean_over_cycles_is_chosen(store):
    spec = experiment(baselines=COSINE, over="trajectory")
    training = training_of(spec, "cosine")

    # 0.4 is the best of the dense network, 0.2 over the three cycles
    def gives(cell):
        return {0.1: 50, 0.2: 80, 0.4: 90 if cell.cycle == 0 else 60, 0.8: 40}.get(cell.max_lr, 30)

    jobs = sweep(spec, store, gives=gives)
    tried = {cell for value in GRID for cell in chain_of(training, [value] * 3).values()}
    assert {job.cell for job in jobs if job.cell.training == training} == tried
    assert requested_by(spec, store, "search", "cosine") == tried
    assert requested_by(spec, store, "policy", "cosine") == set(chain_of(training, [0.2] * 3).values())


def test_a_trajectory_that_diverges_cannot_be_chosen(store):
    spec = experiment(baselines=COSINE, over="trajectory")
    training = training_of(spec, "cosine")

    def gives(cell):
        of_it = cell.training == training
        return None if of_it and (cell.max_lr, cell.seed, cell.cycle) == (0.2, 1, 2) else {0.2: 99}.get(cell.max_lr, 50)

    sweep(spec, store, gives=gives)
    chosen = {cell.max_lr for cell in requested_by(spec, store, "policy", "cosine")}
    assert chosen == {0.4}  # all others are tied: the middle (the lower of two) of the longest plateau
    assert counts(spec, store).count("missing") == 0


@pytest.mark.parametrize("over", ["dense", "trajectory"])
def test_where_every_value_diverges_it_is_blocked_and_the_others_are_not(store, over):
    spec = experiment(baselines=COSINE, over=over)
    training = training_of(spec, "cosine")
    sweep(spec, store, gives=lambda cell: None if cell.training == training else accuracy(cell))
    taken = snapshot(spec, store)
    assert taken.blocked
    assert all("cosine" in chain.trajectory for chain in taken.blocked)
    assert taken.counts().count("missing") == 0
    assert taken.counts().count("diverged") == 2 * 4


@pytest.mark.parametrize("over", ["dense", "trajectory"])
@pytest.mark.parametrize("follow", ["silo", "oracle"])
@settings(deadline=None, max_examples=10)
@given(order=st.data(), workers=st.integers(1, 6), silo=st.sampled_from([OFF_GRID, ON_GRID, BEST]))
def test_whatever_order_jobs_end_in_no_cell_is_trained_twice(follow, over, order, workers, silo):
    baselines = {**COSINE, **SAME, "keep": {"restart": "keep"}, "given": {"max_lr": 0.2}}
    spec = experiment(follow, silo, baselines=baselines, over=over)
    with fresh_store() as store:
        jobs = sweep(spec, store, lambda count: order.draw(st.integers(0, count - 1)), workers)
        assert max(Counter(ids(jobs)).values()) == 1
        taken = snapshot(spec, store)
        assert (taken.counts().recorded, taken.counts().count("missing")) == (len(jobs), 0)
        assert sweep(spec, Store(store.folder)) == []
        for name in baselines:
            assert len(requested_by(spec, store, "policy", name)) == 2 * 3


@pytest.mark.parametrize("over", ["dense", "trajectory"])
@pytest.mark.parametrize("after", [1, 9, 20, 33])
def test_an_interrupted_search_goes_on_with_what_is_missing(store, over, after):
    spec = experiment(baselines={**COSINE, **SAME}, over=over)
    whole = ids(sweep(spec, Store(store.folder.parent / "whole")))
    first = []

    class Interrupted(Exception):
        pass

    def gives(cell):
        if len(first) == after:
            raise Interrupted
        first.append(cell.id)
        return accuracy(cell)

    with pytest.raises(Interrupted):
        sweep(spec, store, gives=gives)
    rest = ids(sweep(spec, Store(store.folder)))
    assert sorted(first + rest) == sorted(whole)


def test_states_that_no_cycle_starts_from_any_more_are_deleted(store):
    spec = experiment(baselines=COSINE)
    training = training_of(spec, "cosine")
    jobs = sweep(spec, store)
    left = {job.cell for job in jobs if job.cell.training == training and job.cell.id in states(store)}
    chain = chain_of(training, [BEST] * 3)
    # the last cycle's, for more cycles; the dense network's best was claimed by the search, too
    assert {chain[seed, 2] for seed in (0, 1)} <= left <= set(chain.values()) - {chain[0, 1], chain[1, 1]}


def test_more_cycles_train_exactly_what_is_new(store):
    baselines = {**COSINE, **SAME}
    sweep(experiment(baselines=baselines), store)
    before = recorded(store)
    more = experiment(baselines=baselines, cycles=4)
    jobs = sweep(more, Store(store.folder))
    assert {job.cell.cycle for job in jobs} == {3}
    assert not set(ids(jobs)) & before
    for name in baselines:
        assert len([j for j in jobs if j.cell in requested_by(more, store, "policy", name)]) == 2


def test_the_total_is_known_from_the_start(store):
    spec = experiment(baselines={**COSINE, "keep": {"restart": "keep"}}, over="trajectory")
    before = counts(spec, store).total
    assert len(sweep(spec, store)) == before
