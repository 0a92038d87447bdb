"""A plan that predicts: what is measured, what a training takes by it, and how long the sweep's own order then takes."""

import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from synthetic import DATA, DATA_INFO, GRID, ON_GRID, experiment, sweep

from oracle.cli.main import main
from oracle.error import SweepError
from oracle.experiment.load import load
from oracle.plan.steps import Role
from oracle.plan.trajectories import Trajectories
from oracle.run import worker as worker_module
from oracle.run.calibration import calibration, costs, shortened, shortened_worker
from oracle.run.calibration.calibration import MeasuredSpeed, calibrate
from oracle.run.calibration.forecast import Forecast, PackTime, forecast, waves
from oracle.run.problem import problems
from oracle.study.store import Store
from oracle.study.study import Study, new_study
from silo.graph import CaptureError, GraphStepper
from silo.lane import EagerStepper
from silo.pruning_rule import CRITERIA
from silo.restart import Keep, Reinit, Rewind
from silo.shape import Cosine

SPEED = MeasuredSpeed(0.01, 0.5, 0.001, 0.02, 1.0, 3.0, (5.0, 5.0), 2.0, "a machine")


def study_of(spec, folder):
    return Study(spec, DATA_INFO, Store(folder), "test")


# -- the sweep's order


@pytest.mark.parametrize(
    ("changes", "worker_starts", "wall"),
    [
        # 2 seeds x (4 values and SILO's), all ready at once, 10 s each
        ({"cycles": 1}, [0], 100),
        ({"cycles": 1}, [0] * 2, 50),
        ({"cycles": 1}, [0] * 3, 40),
        ({"cycles": 1}, [0] * 4, 30),
        ({"cycles": 1}, [0] * 50, 10),
        ({"cycles": 1}, [7, 7], 57),
        ({"cycles": 1}, [0, 15], 60),  # the one that begins late trains 4 of the 10
        ({"cycles": 1, "silo": ON_GRID}, [0, 0], 40),  # SILO's value is one of the grid's
        # one cell a cycle, each waits for the one before it
        ({"cycles": 5, "seeds": 1, "silo": 0.2, "grid": [0.2]}, [0], 50),
        ({"cycles": 5, "seeds": 1, "silo": 0.2, "grid": [0.2]}, [0] * 4, 50),
        ({"cycles": 5, "seeds": 2, "silo": 0.2, "grid": [0.2]}, [0] * 2, 50),
        # 5 a cycle; SILO's goes first, so that the next cycle's are ready in time
        ({"cycles": 3, "seeds": 1}, [0] * 2, 80),
        ({"cycles": 3, "seeds": 1}, [0] * 3, 50),
        ({"cycles": 3, "seeds": 1}, [0] * 5, 30),
        ({"cycles": 3, "seeds": 1}, [0] * 50, 30),
        # the Oracle's chain waits for the whole cycle before it: 5 cells, then 5 and SILO's own, which goes first
        ({"cycles": 2, "seeds": 1, "follow": "oracle"}, [0], 110),
        ({"cycles": 2, "seeds": 1, "follow": "oracle"}, [0] * 2, 60),
        # an idle worker looks again after 0.05, 0.1, 0.2, ... 3.2, 5.2, ... 9.2 and 11.2 s: so the last cell begins at 11.2
        ({"cycles": 2, "seeds": 1, "follow": "oracle"}, [0] * 6, 21.2),
        ({"cycles": 2, "seeds": 1, "follow": "oracle"}, [0] * 50, 21.2),
        # a search on the dense network, 4 values, then its winner's chain, beside SILO's 3 x 5
        ({"cycles": 3, "seeds": 1, "baselines": {"cosine": {"shape": "cosine"}}}, [0], 210),
        ({"cycles": 3, "seeds": 1, "baselines": {"cosine": {"shape": "cosine"}}}, [0] * 3, 70),
    ],
)
def test_the_order_of_a_run_is_simulated(tmp_path, changes, worker_starts, wall):
    simulated = forecast(study_of(experiment(**changes), tmp_path), PackTime.in_turn(10.0), worker_starts)
    assert simulated.wall_seconds == pytest.approx(wall)
    assert simulated.busy_seconds == 10 * simulated.trainings
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("worker_starts", "lanes", "wall"),
    [
        (
            [0],
            5,
            100,
        ),  # 2 packs of 5 cells, which take 50 s each: whatever is side by side, the seconds are a cell's share
        ([0] * 2, 5, 50),
        ([0] * 10, 5, 10),  # packs that leave work for all have one cell
        ([0] * 5, 16, 20),
    ],
)
def test_packs_are_simulated_as_they_are_trained(tmp_path, worker_starts, lanes, wall):
    simulated = forecast(study_of(experiment(cycles=1), tmp_path), PackTime.in_turn(10.0), worker_starts, lanes)
    assert (simulated.wall_seconds, simulated.trainings) == (pytest.approx(wall), 10)


