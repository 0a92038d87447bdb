"""What is left of a study to train: after an interruption, after a lost state, and where more is requested."""

from collections import Counter

import pytest
from expected_cells import bad, follow_oracle, follow_silo, oracle_winners, silo_chain
from synthetic import (
    DATA_INFO,
    GRID,
    OFF_GRID,
    ON_GRID,
    TRAINING,
    Worker,
    accuracy,
    counts,
    experiment,
    ids,
    leaves,
    recorded,
    snapshot,
    states,
    sweep,
)

from oracle.plan.oracle_exhaustive import OracleTrajectory
from oracle.plan.oracle_until_decided import RoundsTrajectory
from oracle.plan.record_view import RecordView
from oracle.plan.silo_trajectory import SiloTrajectories
from oracle.plan.steps import Blocked, Request
from oracle.plan.trajectories import Trajectories
from oracle.run.ready_queue import ReadyQueue
from oracle.study.cell import Cell
from oracle.study.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


# -- states


def test_losers_states_are_dropped_and_silos_own_kept(store):
    sweep(experiment("oracle"), store)
    kept = {cell.id for cell in (*oracle_winners([0.4, 0.2, 0.4]).values(), *silo_chain(OFF_GRID).values())}
    # and SILO's value on the Oracle's masks: SILO's own chain may come to the very cell, and then needs its state
    steps = Trajectories(experiment("oracle"), DATA_INFO, store).steps()
    held = {step.cell.id: step.cell for step in steps if isinstance(step, Request)}
    assert kept <= states(store)
    assert all(held[cell_id].max_lr not in GRID for cell_id in states(store) - kept)


def test_where_silo_loses_on_the_grid_its_state_is_kept_all_the_same(store):
    sweep(experiment("oracle", ON_GRID), store)
    assert {cell.id for cell in silo_chain(ON_GRID).values()} <= states(store)


def test_a_lost_state_is_made_again_by_training_its_cell_once_more(store):
    spec = experiment()
    sweep(spec, store)
    parent = silo_chain(OFF_GRID)[0, 0]
    children = {cell.id for cell in follow_silo(OFF_GRID) if (cell.seed, cell.cycle) == (0, 1)}
    before = (store.folder / "records" / f"{parent.id}.json").read_bytes()
    for child in children:
        (store.folder / "records" / f"{child}.json").unlink()
    store.drop_state(parent.id)

    jobs = sweep(spec, Store(store.folder))
    assert ids(jobs)[0] == parent.id
    assert jobs[0].keeps_state
    assert set(ids(jobs)[1:]) == children
    assert len(jobs) == 1 + len(children)
    assert (store.folder / "records" / f"{parent.id}.json").read_bytes() == before


def test_lost_states_are_made_again_from_the_first_that_is_there(store):
    spec = experiment(seeds=1)
    sweep(spec, store)
    chain = silo_chain(OFF_GRID, seeds=1)
    last = {cell.id for cell in follow_silo(OFF_GRID, seeds=1) if cell.cycle == 2}
    for cell_id in last:
        (store.folder / "records" / f"{cell_id}.json").unlink()
    for cell_id in states(store):
        store.drop_state(cell_id)
    jobs = ids(sweep(spec, Store(store.folder)))
    assert jobs[:2] == [chain[0, 0].id, chain[0, 1].id]
    assert sorted(jobs[2:]) == sorted(last)


def test_a_state_that_nothing_waits_for_is_not_made_again(store):
    sweep(experiment(), store)
    for cell_id in states(store):
        store.drop_state(cell_id)
    assert sweep(experiment(), Store(store.folder)) == []


def test_what_a_failed_remake_blocked_is_missing_until_the_state_is_there(store):
    spec = experiment(seeds=1, cycles=2)
    sweep(spec, store)
    parent = silo_chain(OFF_GRID, seeds=1)[0, 0]
    children = {cell.id for cell in follow_silo(OFF_GRID, seeds=1, cycles=2) if cell.cycle == 1}
    for child in children:
        (store.folder / "records" / f"{child}.json").unlink()
    store.drop_state(parent.id)

    store = Store(store.folder)
    assert ids(sweep(spec, store, gives=lambda cell: "out of memory")) == [parent.id]
    taken = snapshot(spec, store)
    assert (taken.counts().count("missing"), taken.counts().count("failed")) == (
        len(children),
        0,
    )  # the parent's record stands
    assert set(ids(sweep(spec, store))) == {parent.id} | children


# -- coming back


@pytest.mark.parametrize("follow", ["silo", "oracle"])
@pytest.mark.parametrize("silo", [OFF_GRID, ON_GRID, 0.4])
def test_a_complete_study_has_no_work(store, follow, silo):
    spec = experiment(follow, silo)
    jobs = sweep(spec, store)
    assert sweep(spec, Store(store.folder)) == []
    taken = snapshot(spec, store)
    assert (taken.counts().recorded, taken.counts().count("missing"), taken.counts().total) == (len(jobs), 0, len(jobs))


@pytest.mark.parametrize("follow", ["silo", "oracle"])
def test_the_total_is_known_from_the_start(store, follow):
    spec = experiment(follow)
    worker, queue = Worker(store), ReadyQueue(Trajectories(spec, DATA_INFO, store))
    totals, missing = set(), []
    while jobs := queue.next():
        totals.add(counts(spec, store).total)
        missing.append(counts(spec, store).count("missing"))
        worker.run(*jobs)
        queue.finished(*jobs)
    assert totals == {len(worker.trained)}
    assert missing == list(range(len(worker.trained), 0, -1))


@pytest.mark.parametrize("follow", ["silo", "oracle"])
@pytest.mark.parametrize("after", [1, 7, 12, 20])
def test_an_interrupted_sweep_goes_on_with_what_is_missing(store, follow, after):
    spec = experiment(follow)
    worker, queue = Worker(store), ReadyQueue(Trajectories(spec, DATA_INFO, store))
    for _ in range(after):
        worker.run(*(jobs := queue.next()))
        queue.finished(*jobs)
    rest = sweep(spec, Store(store.folder))
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
    spec = experiment(seeds=1)
    sweep(spec, store, gives=bad("out of memory", max_lr=OFF_GRID))
    assert list(snapshot(spec, store).blocked) == [
        Blocked("SILO's chain, seed 0", 1, "cycle 0 failed at max_lr 0.3: out of memory")
    ]


# -- many cycles


@pytest.mark.parametrize(
    "changes",
    [
        {"baselines": {"cosine": {}}},
        {"follow": "oracle"},
        {"search": "adaptive"},
        {"search": "until-decided", "seeds": 3},
    ],
)
def test_a_walk_looks_at_no_cycle_beyond_its_own(store, monkeypatch, changes):
    """All trajectories wait once a cycle: a look at all later cycles each time would take a time that grows by the square."""

    def looks(*_):
        raise AssertionError("only a snapshot counts what may come later")

    for kind in (RecordView, SiloTrajectories, OracleTrajectory, RoundsTrajectory):
        monkeypatch.setattr(kind, "later" if kind is RecordView else "_later", looks)
    assert sweep(experiment(cycles=4, **changes), store)
