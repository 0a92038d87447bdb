"""A snapshot is one walk along the plan, and all that an analysis needs of a run folder."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from experiments import write
from trained import train

from oracle.analysis.results import analyze
from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.report.report import write_report
from oracle.study.study import open_study

CHANGES = {
    "prune.cycles": 2,
    "oracle": {"grid": [0.03, 0.1, 0.3, 1e6], "seeds": 2, "follow": "oracle", "search": "racing"},
    "policies.baselines": {"cosine": {"shape": "cosine"}},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder with each kind of trajectory in it."""
    folder = tmp_path_factory.mktemp("snapshot")
    assert train(write(folder, CHANGES), folder / "run")
    return folder / "run"


@pytest.fixture
def study(finished, tmp_path):
    return open_study(Path(shutil.copytree(finished, tmp_path / "run")))


def test_a_snapshot_walks_the_trajectories_once_and_an_analysis_not_at_all(study, monkeypatch):
    walks, steps = [], Trajectories.steps
    monkeypatch.setattr(Trajectories, "steps", lambda self: walks.append(1) or steps(self))
    snapshot = Snapshot.take(study)
    assert len(walks) == 1
    results = analyze(snapshot)
    assert len(walks) == 1 and not results.cells.empty and results.counts.count("missing") == 0


def test_an_analysis_and_its_report_read_the_run_folder_no_more(study, tmp_path):
    snapshot = Snapshot.take(study)
    before = analyze(snapshot)
    shutil.rmtree(study.store.folder)
    after = analyze(snapshot)
    for table in ("cells", "skipped", "comparison", "optima", "losses", "policies", "layers", "costs"):
        pd.testing.assert_frame_equal(getattr(after, table), getattr(before, table))
    assert (after.verdicts, after.notes, after.environments) == (before.verdicts, before.notes, before.environments)
    write_report(after, tmp_path / "report")
    assert (tmp_path / "report" / "report.html").exists() and not study.store.folder.exists()