def test_packs_take_what_lies_between_one_training_and_as_many_as_were_measured(tmp_path):
    time = PackTime(alone=10.0, share=4.0, lanes=5)
    assert [time.seconds(count) for count in (1, 3, 5)] == [10, 15, 20]
    assert [PackTime.in_turn(10.0).seconds(count) for count in (1, 5)] == [10, 50]
    study = study_of(experiment(cycles=1), tmp_path)
    assert forecast(study, time, [0], lanes=5) == Forecast(10, 40, 40)  # two packs of 5
    assert forecast(study, time, [0] * 10, lanes=5).wall_seconds == 10


def test_states_that_are_kept_at_a_time_are_counted(tmp_path):
    """SILO's chain keeps one a cycle; with follow: oracle all of a cycle's may be a winner's, and SILO's own goes its way."""
    silo, oracle = (study_of(experiment(follow, cycles=2, seeds=1), tmp_path) for follow in ("silo", "oracle"))
    training = Trajectories.of(silo).training
    assert waves(silo, {training: 100}).state_bytes == 2 * 100
    assert waves(oracle, {training: 100}).state_bytes >= 5 * 100
    assert waves(silo).trainings == 2 * 5


@pytest.mark.parametrize(
    ("changes", "chain"),
    [
        ({"cycles": 1}, 1),
        ({"cycles": 5}, 5),
        ({"cycles": 3, "follow": "oracle"}, 3),
        ({"cycles": 3, "baselines": {"cosine": {"shape": "cosine"}}}, 3),
        ({"cycles": 3, "baselines": {"cosine": {"shape": "cosine"}}, "over": "trajectory"}, 3),
    ],
)
def test_the_longest_chain_is_what_no_number_of_workers_shortens(tmp_path, changes, chain):
    study = study_of(experiment(**changes), tmp_path)
    assert waves(study).longest_chain == chain
    assert forecast(study, PackTime.in_turn(1000.0), [0] * 100).wall_seconds == pytest.approx(1000 * chain, rel=0.01)


def test_a_plan_says_what_any_number_of_devices_takes_and_what_those_of_the_file(tiny, tmp_path, capsys):
    """38 trainings of 51 iterations at 0.051 iterations a second: 1,000 s each; 3 cycles."""
    rate = "compute.rate={iterations_per_second: 0.051, source: made up}"
    assert main(["plan", str(tiny), "--out", str(tmp_path / "run"), "--set", rate, "--set", "compute.workers=2"]) == 0
    out = capsys.readouterr().out
    assert "3 of them wait for each other: 0.83 hours on any number of devices, 5.3 on 2, one training" in out


@pytest.mark.parametrize("follow", ["silo", "oracle"])
@pytest.mark.parametrize(
    ("baselines", "over"),
    [
        ({}, "dense"),
        ({"cosine": {"shape": "cosine"}, "keep": {"restart": "keep"}}, "dense"),
        ({"cosine": {"shape": "cosine"}}, "trajectory"),
        ({"flat": {"max_lr": 0.05}}, "dense"),
    ],
)
def test_as_many_trainings_are_simulated_as_a_run_trains(tmp_path, follow, baselines, over):
    spec = experiment(follow, baselines=baselines, over=over)
    study = study_of(spec, tmp_path / "simulated")
    trained = sweep(spec, Store(tmp_path / "swept"))
    assert forecast(study, PackTime.in_turn(1.0), [0]).trainings == len(trained)


def test_only_what_is_missing_is_simulated(tmp_path):
    spec = experiment(cycles=1)
    study = study_of(spec, tmp_path)
    sweep(experiment(cycles=1, grid=GRID[:2]), study.store)  # 2 x 3 of 10
    assert forecast(study, PackTime.in_turn(10.0), [0]).wall_seconds == 40
    sweep(spec, study.store)
    assert forecast(study, PackTime.in_turn(10.0), [0, 0]) == Forecast(0, 0.0, 0.0)


def test_what_failed_and_what_waits_for_it_is_not_simulated(tmp_path):
    study = study_of(experiment(cycles=3, seeds=1), tmp_path)
    own = next(step.cell for step in Trajectories.of(study).steps() if Role.CHAIN in step.roles)
    study.store.write_failure(own.id, "no reason")
    assert forecast(study, PackTime.in_turn(10.0), [0]).trainings == len(GRID)


# -- one training


