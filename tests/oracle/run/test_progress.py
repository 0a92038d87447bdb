"""The line that shows how far a run is."""

import io

import pytest
from rich.console import Console
from synthetic import DATA_INFO, GRID, OFF_GRID, experiment

from oracle.plan.steps import Request, Role
from oracle.plan.trajectories import Trajectories
from oracle.run import progress
from oracle.run.progress import Progress
from oracle.study.cell import Cell
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
                shown.finished(step.cell, step.purpose)
                if step.cell.max_lr == GRID[-1]:
                    break
        return out.getvalue().splitlines()

    return run


def test_a_line_has_the_trainings_the_cycle_the_best_and_the_time_left(lines):
    shown = lines()
    assert len(shown) == len({OFF_GRID, *GRID}) == 5
    assert shown[0] == "1/5 trainings · ? left · best 0.3: 89.7% · SILO's chain, cycle 0 of 0, seed 0"
    assert shown[-1] == ("5/5 trainings · 0:00 left · best 0.1: 89.9% · the Oracle's search, cycle 0 of 0, seed 0")


def test_the_best_is_by_what_the_study_chooses_on(lines):
    assert "best 0.1: 89.9%" in lines({"choose": "validation"})[-1]


def test_where_the_study_chooses_on_test_so_does_the_line(lines):
    assert "best 0.8: 80.8%" in lines({"choose": "test-best"})[-1]


def test_what_diverged_is_counted_and_never_the_best(lines):
    shown = lines(diverged=(OFF_GRID, *GRID))
    assert shown[-1] == "5/5 trainings · 0:00 left · the Oracle's search, cycle 0 of 0, seed 0"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_of_any_width_shows_the_count_in_one_line(tmp_path, width):
    trajectories = Trajectories(experiment(seeds=1, cycles=1), DATA_INFO, Store(tmp_path / "run"))
    cell = next(trajectories.steps()).cell
    trajectories.records.write_record(recorded(cell, diverged=False))
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    with Progress(console, trajectories, 1460, 1233) as shown:
        shown.finished(cell, "search for a-baseline-of-a-long-name's max_lr")
    (line,) = [line for line in out.getvalue().splitlines() if "1234" in line]
    assert (
        "1234/1460 " in line and " ? left · best 0.3: 89.7" in line and len(line) < width + 20
    )  # 20: what steers the terminal
    assert ("cycle 0 of 0, seed 0" in line) == (width == 200)


@pytest.mark.parametrize(
    ("roles", "purpose"),
    [
        ({Role.CANDIDATE}, "the Oracle's search"),
        ({Role.CANDIDATE, Role.SILO}, "SILO on the judged masks"),
        ({Role.SILO, Role.CHAIN}, "SILO's chain"),
        ({Role.POLICY}, "cosine"),
        ({Role.SEARCH}, "search for cosine's max_lr"),
    ],
)
def test_a_line_says_what_a_training_is_for(roles, purpose):
    assert Request(Cell("training", 0, 0, 0.1), frozenset(roles), "cosine").purpose == purpose
