"""What `plan` says of time, disk and a GPU's memory, and of every rate whether it was measured."""

import re

import pytest
from trained import train

from oracle.cli.costs import bytes_text
from oracle.cli.main import main
from oracle.experiment.load import load
from oracle.run.footprint import file_sizes, gpu_memory
from oracle.study.study import planned_study

GPUS = ("compute.gpus_per_trial=1", "compute.workers=2", "train.precision=fp32")


@pytest.fixture
def planned(tiny, tmp_path, capsys):
    """What `plan` says of the tiny study: 38 trainings of 51 iterations, 3 cycles."""

    def plan(*changes):
        words = [word for change in changes for word in ("--set", change)]
        assert main(["plan", str(tiny), "--out", str(tmp_path / "run"), *words]) == 0
        return capsys.readouterr().out

    return plan


def rate(**fields):
    return "compute.rate={" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


@pytest.mark.parametrize(
    ("source", "said"),
    [("a guess", "(assumed: a guess)"), ("an assumption", "(an assumption)"), ("measured on X", "(measured on X)")],
)
def test_a_rate_says_whether_it_was_measured(planned, source, said):
    out = planned(rate(iterations_per_second=0.51, source=source))
    assert f"at 0.51 iterations a second {said}\n" in out
    assert "3 of them wait for each other: 0.083 hours on any number of devices\n" in out
    assert "GPU memory" not in out


def test_lanes_count(planned):
    """A training alone takes 1,000 s, one of 4 side by side 500 s: 2.7 hours if all packs of the 38 were full; some are not."""
    measured = rate(iterations_per_second=0.102, lanes=4, alone=0.051, source="measured")
    assert "0.83 hours on any number of devices, 3.1 on 2, up to 4 side by side on each\n" in planned(measured, *GPUS)
    one_by_one = rate(iterations_per_second=0.051, source="measured")
    line = "0.83 hours on any number of devices, 5.3 on 2, one training after another on each; "
    assert line + "1.9 if 4 side by side took as long as one" in planned(one_by_one, *GPUS, "compute.lanes=4")
    # without ``alone`` a training takes as long by itself: 4 x 500 s
    assert "1.7 hours on any" in planned(rate(iterations_per_second=0.102, lanes=4, source="measured"), *GPUS)


def test_a_share_of_a_gpu_has_a_share_of_its_rate(planned):
    half = planned(rate(iterations_per_second=0.102, source="measured"), "compute.gpus_per_trial=0.5")
    assert "0.83 hours on any number of devices" in half and "; 2 workers share a GPU" in half


def test_a_gpu_s_memory_is_said_by_training_and_by_worker(planned, tiny, tmp_path):
    line = re.search(r"^GPU memory.*$", planned("compute.gpus_per_trial=1"), re.MULTILINE)[0]
    memory = gpu_memory(planned_study(load(tiny, ["compute.gpus_per_trial=1"]), tmp_path / "run"))
    assert "not measured" in line and f"{bytes_text(memory.training.total)} a training" in line
    assert f"{bytes_text(memory.worker(16))} with 16 side by side, as many as 80 GB hold (assumed)" in line
    assert memory.lanes(0.0) == 1 and memory.worker(2) - memory.worker(1) == memory.training.total


def test_the_disk_that_it_takes_is_what_is_said(planned, tiny, tmp_path):
    """Records and start states of a study that was trained, beside what was said of it before; and its rate."""
    fewer = ["prune.cycles=2", "oracle.seeds=1", "oracle.grid=[0.1, 0.2]", "policies.baselines={keep: {restart: keep}}"]
    before, folder = planned(*fewer), tmp_path / "run"
    sizes = file_sizes(planned_study(load(tiny, fewer), folder))
    assert train(tiny, folder, *fewer)
    records = [path.stat().st_size for path in (folder / "records").iterdir()]
    states = [path.stat().st_size for path in (folder / "states").iterdir()]
    logs = sum(path.stat().st_size for path in (folder / "attempts").iterdir())
    assert max(records) + logs / len(records) <= sizes.record <= 4096 * (1 + max(records) // 4096) + 1000
    assert max(sizes.states.values()) >= max(states) > 0.5 * max(sizes.states.values())
    assert f"{bytes_text(sizes.record * len(records))} of records and logs" in before
    assert "disk" not in planned(*fewer)  # nothing is missing
    wider = planned(*fewer, "oracle.grid=[0.1, 0.2, 0.4]")
    assert re.search(r"a training took [\d.]+ s \(measured: \d+ records of this run, on CPU", wider)
    assert re.search(r"disk: at most .* in the run folder: .* now, ", wider)
