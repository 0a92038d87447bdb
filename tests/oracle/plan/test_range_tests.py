"""A baseline whose cycles each have a range test: what it trains, what that chooses, and what stands in its way."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import DATA, accuracy, experiment, fresh_store, ids, leaves, recorded, snapshot, states, sweep

from oracle.analysis.cells import cells_table
from oracle.analysis.cost import costs_table
from oracle.error import InputError
from oracle.plan.steps import Role
from oracle.study.cell import DENSE, Cell
from oracle.study.store import Store

SMITH = {"smith": {"range_test": {"low": 0.11, "high": 1.76}}}
EPOCHS, RATES = 4, (0.11, 0.22, 0.44, 0.88, 1.76)  # the test's rate after so many epochs: no grid value


def study(baselines=SMITH, **changes):
    return experiment(baselines=baselines, epochs=EPOCHS, **changes)


SPEC = study()
TRAINING = SPEC.under("smith").training_digest(DATA)
TESTS = SPEC.range_tests("smith").training_digest(DATA)


def best_epoch(cell):
    """1 to 4: by cycle and seed."""
    return 1 + (cell.cycle + 2 * cell.seed) % EPOCHS


def losses(cell):
    """Lowest in the best epoch."""
    return [3.0 if epoch != best_epoch(cell) else 1.0 for epoch in range(1, EPOCHS + 1)]


def chain(seeds=2, cycles=3, chosen=lambda cell: RATES[best_epoch(cell)]):
    """(tests, own cells) by (seed, cycle)."""
    tests, own = {}, {}
    for seed in range(seeds):
        start = DENSE
        for cycle in range(cycles):
            tests[seed, cycle] = test = Cell(TESTS, seed, cycle, 1.76, start)
            own[seed, cycle] = Cell(TRAINING, seed, cycle, chosen(test), start)
            start = leaves(own[seed, cycle]).digest()
    return tests, own


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def requested(taken, role):
    return {one.cell for one in taken.trainings if role in one.roles and "smith" in (*one.policies, *one.searches)}


def test_every_cycle_trains_at_what_the_test_of_its_own_start_chose(store):
    sweep(SPEC, store, losses=losses)
    tests, own = chain()
    taken = snapshot(SPEC, store)
    assert requested(taken, Role.SEARCH) == set(tests.values())
    assert requested(taken, Role.POLICY) == set(own.values())
    assert {cell.max_lr for cell in own.values()} == set(RATES[1:])  # seeds and cycles differ
    assert (taken.blocked, taken.counts().missing) == ((), 0)


def test_a_test_differs_from_its_cycles_in_its_shape_alone():
    own, test = (one.training(DATA) for one in (SPEC.under("smith"), SPEC.range_tests("smith")))
    assert test == own | {"train": own["train"] | {"shape": {"kind": "ramp", "low": 0.11 / 1.76}}}
    assert SPEC.training_digest(DATA) == TRAINING  # the policy's cycles may be SILO's or a candidate's
    rewound = study({"smith": SMITH["smith"] | {"restart": "keep", "shape": "cosine"}})
    assert rewound.range_tests("smith").training(DATA)["prune"]["restart"] == {"kind": "keep"}


def test_a_test_that_diverged_chooses_among_the_epochs_before(store):
    """Those of cycle 1 do, in their third epoch."""

    def diverges(cell):
        return cell.training == TESTS and cell.cycle == 1

    def gives(cell):
        return None if diverges(cell) else accuracy(cell)

    sweep(SPEC, store, gives=gives, losses=lambda cell: losses(cell)[: 2 if diverges(cell) else EPOCHS])
    kept = {(0, 1): 2, (1, 1): 1}  # the epoch that would be best in seed 1, the fourth, was never finished
    _, own = chain(chosen=lambda cell: RATES[kept.get((cell.seed, cell.cycle), best_epoch(cell))])
    taken = snapshot(SPEC, store)
    assert requested(taken, Role.POLICY) == set(own.values())
    assert taken.blocked == ()


def test_one_that_diverged_at_once_chooses_the_lowest_rate(store):
    sweep(SPEC, store, gives=lambda cell: None if cell.training == TESTS else accuracy(cell), losses=lambda cell: [])
    _, own = chain(chosen=lambda cell: RATES[0])
    assert requested(snapshot(SPEC, store), Role.POLICY) == set(own.values())


def test_one_that_failed_blocks_its_own_trajectory_alone(store):
    def gives(cell):
        return "no memory" if (cell.training, cell.cycle, cell.seed) == (TESTS, 1, 0) else accuracy(cell)

    sweep(SPEC, store, gives=gives, losses=losses)
    taken = snapshot(SPEC, store)
    (blocked,) = taken.blocked
    assert (blocked.trajectory, blocked.cycle) == ("smith, seed 0", 1)
    assert "range test failed" in blocked.reason and "no memory" in blocked.reason
    _, own = chain()
    assert requested(taken, Role.POLICY) == {own[0, 0], *(own[1, cycle] for cycle in range(3))}


def test_what_it_will_train_is_foreseen(store):
    """Before anything is recorded, and as soon as the first tests are."""
    assert snapshot(SPEC, store).counts().total == len(sweep(SPEC, Store(store.folder.parent / "whole"), losses=losses))
    assert SPEC.search_trainings("smith") == 2 * 3


def test_it_costs_its_tests(store):
    sweep(SPEC, store, losses=losses)
    cells = cells_table(snapshot(SPEC, store).trainings)
    costs = costs_table(cells, SPEC, {}).set_index("who")
    assert (costs.trainings["smith"], costs.search_trainings["smith"]) == (2 * 3 + 2 * 3, 2 * 3)


def test_no_test_leaves_a_state_behind(store):
    jobs = sweep(SPEC, store, losses=losses)
    assert states(store).isdisjoint(job.cell.id for job in jobs if job.cell.training == TESTS)


@settings(deadline=None, max_examples=5)
@given(order=st.data(), workers=st.integers(1, 6), after=st.integers(1, 40))
def test_order_workers_and_interruptions_change_nothing(order, workers, after):
    class Interrupted(Exception):
        pass

    def gives(cell):
        if len(recorded(store)) == after:
            raise Interrupted
        return accuracy(cell)

    tests, own = chain()
    with fresh_store() as store:
        try:
            sweep(SPEC, store, lambda count: order.draw(st.integers(0, count - 1)), workers, gives=gives, losses=losses)
        except Interrupted:
            rest = sweep(SPEC, Store(store.folder), lambda count: order.draw(st.integers(0, count - 1)), losses=losses)
            assert max(Counter(ids(rest)).values()) == 1
        taken = snapshot(SPEC, Store(store.folder))
        assert requested(taken, Role.SEARCH) == set(tests.values())
        assert requested(taken, Role.POLICY) == set(own.values())
        assert taken.counts().recorded == len(recorded(store)) and taken.counts().missing == 0


def test_one_epoch_leaves_a_range_test_nothing_to_choose():
    assert experiment(baselines=SMITH, epochs=2)
    with pytest.raises(
        InputError, match=r"train\.epochs must be at least 2, got 1: policies\.baselines\.smith\.range_test"
    ):
        experiment(baselines=SMITH)
