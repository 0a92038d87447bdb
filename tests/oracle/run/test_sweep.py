"""Real sweeps on digits: the same numbers however they are run, and nothing trained twice, whatever is killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from experiments import write
from packages import needs
from ray_settings import SETTINGS
from run_folder import records, report
from trained import train

from oracle.analysis.results import load_results
from oracle.cli.main import main
from oracle.study.store import Store
from oracle.study.study import open_study

# SILO's 0.1 is a grid value at cycles 0 and 1, not at cycle 2: 2 seeds x (6 + 6 + 7)
CELLS = 38


def run(file, out, *arguments):
    return main(["run", str(file), "--out", str(out), *arguments])


def trained(folder):
    return Counter(entry["cell"] for entry in Store(Path(folder)).attempts() if entry["event"] == "recorded")


def started(folder):
    return Counter(entry["cell"] for entry in Store(Path(folder)).attempts() if entry["event"] == "started")


def leftovers(folder):
    return list(Path(folder).rglob("*.tmp"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """One whole run in this process: what every other way of running must equal."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run(write(folder), folder / "run", "--local") == 0
    return folder / "run"


def test_a_second_run_trains_nothing(tiny, undisturbed, capsys):
    before = {path: path.stat().st_mtime_ns for path in (undisturbed / "records").iterdir()}
    assert run(tiny, undisturbed) == 0
    assert "nothing to train: 38 of 38" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (undisturbed / "records").iterdir()} == before


def test_on_a_cpu_a_run_in_packs_has_the_records_of_one_cell_by_cell(tiny, tmp_path, undisturbed):
    assert train(tiny, tmp_path / "packs", "compute.lanes=4")
    assert records(tmp_path / "packs") == records(undisturbed)


def interrupted(tiny, out, how, *arguments):
    """Start a run, interrupt it once some cells are recorded, and return its exit code once all its workers have ended.

    What it listens to meanwhile must be on loopback.
    """
    command = [sys.executable, "-m", "oracle.cli", "run", str(tiny), "--out", str(out), *arguments]
    # other tests of this process have set what a sweep sets
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))} | SETTINGS
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean)
    deadline = time.monotonic() + 60
    while len(list((out / "records").glob("*.json"))) < 6 and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    driver.send_signal(signal.SIGSTOP)  # to look around
    family = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)]
    workers = [process for process in family if "Trainable" in " ".join(process.cmdline())]
    listening = {c.laddr.ip for process in family for c in process.net_connections() if c.status == "LISTEN"}
    driver.send_signal(how)
    driver.send_signal(signal.SIGCONT)
    code = driver.wait(60)
    assert psutil.wait_procs(workers, 20)[1] == []
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert bool(workers) == bool(listening) == ("--local" not in arguments)
    return code


@pytest.mark.parametrize(
    ("how", "arguments"),
    [
        (signal.SIGKILL, ["--local"]),
        (signal.SIGINT, ["--set", "compute.workers=2"]),  # killed sweeps on Ray: tests/machines
    ],
    ids=["kill-local", "ctrl-c-ray"],
)
def test_after_an_interruption_only_the_missing_cells_are_trained(tiny, tmp_path, undisturbed, how, arguments):
    if "--local" not in arguments:
        needs("ray")
    out = tmp_path / "run"
    code = interrupted(tiny, out, how, *arguments)
    assert code == (130 if how == signal.SIGINT else -signal.SIGKILL)
    done = set(records(out))
    assert 6 <= len(done) < CELLS
    before = trained(out)
    assert run(tiny, out, "--local") == 0
    after = trained(out) - before
    assert set(after) | done == set(records(undisturbed))
    assert max(trained(out).values()) == 1
    assert records(out) == records(undisturbed)
    assert report(out) == report(undisturbed)
    assert leftovers(out) == []


@pytest.mark.parametrize(
    ("change", "new"),
    [
        ("oracle.grid=[0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 1e6]", 6),  # one value more: 3 cycles x 2 seeds
        ("oracle.seeds=3", 19),  # one seed more
        ("prune.cycles=4", 14),  # one cycle more: 2 seeds x (6 + 1)
        ("oracle.tolerance=1.5", 0),
        ("silo.delta=0.2", 2),  # at cycle 2, SILO's value alone
    ],
)
def test_a_wider_study_trains_only_what_is_new(tiny, tmp_path, undisturbed, change, new):
    out = tmp_path / "run"
    subprocess.run(["cp", "-r", undisturbed, out], check=True)
    before = started(out)
    assert train(tiny, out, change)
    assert sum((started(out) - before).values()) == new
    assert all(count == 1 for count in started(out).values())


def test_a_value_that_diverges_is_recorded_and_never_wins(undisturbed):
    diverged = [r for r in records(undisturbed).values() if r["outcome"]["diverged"]]
    assert {record["cell"]["max_lr"] for record in diverged} == {1e6}
    assert len(diverged) == 6
    comparison = load_results(undisturbed).comparison
    assert (comparison.high < 1e6).all()
    assert not comparison.open_high.any()


