"""Feeding workers, without Ray: a made-up Tune asks the searcher for trials and tells it what their workers do."""

import signal
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_tune import KILLED, Seen, Tune, tuned
from synthetic import DATA_INFO, OFF_GRID, Worker, experiment, ids, recorded

from oracle.error import InputError, SweepError
from oracle.plan.trajectories import Trajectories
from oracle.run.failure_reason import FEWER, reason_of_loss
from oracle.run.ray.searcher import MAX_FAILED_STARTS, MAX_IDLE_SECONDS, MAX_RETRIES, ReadyQueueSearcher
from oracle.run.ray.sweep import _ended_by_signals
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def cells():
    """How many the experiment has: with SILO off the grid, that many more a seed and cycle."""
    spec = experiment()
    return len(spec.oracle.seeds) * spec.prune.cycles * (len(spec.oracle.grid.values()) + 1)


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(1, 5), st.integers(1, 4), st.sampled_from(["silo", "oracle"]), st.integers(0, 3))
def test_whatever_happens_to_the_workers_every_cell_is_trained_once(
    tmp_path_factory, data, max_workers, lanes, follow, losses
):
    """Workers of any number of lanes end in any order, and some of them die: between two packs, or with one in hand."""
    store = Store(tmp_path_factory.mktemp("run"))
    tune = tuned(store, max_workers, experiment(follow), lanes=lanes)
    left = losses

    def pick(count):
        nonlocal left
        assert count <= max_workers
        at = data.draw(st.integers(0, count - 1))
        if left and data.draw(st.booleans()):
            left -= 1
            tune.lose(sorted(tune.trials)[at])
        return at

    tune.run(pick)
    assert tune.searcher.error is None
    assert len(recorded(store)) == len(set(ids(tune.assigned))) == len(tune.assigned)
    assert max(map(len, tune.packs)) <= lanes
    assert store.folder.joinpath("failed").exists() is False
    shown = [cell.id for cell in tune.searcher._progress.cells]
    assert sorted(shown) == sorted(recorded(store))


def test_workers_are_started_for_cells_that_are_ready_and_no_more(store):
    one_seed = experiment(seeds=1, grid=(0.1, 0.2))  # cycle 0: three cells; after SILO's own the next three
    tune = tuned(store, max_workers=10, spec=one_seed)
    tune.ask()
    assert len(tune.trials) == 3


def test_as_many_workers_as_there_is_room_for_from_now_on(store, monkeypatch):
    room, now = [1], [0.0]
    monkeypatch.setattr("oracle.run.ray.searcher.time.monotonic", lambda: now[0])
    queue = ReadyQueue(Trajectories(experiment(), DATA_INFO, store))
    tune = Tune(ReadyQueueSearcher(queue, store, Seen(), lambda: room[0]), Worker(store))
    for nodes, workers in (
        (1, 1),
        (4, 4),
        (2, 4),
        (6, 6),
        (0, 6),
    ):  # a node that goes takes its workers along by itself
        room[0], now[0] = nodes, now[0] + 1.5
        tune.ask()
        assert len(tune.trials) == workers


def test_without_room_one_worker_waits_for_it(store):
    tune = tuned(store, max_workers=0)
    tune.ask()
    assert len(tune.trials) == 1


def test_silos_own_cells_go_first(store):
    tune = tuned(store, max_workers=1)
    tune.run()
    assert [job.cell.max_lr for job in tune.assigned[:6]] == [OFF_GRID] * 6  # 2 seeds, 3 cycles: a chain waits for each


def test_a_worker_that_waits_is_kept_and_sent_home_in_the_end(store):
    only_silo = experiment(seeds=1, grid=(OFF_GRID,), cycles=2)  # one cell after another: the second worker has none
    tune = tuned(store, max_workers=2, spec=only_silo)
    tune.ask()
    assert list(tune.trials) == ["trial 0"]
    tune.run()
    assert tune.started == 1

    two = tuned(Store(store.folder.parent / "two"), max_workers=2, spec=experiment(seeds=2, grid=(OFF_GRID,), cycles=2))
    two.ask()
    first, second = two.trials
    for trial in (first, second, first, first):  # the first has the second's second cell to wait for
        two.step(trial)
    while two.trials[first].tasks:
        two.step(first)
    two.step(first, idle=MAX_IDLE_SECONDS / 2)
    assert not two.trials[first].tasks
    two.step(first, idle=MAX_IDLE_SECONDS + 1)
    assert two.trials[first].tasks == deque([([], True)])


def test_the_cell_of_a_lost_worker_goes_to_whoever_asks_next(store):
    tune = tuned(store, max_workers=2)
    tune.ask()
    first, second = tune.trials
    tune.step(first)
    tune.step(second)
    ((lost, _),) = tune.trials[first].tasks
    tune.lose(first)
    tune.step(second)
    ((given, _),) = tune.trials[second].tasks
    assert given == lost


