"""benchmarks/search: its replays are what a sweep trains, and its scores what they say."""

import numpy as np
import pandas as pd
import pytest
from published import RESULTS, published

from benchmarks.search.__main__ import main
from benchmarks.search.exhaustive import Cycle, Run, draw, read
from benchmarks.search.recorded import RecordedRun
from benchmarks.search.replay import fewer_seeds, halves, orders, replay, score
from benchmarks.search.simulated import SIZES, simulate, truths
from benchmarks.search.verdicts import CLAIMS, simulated
from benchmarks.search.verdicts_report import figure, section
from oracle.experiment.grid import Grid
from oracle.experiment.parts import Oracle
from oracle.experiment.search import Search

ADAPTIVE = Search(kind="adaptive")


@pytest.fixture(scope="module")
def digits():
    return read(RESULTS / "digits-mlp")


def test_a_replay_finds_what_the_published_sweep_found(digits):
    """results/digits-mlp-adaptive was trained for real, by the same trainings."""
    trained, found = published("digits-mlp-adaptive"), replay(digits, ADAPTIVE, range(4))
    assert found.trainings == len(trained.cells) <= digits.trainings / 3
    intervals = [(i.best, i.low, i.high, i.edge_low, i.edge_high) for i in found.intervals]
    columns = trained.comparison[["best_max_lr", "low", "high", "edge_low", "edge_high"]]
    assert intervals == [tuple(None if np.isnan(v) else v for v in row) for row in columns.itertuples(index=False)]


def test_at_no_cost_is_spared_nothing_is_off(digits):
    whole = score(fewer_seeds(digits, range(4)), digits)
    assert (whole.cost, whole.steps, whole.wider, whole.behind, whole.within) == (1, 0, 0, 0, 1)
    assert digits.trainings == 18 * 4 * 13
    assert score(fewer_seeds(digits, [0]), digits).steps > halves(digits)


def test_a_score_written_by_hand():
    # seed 0 alone has its best at 0.2 and its interval from there to 0.4; both seeds have it from 0.1 to 0.2
    accuracy = np.array([[80.0, 92.0], [90.0, 90.0], [89.5, 80.0]])
    run = Run("by hand", (0.1, 0.2, 0.4), 2, 4.0, (Cycle(accuracy, 0.3, np.array([88.0, 88.0])),))
    assert (run.interval(run.cycles[0]).low, run.interval(run.cycles[0]).high) == (0.1, 0.2)
    found = score(fewer_seeds(run, [0]), run)
    assert (found.cost, found.steps, found.wider, found.behind, found.within) == (0.5, 1.0, 0.0, 0.0, 1.0)
    found = score(fewer_seeds(run, [1]), run)  # from 0.1 to 0.2, its best at 0.1, which is 4 points worse
    assert (found.steps, found.behind, found.within) == (0.0, 4.0, 1.0)


def test_a_drawn_run_has_the_run_s_means_and_its_noise(digits):
    random = np.random.default_rng(0)
    drawn = np.stack([np.stack([c.accuracy for c in draw(digits, random).cycles]) for _ in range(40)])
    given = np.stack([c.accuracy for c in digits.cycles])
    near = np.nanmean(given, axis=2) > 95  # what collapsed is far noisier
    assert np.abs(drawn.mean(axis=(0, 3)) - given.mean(axis=2))[near].max() < 0.3

    def noise(table):  # what neither a value nor a seed explains, over the values near the best
        left = table - table.mean(axis=2, keepdims=True)
        return np.sqrt((left[near] ** 2).mean())

    seeds_apart = np.sqrt(noise(given) ** 2 - np.mean([noise(one) for one in drawn]) ** 2)
    assert 0.3 < seeds_apart < 1.0  # what a seed adds to every value is no noise, and isn't drawn
    assert len({tuple(order) for order in orders(digits)}) > 8


def test_a_recorded_run_is_judged_as_the_published_one():
    run, whole = RecordedRun.read(RESULTS / "cifar10-policies"), published("cifar10-policies")
    found = run.results(Search(), range(3))
    of_oracle = whole.cells[whole.cells.candidate | whole.cells.silo]
    assert len(found.cells) == len(of_oracle)
    for ours, theirs in zip(found.verdicts, whole.verdicts, strict=True):
        if not ours.claim.startswith("2."):  # the baselines are left out
            assert (ours.judgement, ours.evidence) == (theirs.judgement, theirs.evidence)
    searched = run.results(Search(kind="until-decided"), (2, 0, 1))
    assert len(searched.cells) <= len(found.cells) and not searched.counts.missing


def test_a_simulated_search_that_sees_all_judges_as_the_whole_grid_at_its_level():
    oracle = Oracle(grid=Grid(extra=(0.1, 0.2)), seeds=4, search=Search(kind="until-decided"))
    for one in simulate(truths(SIZES[0])["grows x7/3"], oracle, 3):
        assert 0 < one.cost <= 1 and (one.cost == 1) == (one.rounds == 3)
    (large,) = simulate(truths(SIZES[0])["grows x8"], oracle, 1)
    assert large.cost < 0.6 and not large.false


def test_the_tables_by_verdicts_are_written():
    table = simulated(1, SIZES[:1], (4,))
    same = {claim: ["undecided"] for claim in CLAIMS} | {f"{claim}, whole grid": ["undecided"] for claim in CLAIMS}
    rows = pd.DataFrame({"run": ["a"], "search": ["racing"], "order": ["0 1"], "cost": [0.5], "judged": [True]} | same)
    text = "\n".join(section(rows, table))
    assert "| grows x8 |" in " ".join(text.split()) and "0.50" in text
    assert len(figure(table).axes) == 1


def test_what_is_no_run_is_refused_in_one_line(tmp_path, capsys):
    assert main([str(tmp_path), "--to", str(tmp_path / "to")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "to").exists()
