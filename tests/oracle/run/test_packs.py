"""Cells that are trained side by side: which go together, what becomes of them when one fails, that no number depends on it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from experiments import write
from simulated_tune import KILLED, tuned
from synthetic import DATA_INFO, OFF_GRID, experiment, recorded

from oracle.experiment.load import load
from oracle.plan.trajectories import Trajectories
from oracle.run import worker
from oracle.run.calibration.forecast import SimulatedRecords
from oracle.run.failure_reason import reason_of
from oracle.run.ready_queue import ReadyQueue
from oracle.run.worker import Worker
from oracle.study.store import Store
from oracle.study.study import new_study
from silo.graph import CaptureError, GraphStepper
from silo.lane import EagerStepper

PAPER = Path(__file__).parents[3] / "benchmarks" / "paper" / "resnet20-cifar10.yaml"
SEED_0 = [0.1, 0.2, OFF_GRID, 0.4, 0.8]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def rates(jobs):
    return sorted(job.cell.max_lr for job in jobs)


def groups(jobs):
    return {(job.cell.seed, job.cell.cycle) for job in jobs}


# ---- which go together


def test_a_pack_is_of_one_seed_and_cycle_whichever_policy_s(store):
    baselines = {"cosine": {"shape": "cosine"}}
    queue = ReadyQueue(Trajectories(experiment(baselines=baselines), DATA_INFO, store))
    packs = []
    while pack := queue.next(100):
        packs.append(pack)
    assert all(len(groups(pack)) == 1 for pack in packs)
    assert len(packs) == 2  # seeds
    assert [rates(pack) for pack in packs] == [
        sorted([*SEED_0, 0.1, 0.2, 0.4, 0.8])
    ] * 2  # SILO's shape and the cosine's


@pytest.mark.parametrize("at_most", [1, 2, 3, 5, 9])
def test_a_pack_has_at_most_as_many_as_are_requested_and_nothing_is_left_behind(store, at_most):
    queue = ReadyQueue(Trajectories(experiment(seeds=1, cycles=1), DATA_INFO, store))
    packs = []
    while pack := queue.next(at_most):
        assert len(pack) <= at_most
        packs.extend(pack)
    assert rates(packs) == SEED_0 and queue.ready == 0
    assert packs[0].cell.max_lr == OFF_GRID  # later cycles wait for SILO's own


def test_a_worker_takes_what_leaves_work_for_the_others(store):
    """Ten cells are ready; with four workers three are a share."""
    tune = tuned(store, max_workers=4, lanes=16)
    tune.ask()
    for trial in sorted(tune.trials):
        tune.step(trial)
    assert [len(hands.tasks[0][0]) for hands in tune.trials.values()] == [3, 2, 2, 1]
    alone = tuned(Store(store.folder / "other"), max_workers=1, lanes=16)
    alone.ask()
    alone.step("trial 0")
    assert rates(alone.trials["trial 0"].tasks[0][0]) == SEED_0


def test_after_a_loss_each_of_a_pack_is_trained_alone(store):
    """Any of them may be the cause; no one has been lost by itself yet."""
    tune = tuned(store, max_workers=1, lanes=16)
    tune.ask()
    tune.step("trial 0")
    lost = {job.cell.id for job in tune.trials["trial 0"].tasks[0][0]}
    assert len(lost) == 5
    tune.lose("trial 0", KILLED)
    tune.run()
    assert all(len(pack) == 1 for pack in tune.packs if lost & set(pack))
    assert any(len(pack) > 1 for pack in tune.packs)
    assert recorded(store) == {cell_id for pack in tune.packs for cell_id in pack}
    assert store.attempts() == []  # none counts as failed


def test_the_one_that_kills_its_worker_is_failed_and_takes_none_along(store):
    tune = tuned(store, max_workers=1, lanes=16)
    bad = tune.searcher._queue.next()[0]  # SILO's own of one seed
    tune.searcher._queue.give_back(bad)
    for _ in range(200):
        tune.ask()
        if tune.finished and not tune.trials:
            break
        for trial, hands in list(tune.trials.items()):
            if hands.tasks and bad in hands.tasks[-1][0]:
                tune.lose(trial)
            else:
                tune.step(trial)
    assert [path.stem for path in (store.folder / "failed").iterdir()] == [bad.cell.id]
    assert len(recorded(store)) == 15 + 4  # the other seed's, and of this one cycle 0's rest


def test_of_the_paper_s_study_no_training_is_trained_alone(store):
    """One worker of 12 lanes: of 2,320 trainings 600 were alone, in 745 packs, while a pack was of one training."""
    records = SimulatedRecords(store)
    queue, sizes = ReadyQueue(Trajectories(load(PAPER, []), DATA_INFO, records)), []
    while pack := queue.next(12):
        for job in pack:
            records.simulate(job)
        queue.finished(*pack)
        sizes.append(len(pack))
    assert (sum(sizes), min(sizes), len(sizes)) == (2320, 5, 265)


def test_a_worker_of_one_lane_takes_the_most_urgent(store):
    """What is ahead waits for nobody where nobody can be trained beside it."""
    queue = ReadyQueue(Trajectories(experiment(seeds=1), DATA_INFO, store))
    (first,) = queue.next()
    assert first.cell.max_lr == OFF_GRID


# ---- no number depends on it


def numbers(record):
    return replace(record, seconds=None, stepping=None)


def here():
    """Records steps in this process, as CUDA graphs do on a GPU."""

    def record(steps):
        def run():
            for step in steps:
                step()

        run()
        return run

    return record


@pytest.fixture
def study(tiny, tmp_path):
    return new_study(load(tiny, ["oracle.seeds=1", "prune.cycles=1"]), tmp_path / "run")


@pytest.fixture
def jobs(study):
    return ReadyQueue(Trajectories.of(study)).next(100)


@pytest.fixture
def make_worker(study, tmp_path):
    """A worker with a run folder of its own; captured: how many lanes it steps at once, as on a GPU."""
    count = iter(range(10))

    def make(captured=None):
        store = Store(tmp_path / f"worker {next(count)}")
        made = Worker(study.experiment, study.dataset, study.data.digest, store)
        if captured:
            made.stepper = GraphStepper(captured, here)
        return made

    return make


def written(made, jobs):
    return [numbers(made.store.whole_record(job.cell.id)) for job in jobs]


@pytest.mark.parametrize("lanes", [2, 16])
def test_cells_that_step_side_by_side_are_recorded_each_as_if_alone(make_worker, jobs, lanes):
    """In single precision: of lanes in this process, whose rates are in double."""
    single, packed = make_worker(), make_worker(captured=lanes)
    for job in jobs:
        single.run(job)
    packed.run(*jobs)
    assert written(packed, jobs) == written(single, jobs)
    record, other = (made.store.record(jobs[0].cell.id) for made in (packed, single))
    assert (record.stepping, other.stepping) == (f"a CUDA graph of up to {lanes} lanes", "eager")
    assert len(packed.store.attempts()) == 2 * len(jobs)
    for job in jobs:
        assert packed.store.has_state(job.cell.id) == single.store.has_state(job.cell.id)


def test_what_is_recorded_is_left_out_of_a_pack(make_worker, jobs):
    made = make_worker(captured=16)
    made.run(jobs[1])
    made.run(*jobs)
    of_it = [entry["event"] for entry in made.store.attempts() if entry["cell"] == jobs[1].cell.id]
    assert sorted(of_it) == ["recorded", "skipped", "started"]
    assert len(written(made, jobs)) == len(jobs)
    made.run(*jobs)  # nothing is left
    assert sum(entry["event"] == "started" for entry in made.store.attempts()) == len(jobs)


def raising(monkeypatch, when, error):
    """Packs for which ``when`` holds raise; gives the sizes of all packs that were tried, and how they stepped."""
    real, tried = worker.run_lanes, []

    def run_lanes(problem, seed, cycle, candidates, stepping):
        tried.append((len(candidates), str(stepping)))
        if when(candidates, stepping):
            raise error
        return real(problem, seed, cycle, candidates, stepping)

    monkeypatch.setattr(worker, "run_lanes", run_lanes)
    return tried


def test_one_that_fails_is_found_and_the_others_are_recorded(make_worker, jobs, monkeypatch):
    bad = jobs[2]
    error = ValueError("this one")
    tried = raising(monkeypatch, lambda candidates, _: any(c.max_lr == bad.cell.max_lr for c in candidates), error)
    made = make_worker(captured=16)
    made.run(*jobs)
    assert made.store.failure(bad.cell.id) == reason_of(error, made.compute) == "ValueError: this one"
    rest = [job for job in jobs if job != bad]
    assert all(made.store.record(job.cell.id) for job in rest)
    assert [pair for pair in tried if pair[1].startswith("eager")] == [
        (1, "eager: captured, it failed by ValueError")
    ] * 3


def test_where_memory_is_short_there_are_fewer_lanes_from_then_on(make_worker, jobs, monkeypatch):
    error = torch.OutOfMemoryError("CUDA out of memory")
    tried = raising(monkeypatch, lambda candidates, stepping: stepping.at_once > 4, error)
    made = make_worker(captured=16)
    made.run(*jobs)
    assert made.stepper.at_once == 4
    assert [size for size, _ in tried][:3] == [6, 3, 1]
    assert all(made.store.record(job.cell.id) for job in jobs)
    assert not list((made.store.folder / "failed").glob("*"))


def test_where_the_estimate_was_wrong_lanes_shrink_once_and_no_step_is_done_again(study, jobs, make_worker):
    """A graph of more than three lanes doesn't fit; every training takes just its own steps."""
    recorded, replayed = [], 0

    def recorder():
        def record(steps):
            recorded.append(len(steps))
            if len(steps) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")

            def replay():
                nonlocal replayed
                replayed += len(steps)
                for step in steps:
                    step()

            return replay

        return record

    made, single = make_worker(), make_worker()
    made.stepper = GraphStepper(6, recorder)
    made.run(*jobs)
    assert made.stepper.at_once == 3
    assert recorded == [6, 3, 3]  # then on whole batches and on the short one
    assert replayed == len(jobs) * 51  # 3 epochs of 17
    for job in jobs:
        single.run(job)
    assert written(made, jobs) == written(single, jobs)