def test_a_cell_that_costs_four_workers_is_failed_with_its_reason(store):
    """The others go on; the chain of which it is stands still."""
    bad = ReadyQueue(Trajectories(experiment(), DATA_INFO, store)).next()[0].cell.id
    tune = tuned(store, max_workers=1)
    lost = 0
    while not (tune.finished and not tune.trials):
        tune.ask()
        for trial, hands in list(tune.trials.items()):
            if hands.tasks and bad in ids(hands.tasks[-1][0]):
                lost += 1
                tune.lose(trial)
            else:
                tune.step(trial)
    assert lost == MAX_RETRIES + 1 == 4
    assert store.failure(bad) == "its worker was lost 4 times, the last time because it was killed, or crashed"
    assert [entry["event"] for entry in store.attempts() if entry["cell"] == bad] == ["failed"]
    assert len(recorded(store)) == cells() / 2 + 4  # seed 0 stands still after cycle 0
    assert tune.searcher.error is None


def test_a_warm_worker_that_tune_replaces_by_none_gives_its_cell_back(store):
    tune = tuned(store, max_workers=2)
    tune.ask()
    tune.step("trial 0")
    tune.searcher.on_trial_complete(trial_id="trial 0", error=True)
    tune.searcher.on_trial_given_up("trial 0")
    del tune.trials["trial 0"]
    tune.run()
    assert len(recorded(store)) == cells()


@pytest.mark.parametrize("error", [InputError("a damaged record"), OSError(28, "No space left on device")])
def test_what_the_drivers_side_raises_ends_the_sweep_in_order(store, error):
    """Cells under way end, no other begins, and the error is there to be raised."""
    tune = tuned(store, max_workers=3)
    tune.run(until=lambda: len(tune.assigned) == 4)
    in_hand = sum(bool(hands.tasks and hands.tasks[-1][0]) for hands in tune.trials.values())

    def finished(job):
        raise error

    tune.searcher._queue.finished = finished
    tune.run()
    assert tune.searcher.error is error
    assert len(tune.assigned) == 4 + in_hand
    assert tune.started == 3


def test_a_run_folder_that_cannot_be_written_ends_the_sweep_in_order(store):
    tune = tuned(store, max_workers=2)
    real, full = tune.trains.run, OSError(28, "No space left on device")

    def run(*jobs):
        if len(tune.assigned) > 5:
            raise full
        real(*jobs)

    tune.trains.run = run
    tune.run()
    assert tune.searcher.error is full
    assert len(recorded(store)) == 5
    assert len(tune.assigned) <= 7  # what both workers had in hand


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM])
def test_a_ctrl_c_that_is_lost_ends_the_sweep_in_order_all_the_same(store, signalled):
    """Python drops what is raised in a destructor."""
    tune = tuned(store)
    before = signal.getsignal(signalled)
    with _ended_by_signals(tune.searcher):
        tune.run(until=lambda: len(tune.assigned) == 4)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signalled)
        tune.run()
    assert isinstance(tune.searcher.error, KeyboardInterrupt)
    assert len(tune.assigned) <= 4 + 2
    assert signal.getsignal(signalled) is before


NO_MODULE = (
    "an error raised in its creation task, X.__init__()\nTraceback\nModuleNotFoundError: No module named 'own'\n"
)


def test_where_no_worker_can_begin_the_sweep_ends_at_once(store):
    tune = tuned(store)
    tune.ask()
    tune.lose("trial 0", NO_MODULE)
    assert tune.searcher.stuck
    assert isinstance(tune.searcher.error, SweepError)
    assert str(tune.searcher.error) == "a worker can't begin: by ModuleNotFoundError: No module named 'own'"


def test_workers_that_always_die_before_they_begin_end_the_sweep(store):
    tune = tuned(store)
    tune.ask()
    for lost in range(MAX_FAILED_STARTS):
        assert not tune.searcher.stuck
        tune.lose(f"trial {lost % 2}")
    assert tune.searcher.stuck
    assert "can't begin: because it was killed, or crashed" in str(tune.searcher.error)


def test_a_worker_that_begins_is_no_false_start(store):
    tune = tuned(store, max_workers=1)
    tune.ask()
    for _ in range(MAX_FAILED_STARTS + 1):
        tune.lose("trial 0")
        tune.step("trial 0")
    assert not tune.searcher.stuck


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (KILLED, "because it was killed, or crashed"),
        ("The actor is dead because its node has died. Node Id: 1f", "because its node died"),
        (
            "1 worker(s) were killed due to the node running low on memory.",
            f"because the machine's memory was full: {FEWER}",
        ),
        (
            "ray::X.train()\nTraceback\n  File\ntorch.AcceleratorError: CUDA error",
            "by torch.AcceleratorError: CUDA error",
        ),
    ],
)
def test_why_a_worker_was_lost(message, reason):
    assert reason_of_loss(message) == reason


@pytest.mark.parametrize("others", [0, 1])
def test_where_no_worker_can_begin_the_others_needn_t_start(store, others):
    """On 8 GPUs each would take its seconds to start, only to say the same; of one that trains nothing is cut off."""
    tune = tuned(store, max_workers=2)
    tune.ask()
    first, second = sorted(tune.trials)
    if others:
        tune.step(second)
    fatal = SweepError("a worker on a node can't begin: no GPU is visible")
    tune.searcher.on_trial_complete(first, {"done": True, "fatal": fatal})
    assert tune.searcher.error is fatal
    assert tune.searcher.stuck == (not others)