@pytest.mark.parametrize(
    ("train", "tested_share", "seconds"),
    [
        # 4 epochs of 2 steps: 3 s, 7 more steps, 3 more epochs, 1 more batch of the gradient, 4 x 20 images, and 30 so often
        ({}, 1.0, 3 + 0.07 + 1.5 + 0.02 + 0.08 + 4 * 0.03),
        ({}, 0.5, 3 + 0.07 + 1.5 + 0.02 + 0.08 + 2 * 0.03),
        ({}, 0.0, 3 + 0.07 + 1.5 + 0.02 + 0.08 + 1 * 0.03),  # at the end it is looked at in any case
        ({"choose": "test-best"}, 0.5, 3 + 0.07 + 1.5 + 0.02 + 5 * 0.05),  # both, before and after every epoch
        ({"epochs": 1}, 1.0, 3 + 0.01 + 0.02 + 0.05),
        ({"batch_size": 200}, 1.0, 3 + 0.03 + 1.5 + 0.08 + 4 * 0.03),
        ({"batch_size": 33}, 1.0, 3 + 15 * 0.01 + 1.5 + 0.06 + 0.08 + 4 * 0.03),  # a short last batch is a step
    ],
)
def test_what_a_training_takes(train, tested_share, seconds):
    spec = experiment()
    spec = spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": 4, **train})})
    data = replace(DATA_INFO, training_images=128, validation_images=20, test_images=30)
    assert SPEED.training_seconds(spec, data, tested_share) == pytest.approx(seconds)


def test_a_training_alone_takes_its_own_steps():
    """Of 4 side by side a step is 0.01 s each; one alone takes 0.03 s: 15 more of 16 steps."""
    share = SPEED.training_seconds(experiment(), DATA_INFO)
    time = replace(SPEED, lanes=4, lone_step=0.03).pack_time(experiment(), DATA_INFO)
    assert (time.alone, time.share, time.lanes) == (pytest.approx(share + 15 * 0.02), share, 4)
    assert SPEED.pack_time(experiment(), DATA_INFO) == PackTime.in_turn(share)


# -- what is measured


@pytest.fixture
def problem(tiny):
    spec = load(tiny, [])
    study = new_study(spec, Path("nowhere"))
    return next(iter(problems(spec, study.dataset, DATA, torch.device("cpu")).values()))


@pytest.mark.parametrize("least", [0.001, 0.05, 10.0])
@pytest.mark.parametrize(("criterion", "lanes"), [("magnitude", 1), ("gradient-weight", 1), ("gradient-weight", 4)])
def test_differences_tell_what_each_part_costs(problem, monkeypatch, least, criterion, lanes):
    """Trainings whose costs are known, small and large: least once, 0.25 an epoch, 0.02 a step, 0.003 an image.

    Of lanes side by side each has its share; gradients are computed for one after another.
    """
    now = [0.0]

    def training(starts, data, recipe, *, seed, cycle, stepper):
        assert len(starts) == stepper.at_once == lanes
        assert all(start.max_lr == 0 and start.mask.alive < start.mask.total for start in starts)
        steps = recipe.steps_per_epoch(len(data.train))
        [recipe.shape.factor(t, steps, recipe.epochs) for t in range(1, steps * recipe.epochs + 1)]
        images = len(data.validation) - 1 + len(data.test) - 1
        now[0] += lanes * (least + recipe.epochs * (0.25 + 0.02 * steps + 0.003 * images))

    def passes(model, data, batch_size):
        now[0] += 0.01 * len(data.train) / batch_size

    monkeypatch.setattr(costs, "train_lanes", training)
    monkeypatch.setattr(costs, "gradients", passes)
    monkeypatch.setattr(costs.time, "perf_counter", lambda: now[0])
    pruning = replace(problem.pruning, criterion=CRITERIA[criterion])
    stepper = EagerStepper(at_once=lanes)
    measured = asdict(costs.measure_costs(replace(problem, pruning=pruning), 0, 0.0, stepper))
    assert measured.pop("cpu_share") <= 1
    gradient = 0.01 if criterion == "gradient-weight" else 0
    assert measured == pytest.approx({"step": 0.02, "epoch": 0.25, "image": 0.003, "gradient": gradient})


def test_only_criteria_that_call_for_the_gradient_pay_for_it():
    assert [name for name, criterion in CRITERIA.items() if costs.calls_for_gradient(criterion)] == ["gradient-weight"]


def test_a_shortened_problem_keeps_what_costs_time_and_loses_the_steps(problem):
    whole = problem.data(0)
    small = shortened.shorten(replace(problem, restart=Rewind("20it")), whole)
    assert [len(part) for part in (small.data(0).train, small.data(1).validation, small.data(2).test)] == [64, 1, 1]
    assert small.recipe.epochs == 1
    assert [small.restart.remember_at(cycle, 1) for cycle in (0, 1)] == [1, None]
    for restart in (Reinit(), Keep(), Rewind("20it")):
        early = shortened.EarlyRestart(restart, 17)
        assert early.initialization_cycle(3) == restart.initialization_cycle(3)
        weights = {"weight": torch.ones(2)}
        assert early.carry(None, weights, {}) == restart.carry(None, weights, {})


