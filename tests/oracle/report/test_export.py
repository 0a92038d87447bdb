"""Records as Optuna studies: read back, they are the cells."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from experiments import write
from optuna.trial import TrialState
from published import published
from trained import train

from oracle.analysis.results import load_results
from oracle.cli.main import main
from oracle.report.optuna_export import export

SMALL = {
    "name": "small",
    "train.shape": "constant",
    "prune.cycles": 2,
    "silo.epsilon": 0.05,
    "oracle.grid": [0.01, 0.1, 1e6],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    assert train(write(folder, SMALL), folder / "run")
    return folder / "run"


def read(file):
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]


def test_a_run_read_back_is_its_cells_with_their_curves(run, tmp_path, capsys):
    assert main(["export", str(run), "--optuna", str(tmp_path / "new" / "s.db")]) == 0
    assert (
        f"2 studies, small, cycle 00 to small, cycle 01: optuna-dashboard sqlite:///{tmp_path}"
        in capsys.readouterr().out
    )
    cells = load_results(run).cells.set_index("id")
    studies = read(tmp_path / "new" / "s.db")
    assert [study.study_name for study in studies] == ["small, cycle 00", "small, cycle 01"]
    assert {*map(tuple, (study.metric_names for study in studies))} == {("validation accuracy (%)",)}
    trials = [(cycle, trial) for cycle, study in enumerate(studies) for trial in study.trials]
    assert sorted(trial.user_attrs["cell"] for _, trial in trials) == sorted(cells.index)
    for cycle, trial in trials:
        cell = cells.loc[trial.user_attrs["cell"]]
        assert (cell.cycle, cell.seed, cell.max_lr) == (cycle, trial.user_attrs["seed"], trial.params["max_lr"])
        assert ("silo" in trial.user_attrs["roles"]) == cell.silo
        if cell.status == "diverged":
            assert trial.state is TrialState.PRUNED and cell.max_lr == 1e6
            continue
        assert trial.state is TrialState.COMPLETE and trial.value == cell.validation
        assert trial.user_attrs["test"] == cell.test
        assert len(trial.intermediate_values) == 3 and max(trial.intermediate_values.values()) == trial.value
    best = studies[0].best_trial
    assert best.value == cells[(cells.cycle == 0)].validation.max()


def test_a_published_run_has_no_curves(tmp_path):
    results = published("cifar10-policies")
    cells = results.cells[results.cells.cycle < 2]
    export(replace(results, cells=cells), tmp_path / "s.db")
    studies = read(tmp_path / "s.db")
    # in both cycles SILO's is a grid value
    assert sum(len(study.trials) for study in studies) == (cells.candidate | cells.silo).sum() == 48
    assert not any(trial.intermediate_values for study in studies for trial in study.trials)
    weights = [study.user_attrs["weights_remaining"] for study in studies]
    assert weights == sorted(weights, reverse=True) and np.isclose(weights[1], 64, atol=0.1)


@pytest.mark.parametrize("name", ["a?b=1.db", "a#b.db", "a%20b.db", "full/x.db", "shut/x.db"])
def test_where_nothing_can_be_written_one_line_says_so_and_nothing_is(run, tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("full").touch()
    Path("shut").mkdir()
    if name.startswith("shut"):  # whoever is root may write anywhere
        monkeypatch.setattr("oracle.study.beside.temporary_beside", lambda path: Path("/proc/none"))
    place = "full must be" if name.startswith("full") else name  # what is in the way is named
    assert main(["export", str(run), "--optuna", name]) == 2
    message = capsys.readouterr().err
    assert message.startswith("silo-oracle: ") and place in message and message.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "shut"]


def test_what_cannot_be_exported_is_one_line_and_overwrites_nothing(run, tmp_path, capsys):
    file = tmp_path / "s.db"
    file.write_text("precious")
    assert main(["export", str(run), "--optuna", str(file)]) == 2
    assert main(["export", str(tmp_path), "--optuna", str(tmp_path / "other.db")]) == 2
    assert main(["export", str(run)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [part in line for line, part in zip(lines, (str(file), str(tmp_path), "--optuna"), strict=True)] == [
        True
    ] * 3
    assert file.read_text() == "precious" and not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("address", ["sqlite:///new.db", "mysql://host/new"])
def test_an_address_is_no_file(run, tmp_path, monkeypatch, capsys, address):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(run), "--optuna", address]) == 2
    assert "must be the name of a file, got an address" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
