"""The speed benchmarks on a tiny scale: every way really trains, and rows, table and plot come out. Nothing is timed."""

import math
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmarks.speed import __main__ as command
from benchmarks.speed import gpu, layouts, plain, released, report, workers
from benchmarks.speed.images import cifar10, for_steps, of_digits
from benchmarks.speed.measure import Row, interleaved, median_bounds
from benchmarks.speed.plain_loop import train_plain
from benchmarks.speed.released_loop import ReleasedTraining
from benchmarks.speed.task import BATCH, PRUNED, Task, train_ours
from oracle.study.cell import Cell
from oracle.study.record import Record
from oracle.study.store import Store
from silo.data.augment import Augment
from silo.lane import EAGER, EagerStepper
from silo.outcome import Outcome
from silo.precision import LAYOUTS

RESULTS = Path(__file__).parents[1] / "results" / "speed"
CROPS = Augment(crop=4, flip=True)


def test_the_median_of_most_samples_lies_in_its_bounds():
    values = torch.rand(2000, 21, generator=torch.Generator().manual_seed(0))
    bounds = [median_bounds(sample.tolist()) for sample in values]
    assert 0.95 <= sum(low <= 0.5 <= high for low, high in bounds) / 2000 <= 0.985


@pytest.mark.parametrize(("n", "low", "high"), [(1, 0, 0), (5, 0, 4), (6, 0, 5), (9, 1, 7), (21, 5, 15)])
def test_the_bounds_are_order_statistics(n, low, high):
    assert median_bounds(list(range(n))[::-1]) == (low, high)


def test_pairs_are_measured_in_turns_and_the_first_does_not_count():
    did = []
    pairs = interleaved(lambda: did.append("ours"), lambda: did.append("other"), 3)
    assert did == ["other", "ours", "ours", "other"] * 2
    assert len(pairs) == 3


def test_a_row_tells_the_median_of_the_pairs_ratios():
    row = Row.of("plain", "a step", "ms", [(1.0, 2.0), (9.0, 3.0), (4.0, 4.0)], "<= 1.05")
    assert (row.ours, row.other, row.ratio, row.low, row.high, row.pairs) == (4.0, 3.0, 1.0, 0.5, 3.0, 3)


# -- the ways of training


