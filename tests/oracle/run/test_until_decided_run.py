"""A real search until-decided on digits: it ends early, a killed one ends with the same, and more seeds train only more."""

import subprocess
import sys
import time

import pytest
from experiments import write
from run_folder import records, report

from oracle.analysis.results import load_results
from oracle.cli.main import main

GRID = [0.003, 0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8]
CHANGES = {
    "prune.cycles": 5,
    "prune.rate": 0.5,
    "silo": {"epsilon": 0.1, "delta": 0.3, "beta": 5, "delay": 0},
    "oracle": {"grid": GRID, "seeds": 3, "tolerance": 2.0, "search": "until-decided"},
}
WHOLE = 5 * 3 * (len(GRID) + 1) - 3  # SILO's 0.1 is a grid value at cycle 0


def run(file, out, *arguments):
    return main(["run", str(file), "--out", str(out), "--local", *arguments])


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("file"), CHANGES)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, file):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    assert run(file, out) == 0
    return out


def test_it_ends_early_and_says_what_it_skipped(undisturbed):
    results = load_results(undisturbed)
    assert len(records(undisturbed)) < WHOLE
    assert results.counts.missing == 0
    assert results.findings.level == results.experiment.oracle.levels[0]
    assert "round" in (undisturbed / "report" / "skipped.csv").read_text()


def test_a_killed_one_goes_on_to_the_same_report(file, undisturbed, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "oracle.cli", "run", str(file), "--out", str(out), "--local"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(out.glob("records/*.json"))) < 30 and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    assert 30 <= len(records(out)) < len(records(undisturbed))
    assert run(file, out) == 0
    assert records(out) == records(undisturbed)
    assert report(out) == report(undisturbed)


def test_the_plan_says_how_many_at_least_and_at_most(file, tmp_path, capsys):
    assert main(["plan", str(file), "--out", str(tmp_path / "run")]) == 0
    text = capsys.readouterr().out
    assert (
        "the search is until-decided: 10 to 27 of these 27 trainings a cycle, beside SILO's own, in at most 3" in text
    )
    assert f"at most {WHOLE} trainings" in text


def test_what_it_recorded_is_not_trained_again(file, undisturbed, tmp_path):
    out = tmp_path / "run"
    subprocess.run(["cp", "-r", undisturbed, out], check=True)
    before = records(out)
    assert run(file, out, "--set", "oracle.seeds=4") == 0
    assert run(file, out, "--set", "oracle.search=exhaustive") == 0
    assert before.items() <= records(out).items()
