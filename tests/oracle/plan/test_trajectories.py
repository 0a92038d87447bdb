"""Which cells a study consists of, in which order they become ready, and what is left of them.

The worker of tests/oracle/synthetic.py stands in for the real one.
"""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import (
    DATA,
    GRID,
    OFF_GRID,
    ON_GRID,
    TRAINING,
    Worker,
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

from oracle.plan.steps import Blocked, Request
from oracle.plan.trajectories import Trajectories
from oracle.run.ready_queue import ReadyQueue
from oracle.study.cell import DENSE, Cell
from oracle.study.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


# -- the cells, written down a second time: as the paper words them


def silo_chain(silo, seeds=2, cycles=3):
    chain = {}
    for seed in range(seeds):
        start = DENSE
        for cycle in range(cycles):
            chain[seed, cycle] = Cell(TRAINING, seed, cycle, silo, start)
            start = leaves(chain[seed, cycle]).digest()
    return chain


def follow_silo(silo, grid=GRID, seeds=2, cycles=3):
    chain = silo_chain(silo, seeds, cycles)
    return {
        Cell(TRAINING, seed, cycle, value, own.start) for (seed, cycle), own in chain.items() for value in {*grid, silo}
    }


def oracle_winners(best, seeds=2):
    chain = {}
    for seed in range(seeds):
        start = DENSE
        for cycle, value in enumerate(best):
            chain[seed, cycle] = Cell(TRAINING, seed, cycle, value, start)
            start = leaves(chain[seed, cycle]).digest()
    return chain


def follow_oracle(silo, best, grid=GRID, seeds=2):
    judged = {
        Cell(TRAINING, seed, cycle, value, winner.start)
        for (seed, cycle), winner in oracle_winners(best, seeds).items()
        for value in {*grid, silo}
    }
    return judged | set(silo_chain(silo, seeds, len(best)).values())


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
    asked = experiment("oracle", ON_GRID, seeds=1, cycles=2)
    sweep(asked, store)
    flags = {}
    for step in Trajectories(asked, DATA, store).steps():
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


def tried_in_any_order(asked, order, workers, **changes):
    with fresh_store() as store:
        jobs = sweep(asked, store, lambda count: order.draw(st.integers(0, count - 1)), workers, **changes)
        assert counts(asked, store).count("missing", "failed") == 0
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
    asked = experiment("oracle", silo)
    jobs = sweep(asked, store, pick, workers, leaves=same_for_all_above_a_quarter)
    assert max(Counter(ids(jobs)).values()) == 1
    assert counts(asked, store).count("missing") == 0


# -- what blocks a chain


def bad(outcome, **where):
    """Accuracies, but this outcome where the cell has these fields."""
    return lambda cell: outcome if all(getattr(cell, f) == v for f, v in where.items()) else accuracy(cell)


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
    asked = experiment(follow)
    jobs = sweep(asked, store, gives=bad(outcome, **where))
    found = snapshot(asked, store)
    assert [(chain.trajectory, chain.cycle) for chain in found.blocked] == blocked
    assert all(str(outcome or "diverged") in b.reason or "every candidate" in b.reason for b in found.blocked)
    assert len(jobs) == count
    assert found.counts().count("missing") == 0
    hit = [job for job in jobs if bad("hit", **where)(job.cell) == "hit"]
    assert found.counts().count("diverged" if outcome is None else "failed") == len(hit)


def test_a_value_with_a_bad_seed_cannot_win(store):
    jobs = sweep(experiment("oracle", cycles=2), store, gives=bad(None, max_lr=0.4, seed=1, cycle=0))
    # 0.8 is the next best by the mean
    starts = {job.cell.start for job in jobs if job.cell.cycle == 1 and job.cell.max_lr in GRID}
    assert starts == {leaves(Cell(TRAINING, seed, 0, 0.8)).digest() for seed in (0, 1)}


@pytest.mark.parametrize("follow", ["silo", "oracle"])
def test_nothing_is_blocked_after_the_last_cycle(store, follow):
    asked = experiment(follow, cycles=2)
    sweep(asked, store, gives=bad(None, cycle=1))
    assert snapshot(asked, store).blocked == ()


def test_a_failure_is_tried_again_once_it_is_forgotten(store):
    asked = experiment()
    sweep(asked, store, gives=bad("out of memory", max_lr=OFF_GRID, seed=0, cycle=1))
    assert sweep(asked, store) == []
    store.forget_failures()
    sweep(asked, store)
    assert recorded(store) == {cell.id for cell in follow_silo(OFF_GRID)}


# -- states


def test_losers_states_are_dropped_and_silos_own_kept(store):
    sweep(experiment("oracle"), store)
    kept = {cell.id for cell in (*oracle_winners([0.4, 0.2, 0.4]).values(), *silo_chain(OFF_GRID).values())}
    # and SILO's value on the Oracle's masks: SILO's own chain may come to the very cell, and then needs its state
    steps = Trajectories(experiment("oracle"), DATA, store).steps()
    held = {step.cell.id: step.cell for step in steps if isinstance(step, Request)}
    assert kept <= states(store)
    assert all(held[cell_id].max_lr not in GRID for cell_id in states(store) - kept)


def test_where_silo_loses_on_the_grid_its_state_is_kept_all_the_same(store):
    sweep(experiment("oracle", ON_GRID), store)
    assert {cell.id for cell in silo_chain(ON_GRID).values()} <= states(store)


def test_a_lost_state_is_made_again_by_training_its_cell_once_more(store):
    asked = experiment()
    sweep(asked, store)
    parent = silo_chain(OFF_GRID)[0, 0]
    children = {cell.id for cell in follow_silo(OFF_GRID) if (cell.seed, cell.cycle) == (0, 1)}
    before = (store.folder / "records" / f"{parent.id}.json").read_bytes()
    for child in children:
        (store.folder / "records" / f"{child}.json").unlink()
    store.drop_state(parent.id)

    jobs = sweep(asked, Store(store.folder))
    assert ids(jobs)[0] == parent.id
    assert jobs[0].keeps_state
    assert set(ids(jobs)[1:]) == children
    assert len(jobs) == 1 + len(children)
    assert (store.folder / "records" / f"{parent.id}.json").read_bytes() == before


def test_lost_states_are_made_again_from_the_first_that_is_there(store):
    asked = experiment(seeds=1)
    sweep(asked, store)
    chain = silo_chain(OFF_GRID, seeds=1)
    last = {cell.id for cell in follow_silo(OFF_GRID, seeds=1) if cell.cycle == 2}
    for cell_id in last:
        (store.folder / "records" / f"{cell_id}.json").unlink()
    for cell_id in states(store):
        store.drop_state(cell_id)
    jobs = ids(sweep(asked, Store(store.folder)))
    assert jobs[:2] == [chain[0, 0].id, chain[0, 1].id]
    assert sorted(jobs[2:]) == sorted(last)


def test_a_state_that_nothing_waits_for_is_not_made_again(store):
    sweep(experiment(), store)
    for cell_id in states(store):
        store.drop_state(cell_id)
    assert sweep(experiment(), Store(store.folder)) == []


def test_what_a_failed_remake_blocked_is_missing_until_the_state_is_there(store):
    asked = experiment(seeds=1, cycles=2)
    sweep(asked, store)
    parent = silo_chain(OFF_GRID, seeds=1)[0, 0]
    children = {cell.id for cell in follow_silo(OFF_GRID, seeds=1, cycles=2) if cell.cycle == 1}
    for child in children:
        (store.folder / "records" / f"{child}.json").unlink()
    store.drop_state(parent.id)

    store = Store(store.folder)
    assert ids(sweep(asked, store, gives=lambda cell: "out of memory")) == [parent.id]
    found = snapshot(asked, store)
    assert (found.counts().count("missing"), found.counts().count("failed")) == (
        len(children),
        0,
    )  # the parent's record stands
    assert set(ids(sweep(asked, store))) == {parent.id} | children


# -- coming back


@pytest.mark.parametrize("follow", ["silo", "oracle"])
@pytest.mark.parametrize("silo", [OFF_GRID, ON_GRID, 0.4])
def test_a_complete_study_has_no_work(store, follow, silo):
    asked = experiment(follow, silo)
    jobs = sweep(asked, store)
    assert sweep(asked, Store(store.folder)) == []
    found = snapshot(asked, store)
    assert (found.counts().recorded, found.counts().count("missing"), found.counts().total) == (len(jobs), 0, len(jobs))


@pytest.mark.parametrize("follow", ["silo", "oracle"])
def test_the_total_is_known_from_the_start(store, follow):
    asked = experiment(follow)
    worker, frontier = Worker(store), ReadyQueue(Trajectories(asked, DATA, store))
    totals, missing = set(), []
    while jobs := frontier.next():
        totals.add(counts(asked, store).total)
        missing.append(counts(asked, store).count("missing"))
        worker.run(*jobs)
        frontier.finished(*jobs)
    assert totals == {len(worker.trained)}
    assert missing == list(range(len(worker.trained), 0, -1))


@pytest.mark.parametrize("follow", ["silo", "oracle"])
@pytest.mark.parametrize("after", [1, 7, 12, 20])
def test_an_interrupted_sweep_goes_on_with_what_is_missing(store, follow, after):
    asked = experiment(follow)
    worker, frontier = Worker(store), ReadyQueue(Trajectories(asked, DATA, store))
    for _ in range(after):
        worker.run(*(jobs := frontier.next()))
        frontier.finished(*jobs)
    rest = sweep(asked, Store(store.folder))
    expected = follow_silo(OFF_GRID) if follow == "silo" else follow_oracle(OFF_GRID, [0.4, 0.2, 0.4])
    assert sorted(ids(worker.trained) + ids(rest)) == sorted(cell.id for cell in expected)


BEST = [0.4, 0.2, 0.4]


@pytest.mark.parametrize(
    ("follow", "change", "expected"),
    [
        ("silo", {"grid": (*GRID, 1.6)}, follow_silo(OFF_GRID, (*GRID, 1.6))),
        ("silo", {"seeds": 3}, follow_silo(OFF_GRID, seeds=3)),
        ("silo", {"cycles": 4}, follow_silo(OFF_GRID, cycles=4)),
        ("silo", {"grid": GRID[:2]}, set()),
        ("silo", {"seeds": 1, "cycles": 2}, set()),
        ("oracle", {"grid": (*GRID, 1.6)}, follow_oracle(OFF_GRID, BEST, (*GRID, 1.6))),
        ("oracle", {"seeds": 3}, follow_oracle(OFF_GRID, BEST, seeds=3)),
        ("oracle", {"cycles": 4}, follow_oracle(OFF_GRID, [*BEST, 0.4])),
        # a new value wins cycle 0: all that comes after starts from its masks
        ("oracle", {"grid": (0.1, 0.2, 0.35, 0.4, 0.8)}, follow_oracle(OFF_GRID, [0.35, 0.2, 0.4], (*GRID, 0.35))),
    ],
)
def test_widening_a_study_trains_exactly_what_is_new(store, follow, change, expected):
    def gives(cell):
        return 95 if (cell.max_lr, cell.cycle) == (0.35, 0) else 50 if cell.max_lr == 1.6 else accuracy(cell)

    sweep(experiment(follow), store, gives=gives)
    before = recorded(store)
    jobs = sweep(experiment(follow, **change), Store(store.folder), gives=gives)
    assert sorted(ids(jobs)) == sorted({cell.id for cell in expected} - before)


def test_a_former_loser_that_wins_now_is_trained_again_for_its_state(store):
    """Of a plateau the middle wins: one more tied value moves it to a value whose state was dropped."""
    sweep(experiment("oracle", grid=(0.1, 0.2, 0.4), seeds=1, cycles=2), store, gives=lambda cell: 90.0)
    wider = experiment("oracle", grid=(0.1, 0.2, 0.4, 0.8, 1.6), seeds=1, cycles=2)
    jobs = sweep(wider, Store(store.folder), gives=lambda cell: 90.0)
    winner = Cell(TRAINING, 0, 0, 0.4)
    assert [job.keeps_state for job in jobs if job.cell == winner] == [True]
    assert {job.cell.start for job in jobs if job.cell.cycle == 1} == {leaves(winner).digest()}
    assert max(Counter(ids(jobs)).values()) == 1


def test_a_blocked_chain_says_why(store):
    asked = experiment(seeds=1)
    sweep(asked, store, gives=bad("out of memory", max_lr=OFF_GRID))
    assert list(snapshot(asked, store).blocked) == [
        Blocked("SILO's chain, seed 0", 1, "cycle 0 failed at max_lr 0.3: out of memory")
    ]