@pytest.fixture(autouse=True)
def threads_as_before():
    """The plain loop has a process of its own in the benchmark, and says how many threads that has."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def epoch():
    return Task("resnet20", cifar10(None, 120), augment=CROPS)


def test_the_task_is_half_pruned(epoch):
    model, mask = epoch.start()
    assert mask.alive == mask.total - math.floor(PRUNED * mask.total)
    zeros = sum(int((p == 0).sum()) for name, p in model.named_parameters() if "weight" in name)
    assert zeros == mask.total - mask.alive


def test_the_released_way_trains_and_its_pruned_weights_stay_0(epoch):
    model, mask = epoch.start()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    torch.manual_seed(0)
    training = ReleasedTraining(model, epoch.data)
    losses = [training.steps() for _ in range(3)]
    assert losses[2] < losses[0]
    for name, parameter in model.named_parameters():
        alive = mask.layers.get(name, torch.ones(parameter.shape, dtype=torch.bool))
        assert bool((parameter[~alive] == 0).all()), name
        assert bool((parameter[alive] != before[name][alive]).any()), name


def test_the_released_way_evaluates_test_before_and_the_training_set_after_an_epoch(epoch, monkeypatch):
    training = ReleasedTraining(epoch.start()[0], epoch.data)
    did, steps = [], training.steps
    monkeypatch.setattr(training, "accuracy", did.append)
    monkeypatch.setattr(training, "steps", lambda: did.append("steps") or steps())
    training.epoch()
    assert did == [training.test, "steps", training.train]
    assert len(training.train) == math.ceil(len(epoch.data.train) / BATCH)


def test_the_plain_loop_and_ours_train_the_same_steps():
    """To what differs by chance: the order of the images."""
    task = Task("mlp", of_digits(), epochs=4)
    losses, ours = train_plain(task), train_ours(task)
    assert ours.steps == 4 * math.ceil(len(task.data.train) / BATCH)
    assert losses[-1] < losses[0] / 2
    assert losses == pytest.approx([one.loss for one in ours.curve], rel=0.1)


def test_the_plain_loop_holds_its_mask_and_crops(epoch, monkeypatch):
    held = []
    start = Task.start
    monkeypatch.setattr(Task, "start", lambda task: held.append(start(task)) or held[-1])
    losses = train_plain(Task("resnet20", for_steps(epoch.data), 3, CROPS))
    ((model, mask),) = held
    assert losses[-1] < losses[0]
    parameters = dict(model.named_parameters())
    assert all(bool((parameters[name][~alive] == 0).all()) for name, alive in mask.layers.items())


# -- the parts


def in_this_process(monkeypatch, module):
    """Instead of processes, which take seconds to start: the work as it is."""

    class Here:
        def __init__(self, count, environment):
            self.count = count

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __len__(self):
            return self.count

        def together(self, work, *arguments):
            return [work(*arguments)] * self.count

    monkeypatch.setattr(module, "processes", Here)


@pytest.mark.parametrize(("part", "rows"), [(released, 2), (plain, 6)])
def test_a_part_gives_its_rows(part, rows, monkeypatch):
    in_this_process(monkeypatch, part)
    if part is plain:
        monkeypatch.setattr(plain, "EPOCHS", 1)
    found = part.measure(None, images=64, pairs=1)
    assert len(found) == len({row.what for row in found}) == rows
    assert all(row.ratio > 0 and row.goal and row.part == part.__name__.rpartition(".")[2] for row in found)


def test_processes_have_the_environment_that_is_theirs(monkeypatch):
    import os

    from benchmarks.speed.process import DEFAULT, WORKER, processes

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with processes(1, WORKER) as ours, processes(1, DEFAULT) as default:
        assert ours.together(os.getenv, "OMP_NUM_THREADS") == ["1"]
        assert ours.together(os.getenv, "GLIBC_TUNABLES") == [WORKER["GLIBC_TUNABLES"]]
        assert default.together(os.getenv, "OMP_NUM_THREADS") == [None]
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_a_sweep_on_the_clock(tmp_path):
    """Two workers; the clock starts when the second begins, at 101; of a training under way the rest counts."""
    outcome = Outcome(True, None, None, None, None, None, steps=0, curve=())
    logs = {"a": [(1, 100, 102), (2, 102.5, 104)], "b": [(3, 101, 105)]}
    (tmp_path / "attempts").mkdir()
    for worker, cells in logs.items():
        lines = []
        for seed, began, ended in cells:
            cell = Cell("t", seed, 0, 0.1)
            Store(tmp_path).write_record(Record(cell.id, cell, outcome, 1, 1, (), None, {}, None, ended - began))
            lines += [f'{{"cell": "{cell.id}", "event": "started", "at": {began}}}']
            lines += [f'{{"cell": "{cell.id}", "event": "recorded", "at": {ended}}}']
        (tmp_path / "attempts" / f"{worker}.jsonl").write_text("\n".join(lines))
    found = workers.on_the_clock(tmp_path, 2)
    assert (found.wall, found.trained, found.trainings) == (4, 1 + 1.5 + 4, 2.5)


def test_rates_and_shares_of_workers(monkeypatch):
    monkeypatch.setattr(workers, "swept", lambda n, _: workers.Sweep(n, wall=10, trained=9 * n, trainings=50 * n))
    rows = {row.what: row for row in workers.measure(None, rounds=2)}
    assert [row.ratio for row in rows.values()] == pytest.approx([0.9, 0.9, 0.9, 2, 4])
    assert rows["2 at work: training / all their time"].goal == ">= 0.85"


# -- the command and its results


def made_up(part, ratio):
    def measure(path, **more):
        return [Row.of(part, "a step", "ms", [(ratio, 1.0)] * 6, "<= 1.05")]

    return measure


def test_a_part_replaces_its_own_rows_alone(tmp_path, monkeypatch, capsys):
    for name, module in command.PARTS.items():
        monkeypatch.setattr(module, "measure", made_up(name, 1.0))
    assert command.main(["--to", str(tmp_path)]) == 0
    monkeypatch.setattr(plain, "measure", made_up("plain", 2.0))
    assert command.main(["plain", "--to", str(tmp_path)]) == 0
    table = report.read(tmp_path)
    parts = [name for name in command.PARTS if name not in command.ON_A_GPU or torch.cuda.is_available()]
    assert table.part.tolist() == parts
    assert table.ratio.tolist() == [2.0 if name == "plain" else 1.0 for name in parts]
    text = (tmp_path / "README.md").read_text()
    assert text == report.text(table, command.PARTS)
    assert [line.split("|")[8].strip() for line in text.splitlines() if line.startswith("| a step")] == [
        "no" if name == "plain" else "yes" for name in parts
    ]
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".md", ".png", ".svg", ".pdf"}


@pytest.mark.parametrize("wrong", [["gpus"], ["--data", "nowhere"]])
def test_bad_input_is_one_line(wrong, tmp_path, capsys):
    assert command.main([*wrong, "--to", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "must be" in err and wrong[-1] in err
    assert not (tmp_path / "out").exists()


def test_the_published_readme_follows_from_the_published_table():
    table = report.read(RESULTS)
    assert set(table.part) <= set(command.PARTS)
    assert (RESULTS / "README.md").read_text() == report.text(table, command.PARTS)
    assert (RESULTS / "speed.png").exists()
    for row in table.to_dict("records"):
        assert row["low"] <= row["ratio"] <= row["high"]
        assert row["ours"] / row["other"] == pytest.approx(row["ratio"], rel=0.2)


def test_a_goal_is_met_by_the_whole_interval():
    rows = pd.DataFrame({"low": [1.4, 1.6, 1.0], "high": [1.8, 1.9, 1.1], "goal": [">= 1.5", ">= 1.5", "<= 1.05"]})
    assert [report.met(row) for row in rows.to_dict("records")] == ["no", "yes", "no"]


# -- a GPU's part, on this processor


def test_what_a_step_costs_at_least():
    """ResNet-20: 41 million multiplications an image forward, twice as many backward but for the first layer's."""
    flops, moved = gpu.cost(gpu.task_of(None, 320), torch.device("cpu"))
    forward = 2 * 64 * 40.8e6
    assert 2.8 * forward < flops < 3.05 * forward
    assert 6 * 4 * 272_000 < moved < 2**30


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: it would be measured")
def test_without_a_gpu_its_part_is_refused_and_nothing_written(tmp_path, capsys):
    assert command.main(["gpu", "--to", str(tmp_path / "speed")]) == 2
    assert capsys.readouterr().err.startswith("benchmarks.speed: PART gpu must ")
    assert not (tmp_path / "speed").exists()