def test_a_capture_that_fails_leaves_the_worker_eager_and_says_why(make_worker, jobs):
    def recorder():
        def record(steps):
            raise CaptureError("AcceleratorError: CUDA error: operation not permitted when stream is capturing")

        return record

    made, single = make_worker(), make_worker()
    made.stepper = GraphStepper(16, recorder)
    made.run(*jobs)
    assert isinstance(made.stepper, EagerStepper) and made.lanes == 1
    records = [made.store.record(job.cell.id) for job in jobs]
    assert {record.stepping for record in records} == {
        "eager: it can't be captured (AcceleratorError: CUDA error: operation not permitted when stream is capturing)"
    }
    for job in jobs:
        single.run(job)
    assert written(made, jobs) == written(single, jobs)


def test_a_device_that_is_lost_is_no_fault_of_a_pack(make_worker, jobs, monkeypatch):
    raising(monkeypatch, lambda *_: True, torch.AcceleratorError("CUDA error: unspecified launch failure"))
    made = make_worker(captured=16)
    with pytest.raises(torch.AcceleratorError):
        made.run(*jobs)
    assert not list((made.store.folder / "failed").glob("*"))


def test_a_full_disk_costs_no_cell_of_a_pack(make_worker, jobs, monkeypatch):
    """All are written in the room that was held back for all."""
    made, real = make_worker(captured=16), Store.write_record

    def write_record(self, record):
        if list(self.folder.glob(".ballast*")):
            raise OSError(28, "No space left on device")
        return real(self, record)

    monkeypatch.setattr(Store, "write_record", write_record)
    made.run(*jobs)
    assert all(made.store.record(job.cell.id) for job in jobs)


