"""Without Ray and Optuna a study that searches exhaustively is planned, trained and reported all the same."""

import subprocess
import sys

CODE = """
import sys

sys.modules["ray"] = sys.modules["optuna"] = None  # to import either raises

import oracle.run.run
from oracle.cli.main import main

file, folder = sys.argv[1:]
changes = ["--set", "prune.cycles=2", "--set", "oracle.seeds=1", "--set", "oracle.grid=[0.03, 0.1]"]
codes = [
    main(["plan", file, "--out", folder, *changes]),
    main(["run", file, "--local", "--out", folder, *changes]),
    main(["report", folder]),
]
assert codes == [0, 0, 0], codes
"""


def test_a_study_needs_neither_ray_nor_optuna(tiny, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tiny), str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "run" / "records").glob("*.json"))) == 4
    assert (tmp_path / "run" / "report" / "report.html").exists()
