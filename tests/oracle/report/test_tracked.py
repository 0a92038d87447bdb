"""What trackers get of a study; that they keep it is tested with the libraries themselves, in tests/integrations/trackers."""

import json
import sys
from dataclasses import replace

import pytest
from experiments import write
from trained import train

from oracle.analysis.results import load_results
from oracle.cli.main import main
from oracle.error import InputError
from oracle.report.trackers.report_files import write_files
from oracle.report.trackers.tracked import tracked_study, tracked_trainings

SMALL = {
    "name": "small",
    "train.shape": "constant",
    "prune.cycles": 3,
    "silo.epsilon": 0.05,
    "oracle.grid": [0.01, 0.1, 1e6],
    "policies.baselines": {"flat": {"max_lr": 0.1}},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    assert train(write(folder, SMALL), folder / "run")
    return folder / "run"


def test_each_training_is_a_run_with_its_curve(run):
    results = load_results(run)
    trainings = list(tracked_trainings(results))
    assert [one.tags["cell"] for one in trainings] == list(results.cells.id)
    assert len({one.id for one in trainings}) == len(trainings)
    for one, (_, row) in zip(trainings, results.cells.iterrows(), strict=True):
        record = json.loads((run / "records" / f"{row.id}.json").read_text())
        assert one.parameters == {"cycle": row.cycle, "seed": row.seed, "max_lr": row.max_lr}
        assert one.tags["status"] == row.status and not one.failed
        assert ("silo" in one.tags.get("roles", "").split()) == row.silo
        assert ("policies" in one.tags) == (row.policies != "")
        if row.status == "diverged":
            assert row.max_lr == 1e6 and "test" not in one.metrics
            continue
        assert one.metrics["test"] == row.test and one.metrics["chosen_epoch"] == row.chosen_epoch
        curve = record["outcome"]["curve"]
        assert [epoch["epoch.loss"] for epoch in one.curve] == [epoch["loss"] for epoch in curve]
        assert [epoch.get("epoch.test") for epoch in one.curve] == [epoch["test"] for epoch in curve]


def test_the_study_is_a_run_with_its_verdicts(run):
    results = load_results(run)
    study = tracked_study(results)
    assert list(study.parameters["oracle.grid.extra"]) == [0.01, 0.1, 1e6]
    assert study.parameters["policies.baselines.flat.max_lr.value"] == 0.1
    assert [study.tags[name] for name in ("claim-1", "claim-2", "claim-3", "rival")] == [
        str(verdict.judgement) for verdict in results.verdicts
    ]
    (gain,) = [one for one in results.verdicts if one.claim.startswith("2.")]
    if gain.quantities:
        assert study.metrics["claim-2.estimate"] == gain.quantities[0].estimate


def test_a_publication_is_the_same_study_without_curves(run, tmp_path):
    assert main(["publish", str(run), "--to", str(tmp_path / "published")]) == 0
    here, there = load_results(run), load_results(tmp_path / "published")
    assert tracked_study(here) == tracked_study(there)
    assert [one.id for one in tracked_trainings(here)] == [one.id for one in tracked_trainings(there)]
    assert not any(one.curve for one in tracked_trainings(there))


def test_the_run_is_by_what_the_study_is_not_by_what_computes_it(run, tmp_path):
    other = write(tmp_path, SMALL | {"oracle.seeds": 1, "prune.cycles": 1})
    assert train(other, tmp_path / "two", "compute.workers=1") and train(other, tmp_path / "one")
    one, two = (tracked_study(load_results(tmp_path / name)).id for name in ("one", "two"))
    assert one == two != tracked_study(load_results(run)).id


def test_its_files_are_those_of_a_publication(run, tmp_path):
    write_files(load_results(run), tmp_path / "files")
    assert main(["publish", str(run), "--to", str(tmp_path / "published")]) == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    published = {path.name: path.read_bytes() for path in (tmp_path / "published").iterdir()}
    assert set(published) - set(files) == {"README.md"}
    assert {name for name in files if files[name] != published[name]} == set()


@pytest.mark.parametrize("library", ["mlflow", "wandb"])
def test_a_library_that_is_missing_is_one_line(run, tmp_path, monkeypatch, capsys, library):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"oracle.report.trackers.to_{library}", raising=False)
    assert main(["export", str(run), f"--{library}", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(f"silo-oracle: {library} must be installed")
    assert not (tmp_path / "out").exists()


def test_nothing_recorded_is_one_line(run):
    results = load_results(run)
    with pytest.raises(InputError, match="nothing is recorded"):
        tracked_study(replace(results, cells=results.cells.iloc[:0]))
