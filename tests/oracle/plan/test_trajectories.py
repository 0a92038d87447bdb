"""Which cells a study consists of, in which order they become ready, and what blocks them.

The worker of tests/oracle/synthetic.py stands in for the real one.
"""

from collections import Counter

import pytest
from expected_cells import bad, follow_oracle, follow_silo, silo_chain
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import (
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
from oracle.study.cell import Cell
from oracle.study.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


@pytest.mark.parametrize(("silo", "count"), [(OFF_GRID, 2 * 3 * 5), (ON_GRID, 2 * 3 * 4)])
def test_follow_silo_every_cycle_starts_from_silos_own_mask(store, silo, count):
    jobs = sweep(experiment(silo=silo), store)
    assert {job.cell for job in jobs} == follow_silo(silo)
    assert len(jobs) == count
    assert states(store) == {cell.id for cell in silo_chain(silo).values()}


@pytest.mark.parametrize(
    ("silo", "count"),
    [
        (OFF_GRID, 2 * (5 + 6 + 6)),
        (ON_GRID, 2 * (4 + 5 + 5)),
        (0.4, 2 * (4 + 4 + 5)),  # SILO and the Oracle go one way in cycle 0
    ],
)
def test_follow_oracle_every_cycle_starts_from_the_masks_of_the_last_winner(store, silo, count):
    jobs = sweep(experiment("oracle", silo), store)
    assert {job.cell for job in jobs} == follow_oracle(silo, [0.4, 0.2, 0.4])
    assert len(jobs) == count


def test_the_winner_has_the_best_mean_over_seeds_and_every_seed_goes_on_from_its_own_mask(store):
    # alone, seed 0 would choose 0.8 and seed 1 0.1; together they choose 0.2
    gives = {0: {0.1: 10, 0.2: 80, 0.4: 20, 0.8: 90}, 1: {0.1: 90, 0.2: 80, 0.4: 20, 0.8: 10}}
    jobs = sweep(experiment("oracle", cycles=2), store, gives=lambda cell: gives[cell.seed].get(cell.max_lr, 50))
    starts = {(job.cell.seed, job.cell.start) for job in jobs if job.cell.cycle == 1 and job.cell.max_lr in GRID}
    assert starts == {(seed, leaves(Cell(TRAINING, seed, 0, 0.2)).digest()) for seed in (0, 1)}


def test_silo_is_measured_and_never_the_winner(store):
    jobs = sweep(experiment("oracle", cycles=2), store, gives=lambda c: 99 if c.max_lr == OFF_GRID else accuracy(c))
    assert {job.cell for job in jobs} == follow_oracle(OFF_GRID, [0.4, 0.2])


def test_what_a_cell_is_wanted_as(store):
    spec = experiment("oracle", ON_GRID, seeds=1, cycles=2)
    sweep(spec, store)
    flags = {}
    for step in Trajectories(spec, DATA_INFO, store).steps():
        if isinstance(step, Request):
            on = (
                "oracle"
                if step.cell.cycle == 0 or step.cell.start == leaves(Cell(TRAINING, 0, 0, 0.4)).digest()
                else "own"
            )
            key = (step.cell.cycle, step.cell.max_lr, on)
            flags.setdefault(key, set()).update(step.roles)
    assert flags == {
        **{(cycle, value, "oracle"): {"candidate"} for cycle in (0, 1) for value in GRID},
        (0, ON_GRID, "oracle"): {"candidate", "silo", "chain"},
        (1, ON_GRID, "oracle"): {"candidate", "silo"},
        (1, ON_GRID, "own"): {"chain"},
    }


# -- order


@pytest.mark.parametrize("follow", ["silo", "oracle"])
def test_silos_own_cells_go_first(store, follow):
    own = {cell.id for cell in silo_chain(OFF_GRID).values()}
    assert set(ids(sweep(experiment(follow), store))[: len(own)]) == own


def tried_in_any_order(spec, order, workers, **changes):
    with fresh_store() as store:
        jobs = sweep(spec, store, lambda count: order.draw(st.integers(0, count - 1)), workers, **changes)
        assert counts(spec, store).count("missing", "failed") == 0
        return ids(jobs)


@pytest.mark.parametrize("follow", ["silo", "oracle"])
@settings(deadline=None, max_examples=15)
@given(st.data(), st.integers(2, 6), st.sampled_from([OFF_GRID, ON_GRID, 0.4]))
def test_whatever_order_running_jobs_end_in_the_same_cells_are_trained_once(follow, order, workers, silo):
    trained = tried_in_any_order(experiment(follow, silo), order, workers)
    expected = follow_silo(silo) if follow == "silo" else follow_oracle(silo, [0.4, 0.2, 0.4])
    assert sorted(trained) == sorted(cell.id for cell in expected)


def same_for_all(cell):
    """As under criterion random: a mask depends on seed and cycle, not on what was trained."""
    return leaves(Cell(TRAINING, cell.seed, cell.cycle, 1.0))


@settings(deadline=None, max_examples=25)
@given(st.data(), st.integers(2, 6), st.sampled_from([OFF_GRID, ON_GRID]))
def test_where_masks_coincide_the_oracle_and_silo_share_their_cells(order, workers, silo):
    trained = tried_in_any_order(experiment("oracle", silo), order, workers, leaves=same_for_all)
    assert max(Counter(trained).values()) == 1
    assert len(trained) == 2 * 3 * len({*GRID, silo})


def same_for_all_above_a_quarter(cell):
    return leaves(Cell(TRAINING, cell.seed, cell.cycle, 1.0)) if cell.max_lr > 0.25 else leaves(cell)


@pytest.mark.parametrize("silo", [OFF_GRID, ON_GRID, 0.4])
@pytest.mark.parametrize("workers", [2, 3, 9])
@pytest.mark.parametrize(
    "pick", [lambda count: 0, lambda count: count // 2, lambda count: count - 1], ids=["oldest", "middle", "newest"]
)
def test_where_masks_coincide_for_a_while_no_cell_is_trained_twice(store, silo, workers, pick):
    """SILO's own chain comes to cells that were first wanted on the Oracle's masks, and goes its own way from them."""
    spec = experiment("oracle", silo)
    jobs = sweep(spec, store, pick, workers, leaves=same_for_all_above_a_quarter)
    assert max(Counter(ids(jobs)).values()) == 1
    assert counts(spec, store).count("missing") == 0


# -- what blocks a chain


@pytest.mark.parametrize("outcome", [None, "out of memory"], ids=["diverged", "failed"])
@pytest.mark.parametrize(
    ("follow", "where", "blocked", "count"),
    [
        # seed 0 has cycles 0 and 1 with all their candidates, seed 1 all three
        ("silo", {"max_lr": OFF_GRID, "seed": 0, "cycle": 1}, [("SILO's chain, seed 0", 2)], 5 * (2 + 3)),
        ("silo", {"max_lr": OFF_GRID}, [("SILO's chain, seed 0", 1), ("SILO's chain, seed 1", 1)], 5 * 2),
        ("silo", {"max_lr": 0.4}, [], 5 * 6),  # a candidate's end blocks nothing
        # every candidate of cycle 1: its masks are the last; SILO's own chain goes on
        (
            "oracle",
            {"cycle": 1, "seed": 1},
            [("SILO's chain, seed 1", 2), ("the Oracle's chain", 2)],
            2 * (5 + 6) + 1,
        ),
        # SILO's cell on the Oracle's masks and its own chain are blocked, the Oracle is not
        (
            "oracle",
            {"max_lr": OFF_GRID, "seed": 0, "cycle": 0},
            [("SILO's chain, seed 0", 1)],
            2 * 5 + 2 * 5 * 2 + 2,
        ),
    ],
)
def test_a_chain_without_a_start_state_is_blocked(store, outcome, follow, where, blocked, count):
    spec = experiment(follow)
    jobs = sweep(spec, store, gives=bad(outcome, **where))
    taken = snapshot(spec, store)
    assert [(chain.trajectory, chain.cycle) for chain in taken.blocked] == blocked
    assert all(str(outcome or "diverged") in b.reason or "every candidate" in b.reason for b in taken.blocked)
    assert len(jobs) == count
    assert taken.counts().count("missing") == 0
    hit = [job for job in jobs if bad("hit", **where)(job.cell) == "hit"]
    assert taken.counts().count("diverged" if outcome is None else "failed") == len(hit)


def test_a_value_with_a_bad_seed_cannot_win(store):
    jobs = sweep(experiment("oracle", cycles=2), store, gives=bad(None, max_lr=0.4, seed=1, cycle=0))
    # 0.8 is the next best by the mean
    starts = {job.cell.start for job in jobs if job.cell.cycle == 1 and job.cell.max_lr in GRID}
    assert starts == {leaves(Cell(TRAINING, seed, 0, 0.8)).digest() for seed in (0, 1)}


@pytest.mark.parametrize("follow", ["silo", "oracle"])
def test_nothing_is_blocked_after_the_last_cycle(store, follow):
    spec = experiment(follow, cycles=2)
    sweep(spec, store, gives=bad(None, cycle=1))
    assert snapshot(spec, store).blocked == ()


def test_a_failure_is_tried_again_once_it_is_forgotten(store):
    spec = experiment()
    sweep(spec, store, gives=bad("out of memory", max_lr=OFF_GRID, seed=0, cycle=1))
    assert sweep(spec, store) == []
    store.forget_failures()
    sweep(spec, store)
    assert recorded(store) == {cell.id for cell in follow_silo(OFF_GRID)}