def test_the_oracles_own_chain_starts_each_seed_from_the_winner(tiny, tmp_path):
    local = tmp_path / "local"
    assert train(tiny, local, "oracle.follow=oracle")
    results = load_results(local)
    cells, best = results.cells, results.comparison.best_max_lr
    for cycle in (1, 2):
        parents = cells[(cells.cycle == cycle - 1) & cells.candidate & (cells.max_lr == best[cycle - 1])]
        judged = cells[(cells.cycle == cycle) & cells.candidate]
        for seed in (0, 1):
            assert set(judged[judged.seed == seed].start) == set(parents[parents.seed == seed].leaves)
    # SILO's own chain goes its own way from its own masks
    own = cells[cells.chain].set_index(["seed", "cycle"])
    assert all(own.start[seed, cycle] == own.leaves[seed, cycle - 1] for seed in (0, 1) for cycle in (1, 2))
    # what no cycle starts from is gone: for each seed and cycle: its own chain, the winner, SILO on the judged masks
    assert len(list((local / "states").iterdir())) <= 18


def test_a_lost_state_is_made_again_and_changes_nothing(tiny, tmp_path, undisturbed):
    out = tmp_path / "run"
    subprocess.run(["cp", "-r", undisturbed, out], check=True)
    for state in (out / "states").iterdir():
        state.unlink()
    last = [cell for cell, record in records(out).items() if record["cell"]["cycle"] == 2]
    for cell in last:
        (out / "records" / f"{cell}.json").unlink()
    assert run(tiny, out, "--local") == 0
    assert records(out) == records(undisturbed)
    assert report(out) == report(undisturbed)


def without_the_last_cycle(undisturbed, out):
    subprocess.run(["cp", "-r", undisturbed, out], check=True)
    for cell, record in records(out).items():
        if record["cell"]["cycle"] == 2:
            (out / "records" / f"{cell}.json").unlink()
    return out


def test_a_training_that_raises_is_failed_with_its_reason_and_tried_again_when_requested(
    tiny, tmp_path, undisturbed, capsys, monkeypatch
):
    def raises(*arguments):
        raise ValueError("no")

    out = without_the_last_cycle(undisturbed, tmp_path / "run")
    with monkeypatch.context() as patched:
        patched.setattr("oracle.run.worker.run_lanes", raises)
        assert run(tiny, out, "--local") == 1
    assert "14 trainings failed" in capsys.readouterr().out
    assert not train(tiny, out)  # failures stand until another try is requested
    message = "nothing to train: 24 of 38 trainings are recorded, 14 failed; --retry-failed tries them again"
    assert message in " ".join(capsys.readouterr().out.split())
    assert run(tiny, out, "--local", "--retry-failed") == 0
    assert records(out) == records(undisturbed)
    assert report(out) == report(undisturbed)


def test_a_damaged_start_state_is_one_line_and_fails_no_training(tiny, tmp_path, undisturbed, capsys):
    out = without_the_last_cycle(undisturbed, tmp_path / "run")
    for state in (out / "states").iterdir():
        state.write_bytes(b"no state")
    assert run(tiny, out, "--local") == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and f"{out}/states/" in line and "delete it to have it made again" in line
    assert not (out / "failed").exists()
    for state in (out / "states").iterdir():
        state.unlink()
    assert train(tiny, out)
    assert records(out) == records(undisturbed)


def test_a_second_driver_is_refused(tiny, tmp_path, undisturbed, capsys):
    from oracle.study.study import claimed

    with claimed(open_study(undisturbed)):
        assert run(tiny, undisturbed, "--local") == 2
    assert "another run at work in this folder" in capsys.readouterr().err


@pytest.mark.parametrize("restart", ["reinit", "keep", "{kind: rewind, to: 5it}"])
def test_silo_alone_gives_the_chain_that_the_sweep_recorded(tiny, tmp_path, restart):
    """Through the stored states, weights included where the restart carries them."""
    import torch

    from oracle.plan.trajectories import Trajectories
    from oracle.run.problem import problems
    from oracle.study.data import load_dataset
    from silo import train_trajectory

    assert train(tiny, tmp_path / "run", f"prune.restart={restart}")
    study = open_study(tmp_path / "run")
    experiment = study.experiment
    found = problems(experiment, load_dataset(experiment), study.data.digest, torch.device("cpu"))
    made = found[Trajectories.of(study).training]
    alone = train_trajectory(made, experiment.schedule, cycles=3, seed=1)
    chain = {r["cell"]["cycle"]: r for r in records(tmp_path / "run").values() if is_silo(r, experiment, seed=1)}
    for cycle, result in enumerate(alone):
        assert chain[cycle]["leaves"] == result.leaves.digest()
        assert chain[cycle]["outcome"]["curve"] == [asdict(epoch) for epoch in result.outcome.curve]


def is_silo(record, experiment, seed):
    cell = record["cell"]
    return cell["seed"] == seed and cell["max_lr"] == experiment.schedule.max_lr(cell["cycle"])
