"""Fitting SILO to recorded intervals: never worse than what was known, and honest about what it is worth."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from experiments import write
from hypothesis import given, settings
from hypothesis import strategies as st
from published import RESULTS, published

from oracle.analysis.results import load_results
from oracle.cli.main import main
from oracle.experiment.load import load
from oracle.fit.curve import beyond, fit
from oracle.fit.holdout import hold_out
from oracle.fit.report import write_fit
from oracle.fit.target import Fitness, Target, best_constant, targets
from oracle.report.figures.fit import plot_fit
from silo.schedule import ConstantSchedule, SiloSchedule

ROOT = Path(__file__).parents[3]
DIGITS = RESULTS / "digits-mlp"
GRID = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
FEW = 40  # trials of Optuna: the laws hold for any number
schedules = st.builds(
    SiloSchedule, st.floats(0.01, 1), st.floats(0, 1), st.floats(0.5, 20), st.integers(0, 6), st.just(0.2)
)


@pytest.fixture(autouse=True, scope="module")
def few_trials():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oracle.fit.curve.TRIALS", FEW)
        yield


@pytest.mark.parametrize(
    ("target", "max_lr", "margin"),
    [
        (Target(0, 0.1, 1.0), 0.2, math.log10(2)),
        (Target(0, 0.1, 1.0), 0.5, math.log10(2)),
        (Target(0, 0.1, 1.0), 0.1, 0.0),
        (Target(0, 0.1, 1.0), 10.0, -1.0),
        (Target(0, 0.1, 1.0), 0.01, -1.0),
        (Target(0, 0.0, 1.0), 0.001, 3.0),  # open below
        (Target(0, 0.1, math.inf), 100.0, 3.0),
    ],
)
def test_the_margin_of_a_cycle(target, max_lr, margin):
    assert target.margin(max_lr) == pytest.approx(margin)


def test_what_is_fitter():
    """More cycles inside, then the greater least margin, then a smaller miss; the rank agrees where no miss is larger."""
    worst_first = [
        (-1, -1),
        (-1, -0.1),
        (0.1, -1),
        (0.1, -0.1),
        (0.3, -0.1),
        (0.0, 0.2),
        (0.1, 0.2),
        (0.1, 0.3),
        (0.2, 0.3),
    ]
    fitness = [Fitness(margins) for margins in worst_first]
    assert sorted(fitness, key=lambda one: one.order) == [*fitness[:7], *fitness[7:]]
    assert [one.rank for one in fitness] == sorted(one.rank for one in fitness)


def test_the_best_constant_is_in_the_middle_of_where_most_intervals_are():
    found = best_constant([Target(0, 0.1, 0.4), Target(1, 0.2, 0.8), Target(2, 0.0, 0.3), Target(3, 1.0, math.inf)])
    assert found == (pytest.approx(math.sqrt(0.2 * 0.3)), 3)


@settings(deadline=None, max_examples=12)
@given(schedules, st.lists(st.tuples(st.sampled_from(GRID), st.sampled_from(GRID)), min_size=1, max_size=10))
def test_a_fit_is_never_worse_than_the_known_curve_and_the_best_constant(known, ends):
    intervals = [Target(cycle, min(pair), max(pair)) for cycle, pair in enumerate(ends)]
    fitted = Fitness.of(fit(known, intervals, GRID, 10), intervals)
    assert fitted.order >= Fitness.of(known, intervals).order
    still = ConstantSchedule(float(f"{best_constant(intervals)[0]:.4g}"))
    assert fitted.inside >= Fitness.of(still, intervals).inside


@pytest.mark.parametrize("width", [1.1, 1.5])
@pytest.mark.parametrize(
    "truth",
    [
        SiloSchedule(0.5, 1.0, 1.0, 0, 0.2),
        SiloSchedule(0.03, 0.04, 5, 1, 0.2),
        SiloSchedule(0.1, 0.9, 12, 4, 0.2),
        SiloSchedule(0.1, 0.05, 2, 0, 0.2),
    ],
    ids=str,
)
def test_intervals_around_a_curve_are_all_found(truth, width):
    intervals = [Target(m, truth.max_lr(m) / width, truth.max_lr(m) * width) for m in range(12)]
    unlike = SiloSchedule(1.0, 0.0, 1.0, 0, 0.2)
    assert Fitness.of(fit(unlike, intervals, GRID, 12), intervals).inside == 12


@pytest.mark.parametrize("name", ["digits-mlp", "cifar10-policies", "digits-cnn", "digits-mlp-adaptive"])
def test_on_published_runs_it_is_inside_at_least_as_often(name):
    results = published(name)
    experiment, intervals = results.experiment, targets(results.comparison)
    assert len(intervals) == results.comparison.informative.sum() > 3
    inside = (results.comparison.position[results.comparison.informative] == "inside").sum()
    assert Fitness.of(experiment.schedule, intervals).inside == inside
    curve = fit(experiment.schedule, intervals, experiment.oracle.grid.values(), experiment.prune.cycles)
    assert Fitness.of(curve, intervals).inside >= inside
    assert curve == fit(experiment.schedule, intervals, experiment.oracle.grid.values(), experiment.prune.cycles)
    assert all(value == float(f"{value:.4g}") for value in (curve.epsilon, curve.delta, curve.beta))


def test_every_cycle_is_held_out_once_and_every_half_of_the_seeds(monkeypatch):
    results, fitted_to = published("digits-mlp"), []
    monkeypatch.setattr("oracle.fit.holdout.fit", lambda known, given, *rest: fitted_to.append(given) or known)
    by_cycles, by_seeds = hold_out(results.cells, results.comparison, results.experiment, results.data)
    intervals = targets(results.comparison)
    assert by_cycles.cycles == len(intervals) == 18 and by_cycles.fitted == by_cycles.known == 15
    assert sorted(t.cycle for given in fitted_to[:5] for t in set(intervals) - set(given)) == [
        t.cycle for t in intervals
    ]
    assert by_seeds.cycles == len(fitted_to[5]) + len(fitted_to[6]) and fitted_to[5] != fitted_to[6]
    adaptive = published("digits-mlp-adaptive")  # not every value has two halves of the seeds
    held = hold_out(adaptive.cells, adaptive.comparison, adaptive.experiment, adaptive.data)
    assert [one.what for one in held] == ["a fifth of the cycles, in five turns"]


def test_the_command_gives_a_block_that_an_experiment_file_takes(tmp_path, capsys, monkeypatch):
    assert main(["fit", str(DIGITS), "--to", str(tmp_path / "fit")]) == 0
    said = capsys.readouterr().out
    page = (tmp_path / "fit" / "fit.md").read_text()
    block = yaml.safe_load(said[said.index("silo:") : said.index("Worth opening:")])
    assert block == yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    overrides = [f"silo.{field}={value}" for field, value in block["silo"].items() if field != "chosen"]
    fitted = load(ROOT / "benchmarks" / "digits-mlp.yaml", overrides)
    inside = Fitness.of(fitted.schedule, targets(published("digits-mlp").comparison)).inside
    assert f"with the fitted parameters: in {inside}; the nearest end is " in said and inside >= 15
    assert fitted.silo.chosen_on_seeds == (10, 11, 12, 13) and fitted.silo.search_trainings == 18 * 4 * 12
    assert {path.name for path in (tmp_path / "fit").iterdir()} == {"fit.md", "fit.png", "fit.svg", "fit.pdf"}
    monkeypatch.setattr("oracle.fit.report.hold_out", lambda *given: [])
    assert main(["fit", str(DIGITS), "--to", str(tmp_path / "fit")]) == 0  # an older fit is replaced


def test_a_fit_tells_what_it_touches_and_what_it_misses(tmp_path, monkeypatch):
    results = published("digits-mlp")
    curve = SiloSchedule(0.1, 0.0, 5.0, 1, 0.2)
    low = results.comparison.low.where(results.comparison.cycle > 1, 0.1)  # two ends are touched
    high = results.comparison.high.where(results.comparison.cycle != 4, 0.08).where(low < 0.1, 0.5)
    changed = results.comparison.assign(low=low.clip(upper=0.1), high=high, open_low=False, open_high=False)
    monkeypatch.setattr("oracle.fit.report.fit", lambda *given: curve)
    monkeypatch.setattr("oracle.fit.report.hold_out", lambda *given: [])
    text = write_fit(replace(results, comparison=changed), "there", tmp_path / "fit", 1000)
    intervals = targets(changed)
    touched = sum(curve.max_lr(one.cycle) in (one.low, one.high) for one in intervals)
    missed = [one.cycle for one in intervals if not one.low <= curve.max_lr(one.cycle) <= one.high]
    assert touched >= 2 and missed
    assert f"touching an end of {touched}\n" in text and "The fitted curve is a constant" in text
    assert [int(m) for m in re.findall(r"cycle (\d+) \(by", text)] == missed


def test_an_interval_that_a_search_left_open_on_both_sides_asks_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("oracle.fit.report.hold_out", lambda *given: [])
    results = published("digits-mlp-adaptive")
    informative = results.comparison.informative & (results.comparison.cycle > 3)
    changed = results.comparison.assign(informative=informative, open_low=True, open_high=results.comparison.cycle < 8)
    assert [target.cycle for target in targets(changed)] == list(results.comparison.cycle[informative])[4:]
    text = write_fit(replace(results, comparison=changed), "there", tmp_path / "fit", 1000)
    assert f"Of {informative.sum() - 4} informative cycles' intervals" in text
    assert "4 more intervals are open on both sides, and ask for nothing." in text


@pytest.mark.parametrize("side", ["low", "high"])
def test_no_curve_is_fitted_beyond_what_was_tried(side):
    results = published("digits-mlp")
    grid, cycles = results.experiment.oracle.grid.values(), results.experiment.prune.cycles
    end = grid[0] if side == "low" else grid[-1]  # where every interval is open
    changed = results.comparison.assign(**{"open_low": False, "open_high": False, f"open_{side}": True, side: end})
    curve = fit(results.experiment.schedule, targets(changed), grid, cycles)
    assert beyond(curve, grid, cycles) == []
    assert Fitness.of(curve, targets(changed)).inside == cycles


def test_a_curve_that_is_known_and_leaves_what_was_tried_is_shown_and_said(tmp_path, monkeypatch):
    results = published("digits-mlp")
    curve = SiloSchedule(0.001, 30.0, 5.0, 1, 0.2)
    monkeypatch.setattr("oracle.fit.report.fit", lambda *given: curve)
    monkeypatch.setattr("oracle.fit.report.hold_out", lambda *given: [])
    text = write_fit(results, "there", tmp_path / "fit", 1000)
    assert "\nThe curve leaves the range of what was tried in cycles 0, 1, " in text
    assert "\n**The curve leaves the range of what was tried in " in (tmp_path / "fit" / "fit.md").read_text()
    assert "1 interval is open on one side" in text  # as published
    low, high = plot_fit(results.comparison, curve, "a title").axes[0].get_ylim()
    assert low < 0.001 and high > curve.max_lr(17)


@pytest.mark.parametrize("command", ["fit", "table"])  # publish: tests/oracle/cli/test_cli.py
def test_where_no_folder_can_be_made_it_is_one_line(tmp_path, capsys, command):
    (tmp_path / "file").touch()
    assert main([command, str(DIGITS), "--to", str(tmp_path / "file" / "to" / "there")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "where a folder can be made" in said.err


def test_what_cannot_be_fitted_is_refused_in_one_line_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "else").touch()
    assert main(["fit", str(DIGITS), "--to", str(tmp_path / "full")]) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "fit.md").write_text("a stranger's")
    assert main(["fit", str(DIGITS), "--to", str(tmp_path / "other")]) == 2
    assert (tmp_path / "other" / "fit.md").read_text() == "a stranger's"
    assert main(["fit", str(tmp_path / "none"), "--to", str(tmp_path / "to")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and said[2].endswith(
        "must be a run folder, or one that `silo-oracle publish` made, got no folder"
    )
    assert all("got something else" in line for line in said[:2])
    assert not (tmp_path / "to").exists() and [path.name for path in (tmp_path / "full").iterdir()] == ["else"]


@pytest.mark.parametrize("informative", [0, 2])
def test_with_few_informative_cycles_there_is_nothing_to_fit_to(tmp_path, monkeypatch, capsys, informative):
    results = published("digits-mlp")
    few = results.comparison.assign(informative=results.comparison.cycle < informative)
    blank = replace(results, comparison=few)
    monkeypatch.setattr("oracle.analysis.results.load_results", lambda folder: blank)
    assert main(["fit", str(DIGITS), "--to", str(tmp_path / "to")]) == 2
    assert (
        re.search(rf"must .* 3 informative cycles .*, got {informative}", capsys.readouterr().err)
        and not (tmp_path / "to").exists()
    )


# -- from the dense network alone


CHANGES = {
    "train.shape": "constant",
    "prune.cycles": 4,
    "silo.epsilon": 0.7,
    "oracle": {"grid": [0.0001, 0.001, 0.01, 0.1, 1.0, 30.0], "seeds": [3, 8], "follow": "oracle"},
    "policies.baselines": {"cosine": {"shape": "cosine"}},
}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(write(Path(), CHANGES))


def test_tune_trains_few_dense_networks_on_other_seeds_and_gives_a_block(tiny, capsys):
    assert main(["tune", tiny, "--trainings", "9", "--local"]) == 0
    said = capsys.readouterr().out
    silo = yaml.safe_load(said[said.index("silo:") :])["silo"]
    dense = load_results(Path("runs/tiny-dense"))
    assert len(dense.cells) == silo["search_trainings"] <= 9 and set(dense.cells.cycle) == {0}
    assert set(dense.cells.seed) == {10000, 10001} == {*silo["chosen_on_seeds"]}
    assert silo["epsilon"] == dense.comparison.best_max_lr[0] in (0.01, 0.1)
    assert silo["delta"] == pytest.approx(4 / 3 * silo["epsilon"], rel=1e-3)
    chosen = load(Path(tiny), [f"silo.{field}={value}" for field, value in silo.items() if field != "chosen"])
    assert chosen.silo.search_trainings == silo["search_trainings"]
    assert main(["tune", tiny, "--trainings", "9", "--local"]) == 0
    assert "nothing to train" in capsys.readouterr().out


def test_tune_with_trainings_for_all_tries_all(tiny, capsys):
    assert main(["tune", tiny, "--trainings", "12", "--seeds", "20,21", "--local", "--out", "here"]) == 0
    assert len(load_results(Path("here")).cells) == 12 and load_results(Path("here")).skipped.empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trainings", "3"], "--trainings must .* 4 .*, got 3$"),
        (["--trainings", "0"], "--trainings: must .*, got 0;"),
        (["--trainings", "9", "--seeds", "8,9"], "--seeds must .*, got 8$"),
        (["--trainings", "9", "--seeds", "a"], "--seeds: must .*, got a;"),
        (["--trainings", "9", "--seeds", "9,9"], "oracle.seeds"),
        ([], "required: --trainings"),
    ],
)
def test_bad_input_of_tune_is_one_line_and_writes_nothing(tiny, capsys, arguments, message):
    assert main(["tune", tiny, *arguments]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said, re.MULTILINE) and said.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]


def test_where_the_best_lies_at_the_grid_s_end_tune_says_so(tiny, capsys):
    low = ["--set", "oracle.grid=[0.00001, 0.0001, 0.001, 0.01]", "--set", "oracle.tolerance=0.1"]
    assert main(["tune", tiny, "--trainings", "8", "--local", *low]) == 0
    assert "Values above the grid may do as well, or better" in capsys.readouterr().out


def test_where_the_best_is_the_last_that_was_tried_tune_asks_for_more_trainings(tiny, capsys):
    low = ["--set", "oracle.grid=[0.00001, 0.0001, 0.001, 0.003, 0.006, 0.01]", "--set", "oracle.tolerance=100"]
    assert main(["tune", tiny, "--trainings", "5", "--local", *low]) == 0
    said = capsys.readouterr().out
    assert "more --trainings would tell" in said and "widen" not in said


def test_where_nothing_learns_tune_chooses_nothing(tiny, capsys):
    assert main(["tune", tiny, "--trainings", "8", "--local", "--set", "oracle.grid=[1e-9, 2e-9]"]) == 2
    assert "must learn at some max_lr" in capsys.readouterr().err
