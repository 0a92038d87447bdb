"""The line that shows how far a run is."""

import io

import pytest
from rich.console import Console
from synthetic import DATA_INFO, GRID, OFF_GRID, experiment

from oracle.plan.trajectories import Trajectories
from oracle.run import progress
from oracle.run.progress import Progress
from oracle.study.record import Record
from oracle.study.store import Store
from silo.outcome import Outcome


def recorded(cell, diverged):
    """A record whose validation falls and whose test rises with max_lr."""
    validation, test = (None, None) if diverged else (90 - cell.max_lr, 80 + cell.max_lr)
    outcome = Outcome(diverged, None if diverged else 1, validation, test, validation, test, steps=1, curve=())
    return Record(cell.id, cell, outcome, 1, 1, (), None if diverged else "a state", {}, None, 0.0)


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Record accuracies by max_lr of cycle 0, best at 0.1 on validation and at 0.8 on test; returns the lines shown."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)

    def run(changes=None, diverged=()):
        spec = experiment(seeds=1, cycles=1)
        spec = spec.model_copy(update={"train": spec.train.model_copy(update=changes or {})})
        trajectories = Trajectories(spec, DATA_INFO, Store(tmp_path / "run"))
        out = io.StringIO()
        with Progress(Console(file=out, width=200), trajectories, 5, 0) as shown:
            for step in trajectories.steps():
                trajectories.records.write_record(recorded(step.cell, step.cell.max_lr in diverged))
                shown.finished(step.cell)
                if step.cell.max_lr == GRID[-1]:
                    break
        return out.getvalue().splitlines()

    return run


def test_a_line_has_the_trainings_the_cycle_the_best_and_the_time_left(lines):
    shown = lines()
    assert len(shown) == len({OFF_GRID, *GRID}) == 5
    assert shown[0] == "1/5 trainings · cycle 0 · best of those trained now: max_lr 0.3 (89.70%) · ? left"
    assert shown[-1] == "5/5 trainings · cycle 0 · best of those trained now: max_lr 0.1 (89.90%) · 0:00 left"


def test_the_best_is_by_what_the_study_chooses_on(lines):
    assert "max_lr 0.1 (89.90%)" in lines({"choose": "validation"})[-1]


def test_where_the_study_chooses_on_test_so_does_the_line(lines):
    assert "max_lr 0.8 (80.80%)" in lines({"choose": "test-best"})[-1]


def test_what_diverged_is_counted_and_never_the_best(lines):
    shown = lines(diverged=(OFF_GRID, *GRID))
    assert shown[-1] == "5/5 trainings · cycle 0 · 0:00 left"
