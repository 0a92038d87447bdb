"""Every experiment in benchmarks/ can be run as it lies there."""

import math
from pathlib import Path

import pytest

from oracle.cli import main
from oracle.spec.load import load, validate

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FILES = sorted([*BENCHMARKS.rglob("*.yaml"), *BENCHMARKS.rglob("*.yml")])
EXPERIMENTS = [pytest.param(path, id=str(path.relative_to(BENCHMARKS))) for path in FILES]


def of_source(source):
    return [path for path in FILES if load(path, []).data.source == source]


def test_there_is_a_quickstart():
    assert (BENCHMARKS / "quickstart.yaml") in of_source("digits")


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_it_is_valid_and_its_schedule_grows_from_epsilon(path):
    experiment = load(path, [])
    silo = experiment.silo
    rates = [experiment.schedule.max_lr(cycle) for cycle in range(experiment.prune.cycles)]
    assert rates == sorted(rates)
    assert rates[0] == silo.epsilon
    assert all(math.isfinite(rate) and silo.epsilon <= rate <= silo.epsilon + silo.delta for rate in rates)


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_its_network_trains_within_its_epochs(path):
    """The shape's drops come into force, and so does the restart's rewinding point."""
    experiment = load(path, [])
    steps = 100
    shape, epochs = experiment.recipe.shape, experiment.train.epochs
    factors = [shape.factor(t, steps, epochs) for t in range(1, steps * epochs + 1)]
    assert 0 <= min(factors) < max(factors) <= 1 or set(factors) == {1.0}
    assert all(at.count < epochs for at in getattr(shape, "drops", {}))


def test_names_are_different():
    """Else two experiments would claim one run folder."""
    names = [load(path, []).name for path in FILES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_it_comes_back_from_a_run_folder(path):
    experiment = load(path, [])
    assert validate(experiment.model_dump(mode="json"), "held") == experiment


@pytest.mark.parametrize("path", of_source("folder"), ids=lambda path: path.stem)
def test_images_that_are_not_there_are_one_line(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(path), "--local"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"data.path: {load(path, []).data.path}" in err
    assert "train/CLASS/*.jpg" in err
    assert list(tmp_path.iterdir()) == []


def test_the_quickstart_can_be_planned(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", str(BENCHMARKS / "quickstart.yaml")]) == 0
    assert "missing: " in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
