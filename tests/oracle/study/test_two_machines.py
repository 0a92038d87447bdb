"""Real runs that know nothing of each other: looked at while they go on, killed, merged; the report is that of one run."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from experiments import write
from trained import train

from oracle.cli.main import main
from oracle.cli.status import status_text
from oracle.study.store import Store
from oracle.study.study import open_study

TOTAL = 38  # trainings


def status(folder):
    return status_text(open_study(folder))


def numbers(said):
    """done, diverged, failed, running, missing over all cycles."""
    return [int(number) for number in re.search(r"\n  all (.*)\n", said)[1].split()]


def files(folder, besides=()):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file() and path.name not in besides}


def times(folder):
    """What also a file written again would change."""
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def report(folder):
    besides = ("cost.csv", "environment.json", "report.html")
    return {path.name: content for path, content in files(folder / "report", besides).items()}


def trained(folder):
    return Counter(entry["cell"] for entry in Store(folder).attempts() if entry["event"] == "recorded")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert main(["run", str(write(folder)), "--local", "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture
def say(capsys):
    def command(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return command


def test_after_runs_split_by_seeds_nothing_is_left_to_train(tiny, tmp_path, undisturbed, say):
    one, other = tmp_path / "one", tmp_path / "other"
    assert train(tiny, one, "oracle.seeds=[0]")
    assert train(tiny, other, "oracle.seeds=[1]")
    before = times(other)
    said = say("merge", one, other)
    assert times(other) == before
    assert f"{other}: took 19 records, 3 states, 0 checkpoints, 1 log\n" in said
    asks = "`silo-oracle run` with --set 'oracle.seeds=[0, 1]' uses its records, and trains what that misses"
    assert f"{other}: requests more than {one} does; {asks}\n" in said
    assert f"{one}: 19 of 19 trainings are recorded\n" in said
    assert open_study(one).experiment.oracle.seeds == (0,)
    merged, when = files(one, besides=["lock"]), times(one / "records")
    assert "took 0 records, 0 states, 0 checkpoints, 0 logs" in say("merge", one, other)
    assert (files(one, besides=["lock"]), times(one / "records")) == (merged, when)
    assert "nothing to train: 38 of 38" in say("run", tiny, "--local", "--out", one, "--set", "oracle.seeds=[0, 1]")
    assert report(one) == report(undisturbed)
    assert set(trained(one).values()) == {1}
    assert len(trained(one)) == TOTAL


@pytest.fixture
def driver(tiny, tmp_path):
    """A run in another process, looked at all the time, and stopped (as if time stood still) in the middle of a training."""
    out = tmp_path / "other"
    command = [sys.executable, "-m", "oracle.cli", "run", str(tiny), "--out", str(out), "--local"]
    driver = subprocess.Popen([*command, "--set", "oracle.seeds=[1, 0]"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and driver.poll() is None:
            if not (out / "study.json").exists():
                time.sleep(0.05)
                continue
            status(out)
            if len(list((out / "records").glob("*.json"))) >= 7:
                driver.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, driver.pid, os.WSTOPPED | os.WNOWAIT)
                if numbers(status(out))[3] == 1:
                    break
                driver.send_signal(signal.SIGCONT)  # it was between two trainings
        yield driver
    finally:
        driver.kill()
        driver.wait(60)


def test_a_run_is_looked_at_killed_and_merged(tiny, tmp_path, undisturbed, say, driver):
    """Into a folder whose run was cut off elsewhere; some of its states are lost, too. Only what neither had is trained."""
    one, other = tmp_path / "one", tmp_path / "other"
    before = times(other)
    during = status(other)
    assert times(other) == before
    assert driver.poll() is None
    recorded = {*Store(other).recorded()}
    driver.kill()
    assert driver.wait(60) == -signal.SIGKILL
    after = status(other)

    done, diverged, failed, trains, missing = numbers(during)
    assert 7 <= len(recorded) == done + diverged
    assert (failed, trains, missing) == (0, 1, TOTAL - len(recorded) - 1)
    assert re.search(rf"\nrecorded: {len(recorded)} of (at most )?{TOTAL} trainings\n", during)
    assert re.search(r"\na run is at work since 20\d\d-\d\d-\d\d \d\d:\d\d; it trains 1 now\n", during)
    assert re.search(r"\ntime left: (at most )?\d+ (s|min), by the pace of this run$", during)
    assert numbers(after) == [done, diverged, 0, 0, TOTAL - len(recorded)]
    assert re.search(r"\nno run is at work: the last one, begun 20.*, was cut off; `silo-oracle run` goes on\n", after)
    assert re.search(
        r"\ntime left: (at most )?\d+ (s|min), divided by the workers \(a training took \d+\.\d\d s\)$", after
    )

    shutil.copytree(undisturbed, one, ignore=shutil.ignore_patterns("report"))
    for number, cell in enumerate(sorted(Store(one).recorded())):
        if number % 3:
            (one / "records" / f"{cell}.json").unlink()
        (one / "states" / f"{cell}.pt").unlink(missing_ok=True)
    had, everything = recorded | {*Store(one).recorded()}, {*Store(undisturbed).recorded()}
    said = say("merge", one, other)
    assert f"{one}: {len(had)} of " in said
    assert "differ in their numbers" not in said
    assert "requests more" not in said
    by_then = trained(one)
    say("run", tiny, "--local", "--out", one)
    assert len(had) < len(everything) == TOTAL
    assert {*Store(one).recorded()} == everything
    assert trained(one) - by_then == Counter(everything - had)
    assert report(one) == report(undisturbed)
    assert not list(one.rglob("*.tmp"))