def test_lane_steps_are_counted_beside_the_released_way_s(monkeypatch):
    """Two lanes in a clock that every look sets on: a way's rate is its lanes over its time."""
    clock = iter(range(1000))
    monkeypatch.setattr("benchmarks.speed.measure.time.perf_counter", lambda: float(next(clock)))
    ways = [("one", EAGER, 1), ("two", EagerStepper(at_once=2), 2)]
    task = gpu.task_of(None, 110)
    one, two = gpu.rates(task, ways, 2, torch.device("cpu"))
    steps = -(-len(task.data.train) // BATCH)
    assert (one.ours, two.ours, two.other) == (steps, 2 * steps, steps)
    assert (one.ratio, two.ratio, two.pairs, one.goal, two.goal) == (1, 2, 2, "", ">= 10")


def record_here():
    return lambda steps: lambda: [step() for step in steps]


@pytest.mark.parametrize("way", [layouts.Way("nchw", "native", "tf32")], ids=str)
def test_a_way_is_measured_with_ever_more_lanes(way):
    """On this processor, captures made up: layout and kernels are the way's, and afterwards what they were."""
    seen = []
    before, forward = dict(LAYOUTS), torch.nn.functional.batch_norm
    torch.nn.functional.batch_norm = lambda x, *rest, **more: (
        seen.append((torch._C._get_cudnn_enabled(), x.is_contiguous(memory_format=layouts.MEMORY_FORMATS[way.layout])))
        or forward(x, *rest, **more)
    )
    try:
        found = list(layouts.measured(way, torch.device("cpu"), lanes=(1, 2), images=110, recorder=record_here))
    finally:
        torch.nn.functional.batch_norm = forward
    assert {*seen} == {(way.norm == "cudnn", True)}
    assert [(one.lanes, len(one.us), one.same) for one in found] == [(n, layouts.TURNS, True) for n in (0, 1, 2)]
    assert dict(LAYOUTS) == before and torch._C._get_cudnn_enabled()
    assert [layouts.Found.of_json(one.to_json()) for one in found] == found


def found(way, lanes, us, same=True, device="a GPU"):
    return layouts.Found(way, lanes, (us, us, us), same, 1.0, device)


def test_every_way_is_shown_beside_the_engine_s_own_in_its_precision():
    own, other = layouts.engine_way("tf32"), layouts.Way("nchw", "native", "tf32")
    rows = layouts.rows_of([found(own, 12, 400.0), found(other, 12, 300.0, same=False), found(other, 16, 1.0)])
    assert [(row.what, row.ratio) for row in rows] == [
        (f"{own}: 12 lanes", 1.0),
        ("nchw, native batch norm, tf32: 12 lanes (weights differ from eager)", 0.75),
    ]


def test_ways_are_measured_once_on_a_device_the_engine_s_own_first(tmp_path, monkeypatch):
    measured, kept = [], tmp_path / "layouts.jsonl"

    def apart(way):
        measured.append(way)
        return [] if way.queues == 32 else [found(way, 0, 1.0)]  # one that hangs

    monkeypatch.setattr(layouts, "measured_apart", apart)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    rows = layouts.measure(None, kept)
    assert {*measured} == {*layouts.WAYS} and len(rows) == len(layouts.WAYS) - 1
    assert measured[:3] == [layouts.engine_way(precision) for precision in ("fp32", "tf32", "bf16")]
    measured.clear()
    assert layouts.measure(None, kept) == rows
    assert measured == [way for way in layouts.WAYS if way.queues == 32]
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "another GPU")
    layouts.measure(None, kept)
    assert len(measured) == 1 + len(layouts.WAYS)


def test_a_way_that_hangs_or_fails_is_a_line_and_counts_as_far_as_it_came(monkeypatch, capsys):
    way, one = layouts.WAYS[0], found(layouts.WAYS[0], 4, 1.0)

    def run(command, **options):
        assert options["env"]["CUDA_DEVICE_MAX_CONNECTIONS"] == "8"
        raise subprocess.TimeoutExpired(command, options["timeout"], output=f"{one.to_json()}\n".encode())

    monkeypatch.setattr(subprocess, "run", run)
    assert list(layouts.measured_apart(way, 45.0)) == [one]
    assert capsys.readouterr().err == f"{way}: it hangs, or is too slow: ended after 45 s\n"
    failed = subprocess.CompletedProcess([], 1, b"", b"Traceback\nAcceleratorError: CUDA error\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    assert list(layouts.measured_apart(way)) == []
    assert "AcceleratorError: CUDA error" in capsys.readouterr().err
