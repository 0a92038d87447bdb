"""A study in MLflow itself, read back by its client."""

import importlib
import re

import pytest
from study import CURVE, FOLDER, page_command, study

from oracle.cli.main import main
from oracle.error import InputError

mlflow = pytest.importorskip("mlflow")
to_mlflow = importlib.import_module("oracle.report.trackers.to_mlflow")


@pytest.fixture
def uri(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MLflow puts artifacts
    return f"sqlite:///{tmp_path}/m.db"


def runs(uri, run):
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("digits-mlp").experiment_id
    found = client.search_runs([experiment], max_results=10_000)
    children = [one for one in found if one.data.tags.get("mlflow.parentRunId") == run]
    assert len(children) == len(found) - 1
    return client, client.get_run(run), children


def test_a_study_is_a_run_with_its_files_and_each_training_one_below(uri):
    results = study()
    run, written, there = to_mlflow.export(results, uri)
    assert (written, there) == (len(results.cells), 0)
    client, parent, children = runs(uri, run)
    assert parent.data.params["train.epochs"] == "12" and parent.data.params["model.hidden"] == "[100, 100]"
    judged = {"claim-1": "undecided", "claim-2": "undecided", "claim-3": "confirmed", "rival": "refuted"}
    assert {name: parent.data.tags[name] for name in judged} == judged
    (loss,) = [one.quantities[0] for one in results.verdicts if one.claim.startswith("3.")]
    assert parent.data.metrics["claim-3.high"] == loss.high
    files = {one.path for one in client.list_artifacts(run)}
    assert {"report.html", "verdicts.csv", "max_lr.png", "experiment.json"} <= files
    by_cell = {one.data.tags["cell"]: one for one in children}
    for row in results.cells.to_dict("records"):
        child = by_cell[row["id"]]
        assert child.info.status == "FINISHED" and child.data.params["max_lr"] == str(row["max_lr"])
        if row["status"] == "done":
            assert child.data.metrics["test"] == row["test"]
    curve = client.get_metric_history(children[0].info.run_id, "epoch.validation")
    assert [(one.step, one.value) for one in curve] == [(at, one.validation) for at, one in enumerate(CURVE, 1)]
    assert [one.step for one in client.get_metric_history(children[0].info.run_id, "epoch.loss")] == [1, 2]


def test_exported_again_what_is_there_stays_and_what_is_new_is_added(uri):
    first, written, _ = to_mlflow.export(study(cycles=1), uri)
    _, _, before = runs(uri, first)
    client = mlflow.MlflowClient(tracking_uri=uri)
    cut = client.create_run(before[0].info.experiment_id, tags=dict(before[0].data.tags) | {"silo_oracle.id": "x"})
    again, more, there = to_mlflow.export(study(cycles=2), uri)
    assert (again, there) == (first, written) and more > 0
    _, parent, after = runs(uri, again)
    assert {one.info.run_id for one in before} < {one.info.run_id for one in after}
    assert cut.info.run_id not in {one.info.run_id for one in after}  # what a killed export left
    assert len(after) == written + more == len(study(cycles=2).cells)
    assert len({one.data.tags["silo_oracle.id"] for one in after}) == len(after)
    history = client.get_metric_history(parent.info.run_id, "claim-3.estimate")
    assert [one.step for one in history] == [written, written + more]


@pytest.mark.parametrize("address", ["nowhere:x", "http://user:secret@localhost:1", "sqlite:////proc/no/m.db"])
def test_a_store_that_is_none_is_one_line_without_its_secret(tmp_path, monkeypatch, capsys, address):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(FOLDER), "--mlflow", address]) == 2
    message = capsys.readouterr().err
    assert message.startswith("silo-oracle: --mlflow must be ") and message.count("\n") == 1
    assert "secret" not in message


def test_a_deleted_experiment_is_said_to_be_one(uri):
    client = mlflow.MlflowClient(tracking_uri=uri)
    client.delete_experiment(client.create_experiment("digits-mlp"))
    with pytest.raises(InputError, match="experiment digits-mlp is deleted"):
        to_mlflow.export(study(1), uri)


def test_the_command_of_the_page_does_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("oracle.analysis.results.load_results", lambda folder: study(cycles=1))
    assert main(page_command("--mlflow")) == 0
    assert re.fullmatch(r"run \w+, \d+ trainings written, 0 were there\n.*", capsys.readouterr().out, re.DOTALL)
    assert (tmp_path / "mlflow.db").exists()
