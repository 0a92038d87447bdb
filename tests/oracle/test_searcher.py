"""What the Searcher does with workers that come, work, idle and die; no Ray is started, and cells are trained by nobody."""

from dataclasses import dataclass, field

import pytest
from synthetic import experiment

from oracle.error import InputError, SweepError
from oracle.store.store import Store
from oracle.sweep.chain import Chains
from oracle.sweep.frontier import Frontier
from oracle.sweep.searcher import FALSE_STARTS, LONGEST_IDLE, LOSSES, ReadyCells


class Quiet:
    """No display."""

    def finished(self, cell):
        pass


@dataclass
class Worker:
    """Stands for a worker's actor: what it was assigned, in order; ``over``: that there is no more."""

    jobs: list = field(default_factory=list)
    over: bool = False

    @property
    def assign(self):
        return self

    def remote(self, job, over=False):
        self.over |= over
        if job is not None:
            self.jobs.append(job)


class Sweep:
    """A Searcher over a study of one cycle (2 seeds x (4 grid values and SILO's)), and its workers by trial."""

    def __init__(self, folder, slots=99, cycles=1):
        self.store, self.room, self.workers = Store(folder), slots, {}
        self.chains = Chains(experiment(cycles=cycles), "a data set", self.store)
        self.searcher = ReadyCells(Frontier(self.chains), self.store, Quiet(), lambda: self.room)

    def begin(self, trial):
        assert self.searcher.suggest(trial) == {}
        self.workers[trial] = Worker()
        self.searcher.on_trial_result(trial, {"worker": self.workers[trial]})
        return self.workers[trial]

    def end(self, trial):
        """Record what the trial's worker was assigned last, and say so."""
        cell = self.workers[trial].jobs[-1].cell
        outcome = {"diverged": False, "validation": 90.0}
        self.store.write_record({"id": cell.id, "outcome": outcome, "leaves": "x"})
        self.searcher.on_trial_result(trial, {"cell": cell.id})


@pytest.fixture
def sweep(tmp_path):
    return Sweep(tmp_path / "run")


CELLS = 10


def test_one_worker_is_assigned_every_cell_one_after_another(sweep):
    worker = sweep.begin("a")
    for done in range(CELLS):
        assert len(worker.jobs) == done + 1
        sweep.end("a")
    assert worker.over
    assert len({job.cell.id for job in worker.jobs}) == CELLS
    sweep.searcher.on_trial_complete("a", {})
    assert sweep.searcher.suggest("b") == "FINISHED"
    assert sweep.searcher.error is None


def test_no_more_workers_than_there_is_room_for_or_cells(sweep):
    sweep.room = 2
    sweep.begin("a"), sweep.begin("b")
    assert sweep.searcher.suggest("c") is None


def test_a_worker_that_is_starting_is_not_asked_for_twice(tmp_path):
    sweep = Sweep(tmp_path / "run")
    assert [sweep.searcher.suggest(str(trial)) for trial in range(CELLS)] == [{}] * CELLS
    assert sweep.searcher.suggest("one more") is None


def test_a_lost_workers_cell_goes_to_whichever_worker_asks_next(sweep):
    lost, other = sweep.begin("a"), sweep.begin("b")
    cell = lost.jobs[-1].cell
    sweep.searcher.on_worker_lost("a", "The actor died")
    for _ in range(CELLS - 1):
        sweep.end("b")
    assert cell in [job.cell for job in other.jobs]
    assert sweep.store.failure(cell.id) is None


def test_a_cell_that_always_costs_its_worker_is_failed_and_the_others_go_on(tmp_path):
    sweep = Sweep(tmp_path / "run", slots=1)
    worker, lost = sweep.begin("a"), 0
    killer = worker.jobs[-1].cell
    while not worker.over:
        if worker.jobs[-1].cell == killer:
            lost += 1
            sweep.searcher.on_worker_lost("a", "The actor died because its worker process has died")
            worker = sweep.workers["a"] = Worker()
            sweep.searcher.on_trial_result("a", {"worker": worker})
        else:
            sweep.end("a")
    assert lost == LOSSES + 1
    assert "its worker was lost 4 times" in sweep.store.failure(killer.id)
    assert len(sweep.store.recorded()) == CELLS - 1
    assert [entry["event"] for entry in sweep.store.attempts()] == ["failed"]


def test_a_trial_that_tune_gives_up_gives_its_cell_back(sweep):
    cell = sweep.begin("a").jobs[-1].cell
    sweep.searcher.on_trial_complete("a", error=True)
    sweep.searcher.on_trial_given_up("a")
    worker = sweep.begin("b")
    for _ in range(CELLS):
        sweep.end("b")
    assert cell in [job.cell for job in worker.jobs]


@pytest.mark.parametrize("error", [OSError("No space left on device"), InputError("a damaged record")])
def test_what_makes_training_senseless_ends_the_sweep_in_order(sweep, error):
    full, other = sweep.begin("a"), sweep.begin("b")
    sweep.searcher.on_trial_complete("a", {"halt": error})
    assert sweep.searcher.suggest("c") == "FINISHED"
    assert not other.over  # its training ends, and is recorded
    sweep.end("b")
    assert (other.over, len(other.jobs), len(full.jobs)) == (True, 1, 1)
    assert sweep.searcher.error is error


def test_where_no_worker_can_begin_the_sweep_is_stuck(sweep):
    assert sweep.searcher.suggest("a") == {}
    for _ in range(FALSE_STARTS):
        assert not sweep.searcher.stuck
        sweep.searcher.on_worker_lost("a", "The actor died")
    assert sweep.searcher.stuck
    assert isinstance(sweep.searcher.error, SweepError)


def test_an_idle_worker_waits_for_what_may_come_and_goes_after_a_while(tmp_path):
    sweep = Sweep(tmp_path / "run", cycles=2)
    for trial in range(CELLS):
        sweep.begin(str(trial))
    for trial in range(1, CELLS):
        if not sweep.workers[str(trial)].jobs[-1].keeps_state:  # SILO's own cells are not recorded yet
            sweep.end(str(trial))
            idle = str(trial)
    assert not sweep.workers[idle].over
    sweep.searcher.on_trial_result(idle, {"idle": LONGEST_IDLE + 1})
    assert sweep.workers[idle].over