def test_a_shortened_split_has_as_many_full_batches_as_requested_whatever_the_data_has(problem):
    whole = problem.data(0)
    many = shortened.shorten_split(whole, 64, 20, 5)
    assert [len(part) for part in (many.train, many.validation, many.test)] == [1280, 5, 1]
    assert torch.equal(many.train.labels[1079:], whole.train.labels[:201])


def test_a_shortened_training_has_the_whole_ones_rates():
    shape = shortened.WholeShape(Cosine(), 10, 3)
    assert [shape.factor(t, 1, 1) for t in (1, 16, 31)] == [1.0, Cosine().factor(16, 10, 3), 1.0]


# -- the command


def predicted(out):
    return float(re.search(r"^predicted: ([\d.]+) s for (\d+) trainings", out, re.MULTILINE)[1])


@pytest.fixture
def here(monkeypatch):
    """Calibrations without Ray, in this process, and short."""

    def train_here(queue, make_worker, dataset, compute, store, progress):
        worker = make_worker(dataset)
        while jobs := queue.next(worker.lanes):
            worker.run(*jobs)
            queue.finished(*jobs)

    monkeypatch.setattr(calibration, "train_on_ray", train_here)
    monkeypatch.setattr(calibration, "MEASURING_SECONDS", 0.05)
    monkeypatch.setattr(calibration, "SHORTENED_SECONDS", 0.05)
    monkeypatch.setattr(shortened_worker, "MAX_WAIT", 0.0)


CHANGES = [
    [],
    ["prune.restart={kind: rewind, to: 20it}"],  # later than a shortened training's end
    ["prune.criterion=gradient-weight"],
    ["train.choose=test-best"],
    ["train.batch_size=2000"],  # one step an epoch
    ["train.shape={kind: cyclical, period: 1ep}"],
    ["data.split={kind: pooled, validation: 0.0006, test: 0.2}"],  # one validation image
    ["model={name: small-cnn}", "data.augment={crop: 1, flip: true}"],
    ["oracle.follow=oracle"],
    ["policies.baselines={keep: {restart: keep}, cosine: {shape: cosine}}"],
    ["prune.cycles=1", "oracle.seeds=1", "oracle.grid=[0.1]"],  # a single training
]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: " ".join(changes) or "as it is")
def test_whatever_the_experiment_it_is_calibrated(tiny, tmp_path, here, capsys, changes):
    words = [word for change in changes for word in ("--set", change)]
    assert main(["plan", str(tiny), "--calibrate", "--out", str(tmp_path / "run"), *words]) == 0
    assert predicted(capsys.readouterr().out) >= 0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize(
    ("most", "fault", "measured"),
    [
        (4, None, "1 worker of 4 trainings side by side"),
        (2, torch.OutOfMemoryError, "1 worker of 2 trainings side by side"),
        (0, CaptureError, "1 training at a time"),
    ],
)
def test_a_gpu_s_lanes_are_what_is_measured(tiny, tmp_path, here, capsys, monkeypatch, most, fault, measured):
    """Captures made up, of which more than ``most`` steps fail: what is timed steps as the run will."""
    recorded = []

    def recorder():
        def record(steps):
            if len(steps) > most:
                raise fault("made up")
            recorded.append(len(steps))
            return lambda: [step() for step in steps]

        return record

    real = worker_module.Worker.__init__

    def captured(self, *arguments):
        real(self, *arguments)
        self.stepper, self.lanes = GraphStepper(4, recorder), 4

    monkeypatch.setattr(worker_module.Worker, "__init__", captured)
    assert main(["plan", str(tiny), "--calibrate", "--out", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert measured in out and predicted(out) >= 0
    rate = load(tiny, [f"compute={re.search('line of the file: compute: (.*)', out)[1]}"]).compute.rate
    assert rate.lanes == max(1, most) and (rate.alone is not None) == (most > 1)
    assert most == 0 or {1, most} == {*recorded}
    assert (f"what 2 to {most - 1} side by side take lies evenly between one and {most}" in out) == (most > 2)


def test_where_nothing_is_missing_nothing_is_measured(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    study = study_of(experiment(cycles=2), tmp_path)
    sweep(study.experiment, study.store)
    assert calibrate(study) is None


def test_a_training_that_always_fails_is_reported(tiny, tmp_path, here, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr("oracle.run.worker.run_lanes", broken)
    study = new_study(load(tiny, []), tmp_path / "run")
    with pytest.raises(SweepError, match=r"no training could be measured: .*no such kernel"):
        calibrate(study)
