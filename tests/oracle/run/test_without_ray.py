"""Without Ray and Optuna a study that searches exhaustively is planned, trained and reported all the same, on a machine that is
strange in other ways, too.
"""

import os
import subprocess
import sys

import pytest
from trained import train

from oracle.cli.main import main
from oracle.run.calibration import calibration

CODE = """
import sys

sys.modules["ray"] = sys.modules["optuna"] = None  # to import either raises

import oracle.run.run
from oracle.cli.main import main

file, folder, label = sys.argv[1:]
changes = ["--set", "prune.cycles=2", "--set", "oracle.seeds=1", "--set", "oracle.grid=[0.03, 0.1]"]
changes += ["--set", label]
codes = [
    main(["plan", file, "--out", folder, *changes]),
    main(["run", file, "--local", "--out", folder, *changes]),
    main(["report", folder]),
]
assert codes == [0, 0, 0], codes
"""

STRANGE = {
    "MPLBACKEND": "module://of_a_notebook",  # not installed here
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
}


def test_a_study_needs_neither_ray_nor_optuna_nor_a_screen_nor_a_locale(tiny, tmp_path):
    run = tmp_path / "Läufe"
    command = [sys.executable, "-c", CODE, str(tiny), str(run), "label=Größe 数"]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ | STRANGE)
    assert done.returncode == 0, done.stderr
    assert len(list((run / "records").glob("*.json"))) == 4
    assert b"Gr??e ?" in done.stdout
    assert "Größe 数" in (run / "report" / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def without(monkeypatch):
    """To import this package raises from now on, in this process."""
    return lambda package: monkeypatch.setitem(sys.modules, package, None)


def one_line(capsys, *words):
    line = capsys.readouterr().err
    assert line.startswith("silo-oracle: ") and line.count("\n") == 1
    assert all(word in line for word in words), line


@pytest.mark.parametrize("where", [[], ["--address", "auto"], ["--address", "127.0.0.1:6379"]])
@pytest.mark.parametrize("package", ["ray", "pyarrow"])  # which Ray without its Tune lacks
def test_a_run_that_needs_ray_says_so_before_anything_is_written(tiny, tmp_path, capsys, without, where, package):
    without(package)
    assert main(["run", str(tiny), "--out", str(tmp_path / "run"), *where]) == 2
    one_line(capsys, f"{package} must be installed", "pip install 'ray[tune]'", "run --local")
    assert not (tmp_path / "run").exists()


def test_a_search_that_needs_optuna_says_so_before_anything_is_trained(tiny, tmp_path, capsys, without):
    without("optuna")
    changes = ["--set", "oracle.search=adaptive"]
    assert main(["run", str(tiny), "--local", "--out", str(tmp_path / "run"), *changes]) == 2
    one_line(capsys, "optuna must be installed", "oracle.search")
    assert not (tmp_path / "run").exists()


def test_a_command_that_needs_optuna_says_so(tmp_path, capsys, without, tiny, monkeypatch):
    without("optuna")
    monkeypatch.delitem(sys.modules, "oracle.report.optuna_export", raising=False)  # other tests imported it
    assert train(tiny, tmp_path / "run", "prune.cycles=1", "oracle.seeds=1", "oracle.grid=[0.03, 0.1]")
    capsys.readouterr()
    assert main(["export", str(tmp_path / "run"), "--optuna", str(tmp_path / "studies.db")]) == 2
    one_line(capsys, "optuna must be installed", "export needs it")


def test_a_plan_is_calibrated_without_ray(tiny, tmp_path, capsys, without, monkeypatch):
    without("ray")
    monkeypatch.setattr(calibration, "MEASURING_SECONDS", 0.05)
    monkeypatch.setattr(calibration, "SHORTENED_SECONDS", 0.05)
    changes = ["--set", "compute.workers=2"]  # one process measures, whatever is requested
    assert main(["plan", str(tiny), "--calibrate", "--out", str(tmp_path / "run"), *changes]) == 0
    out = capsys.readouterr().out
    assert "1 training at a time" in out and "predicted: " in out
    assert not (tmp_path / "run").exists()