def test_lanes_are_the_experiment_s_on_a_cpu_and_one_where_nothing_is_said(study):
    for requested, lanes in (("auto", 1), (3, 3)):
        compute = study.experiment.compute.model_copy(update={"lanes": requested})
        experiment = study.experiment.model_copy(update={"compute": compute})
        made = Worker(experiment, study.dataset, study.data.digest, study.store)
        assert (made.lanes, made.stepper.at_once) == (lanes, 1)


@pytest.mark.parametrize("captured", [None, 16], ids=["one by one", "captured"])
def test_baselines_beside_the_others_are_recorded_each_as_if_alone(tmp_path, make_worker, captured):
    """Two baselines with a shape and a restart of their own, over two cycles, beside SILO's and the grid's."""
    baselines = "policies.baselines={cosine: {shape: cosine}, keep: {restart: keep, max_lr: 0.02}}"
    file = write(tmp_path)
    spec = load(file, ["oracle.seeds=1", "prune.cycles=2", "prune.restart={kind: rewind, to: 20it}", baselines])

    def swept(name, lanes, captured=None):
        study = new_study(spec, tmp_path / name)
        made = Worker(study.experiment, study.dataset, study.data.digest, study.store)
        if captured:
            made.stepper = GraphStepper(captured, here)
        queue, packs = ReadyQueue(Trajectories.of(study)), []
        while jobs := queue.next(lanes):
            made.run(*jobs)
            queue.finished(*jobs)
            packs.append({job.cell.training for job in jobs})
        return packs, {cell_id: numbers(study.store.whole_record(cell_id)) for cell_id in study.store.recorded()}

    packs, records = swept("packs", 16, captured)
    _, expected = swept("single", 1)
    assert any(len(trainings) > 1 for trainings in packs)
    assert records == expected
