"""The smoke mode of every file in benchmarks/paper, as its head says: what a user types before days of training."""

import re
import shlex
from pathlib import Path

import pytest

from benchmarks import smoke
from oracle.analysis.results import load_results
from oracle.cli.main import main

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FILES = sorted((BENCHMARKS / "paper").glob("*.yaml"))


def commands(path):
    """The commands below "Smoke mode", each as its words."""
    head, _, _ = path.read_text().partition("\nname:")
    _, _, mode = head.partition("\n# Smoke mode, ")
    text = "\n".join(re.findall(r"^#   +(.+)$", mode, re.MULTILINE))
    return [shlex.split(line) for line in text.replace("\\\n", " ").splitlines()]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder from which the files have the paths that they have from the root."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "benchmarks").symlink_to(BENCHMARKS)
    return folder


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_smoke_mode_of_a_file_runs_to_its_report(path, root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    images, run = commands(path)
    assert images[:3] == ["python", "-m", "benchmarks.smoke"]
    smoke.main(images[3:])
    assert run[:3] == ["silo-oracle", "run", f"benchmarks/paper/{path.name}"]
    assert main(run[1:]) == 0
    out = root / "runs" / "smoke" / path.stem
    results = load_results(out)
    assert set(results.cells.status) == {"done"} and set(results.cells.cycle) == {0, 1}
    assert list(results.policies.policy.unique()) == ["SILO", *results.experiment.baselines, "Oracle"]
    assert len(results.experiment.baselines) == 5
    assert (results.sizes.flops > 0).all()
    assert (out / "report" / "report.html").exists()
