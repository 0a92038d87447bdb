"""benchmarks/power: what its truths say is true, what is drawn from them, and a few sizes and powers."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.power import pairs
from benchmarks.power.bounds import POOLED, SINGLE, powers, sizes
from benchmarks.power.cells import cells, short
from benchmarks.power.draw import draw
from benchmarks.power.measure import VERDICTS, false, outcomes
from benchmarks.power.report import read, readme
from benchmarks.power.table import tabulate
from benchmarks.power.truths import CHANCE, COMPARED, KINDS, OWN, Truth, known

RESULTS = Path(__file__).parents[1] / "results"


@pytest.fixture(scope="module")
def named():
    return cells()


@pytest.fixture(scope="module")
def table():
    return tabulate(short(), 20).set_index("truth")


# -- a short version of the benchmark


def at_most(share, studies):
    """The bound, and three Monte Carlo standard errors."""
    return share + 3 * math.sqrt(share * (1 - share) / studies)


def test_few_verdicts_are_false(table):
    for verdict in VERDICTS:
        wrong = table[table[f"{verdict}_is_false"] != ""][verdict]
        assert wrong.mean() <= at_most(POOLED, 20 * len(wrong)), verdict
        assert wrong.max() <= at_most(SINGLE, 20), verdict


def test_clear_truths_are_found(table):
    shown = {
        ("grows x4", "growth_confirmed"): 0.9,
        ("grows x4", "same_rejected"): 0.8,
        ("rises x2.8 and returns, a cliff", "gain_shown"): 0.2,
        ("still", "own_excluded"): 0.8,
        ("SILO exact", "position_confirmed"): 0.9,
        ("SILO off x6", "position_refuted"): 0.9,
        ("still, a cliff", "position_refuted"): 0.9,
        ("still", "rival_refuted"): 0.8,
    }
    assert {
        cell: table.loc[cell[0], cell[1]] for cell, least in shown.items() if table.loc[cell[0], cell[1]] < least
    } == {}


def test_intervals_hold_the_truth(table):
    assert table.optima_held.mean() >= 0.9 and table.growth_held.mean() >= 0.85 and table.loss_held.mean() >= 0.8


# -- what is true


def test_truths_written_by_hand():
    """C has 12 values, half a step of which is 0.257 doublings; the middle lies between two."""
    half = math.log2(50) / 22
    still = known(Truth("C"))
    assert still.constant == pytest.approx(0.7 * half**2, abs=1e-4) and still.gain == 0
    assert still.worst == pytest.approx(0.7 * (math.log2(OWN) ** 2 - half**2), abs=2e-3)
    away = known(Truth("C", on_optimum=True, off=2.0))
    assert away.losses == pytest.approx((0.7 * (4 - half**2),) * 3)
    cliff = known(Truth("C", curve="cliff", on_optimum=True, off=1.0))
    assert cliff.losses[0] == pytest.approx(20 - 0.2 * 0.7 * half**2, abs=1e-6)
    lost = known(Truth("C", curve="diverged", on_optimum=True, off=2.0, cycles=3))
    assert lost.worst == pytest.approx(92 - CHANCE - 0.2 * 0.7 * half**2, abs=1e-6)
    flat = known(Truth("Q", curve="plateau"))
    assert np.ptp(flat.plateau, axis=0) == pytest.approx(1.5, abs=0.03) and flat.constant == 0


def test_the_border_is_where_a_truth_says_it_is(named):
    for words, kinds in named.items():
        for kind, truth in kinds.items():
            if "loss = the tolerance" in words:
                facts = known(truth)
                border = facts.constant if words.startswith("a constant") else max(facts.losses)
                assert border == pytest.approx(KINDS[kind].tolerance, abs=1e-3), (words, kind)


def test_which_verdicts_are_false(named):
    def wrong(words, kind="C"):
        truth = named[words][kind]
        return {name: how for name, how in false(truth, known(truth)).items() if how}

    still = {"growth_confirmed": "edge", "gain_shown": "edge", "same_rejected": "edge", "turn_seen": "edge"}
    assert wrong("still", "Q") == still | {"position_refuted": "false", "rival_confirmed": "false"}
    assert wrong("SILO off x6", "Q")["position_confirmed"] == "false"
    assert wrong("grows x4")["own_excluded"] == wrong("grows x4")["growth_refuted"] == "false"
    assert wrong("grows x7/3")["own_excluded"] == "edge"
    assert "turn_seen" not in wrong("rises x2.8 and returns, a cliff")
    assert wrong("a constant's loss = the tolerance")["rival_refuted"] == "edge"
    assert "gain_shown" not in wrong("still, sides change")


# -- what is drawn


def test_a_study_has_the_means_and_the_noise_of_its_truth():
    truth = Truth("D", growth=4.0, seeds=400, curve="asymmetric", noise="growing")
    study, target = draw(truth, np.random.default_rng(0))
    assert study.chosen.shape == (18, 12, 400) and study.silo_tested.shape == (18, 400)
    assert study.chosen.mean(axis=2) == pytest.approx(target[:, :-1], abs=0.5)
    assert study.silo_tested.mean(axis=1) == pytest.approx(target[:, -1], abs=0.5)
    seedless = study.chosen - study.chosen.mean(axis=1, keepdims=True)
    spread = seedless.std(axis=2, ddof=1).mean(axis=1) * math.sqrt(12 / 11)
    assert spread == pytest.approx(0.92 * np.linspace(0.5, 2, 18), rel=0.1)


def test_coarse_accuracies_are_whole_images():
    study, _ = draw(Truth("Q", images=200), np.random.default_rng(0))
    assert np.array_equal(study.chosen * 2, np.round(study.chosen * 2))


def test_what_diverges_is_minus_infinite():
    study, _ = draw(Truth("Q", curve="diverged"), np.random.default_rng(0))
    beyond = study.log_values > Truth("Q").optima[0] + 1.3
    assert np.isneginf(study.chosen[:, beyond]).all() and np.isfinite(study.chosen[:, ~beyond]).all()


@pytest.mark.parametrize(
    ("split", "overlaps"), [("pooled", (300 / 900, 300 / 900)), ("fixed", (300 / 1200, 0.0)), ("", (0.0, 0.0))]
)
def test_seeds_share_as_many_images_as_their_split_says(split, overlaps):
    study, _ = draw(Truth("Q", split=split), np.random.default_rng(0))
    assert (study.overlap_chosen, study.overlap_tested) == pytest.approx(overlaps)


def test_a_narrower_interval_is_of_the_same_accuracies():
    wide, narrow = (draw(Truth("Q", split="pooled", widened=w), np.random.default_rng(0))[0] for w in (True, False))
    assert np.array_equal(wide.tested, narrow.tested) and narrow.overlap_tested == 0


def test_the_spread_over_images_is_the_noise_s_share():
    """In one pool of images what half of a training's variance is shares between seeds what Nadeau and Bengio say."""
    truth = Truth("Q", split="pooled", luck_of_images=1.0, seeds=2, cycles=40)
    means = [draw(truth, np.random.default_rng(i))[0].tested for i in range(3)]
    apart = np.concatenate([(one[:, 1:] - one[:, :-1])[..., 0] for one in means])
    assert np.std(apart) / math.sqrt(2) == pytest.approx(0.365, rel=0.15)


def test_a_study_hangs_on_its_truth_and_number_alone():
    truth = Truth("Q", seeds=3, cycles=6)
    facts = known(truth)
    together = outcomes(truth, facts, range(4))
    apart = np.vstack([outcomes(truth, facts, range(2)), outcomes(truth, facts, range(2, 4))])
    np.testing.assert_array_equal(together, apart)
    assert not np.array_equal(together[0], together[1])


# -- what is written


def row(words, kind, **more):
    wrong = {f"{name}_is_false": "" for name in VERDICTS}
    shares = dict.fromkeys(VERDICTS, 0.0)
    return {"truth": words, "kind": kind, "studies": 100, "widened": True} | shares | wrong | more


def test_bounds_are_judged_at_the_border_and_by_the_worst_truth():
    def holds(*shares, how="edge"):
        rows = [row(f"truth {i}", "Q", gain_shown=s, gain_shown_is_false=how) for i, s in enumerate(shares)]
        rows.append(row("not widened", "Q", gain_shown=1.0, gain_shown_is_false=how, widened=False))
        found = sizes(pd.DataFrame(rows))
        assert found.verdict.tolist() == ["gain shown"]
        return found.holds[0]

    assert holds(0.05, 0.06) == holds(0.01, 0.10) == holds(0.1, 0.0, how="false") == "yes"
    assert holds(0.06, 0.07) == holds(0.0, 0.0, 0.0, 0.17) == "**no**"
    assert holds(0.0, 0.0, 0.0, 0.15) == "but for chance"


def test_a_power_may_lie_five_points_below_the_prototype_s():
    rows = [row("grows x2", kind, growth_confirmed=share) for kind, share in (("Q", 0.93), ("D", 0.82))]
    assert powers(pd.DataFrame(rows)).holds.tolist() == ["yes", "**no**"]


def test_the_published_page_is_what_its_table_says():
    folder = RESULTS / "power"
    table = read(folder)
    assert readme(table, 200) == (folder / "README.md").read_text(encoding="utf-8")
    assert {"power.png", "power.svg"} <= {path.name for path in folder.iterdir()}
    assert table.studies.min() >= 200 and len(table) == sum(map(len, cells().values()))


# -- pairs of studies


def test_growth_that_is_the_same_is_seldom_shown_to_differ():
    """The published benchmark, within the bounds of single verdicts; and the page is its table's."""
    table = pd.read_csv(RESULTS / "power" / "pairs.csv")
    wrong = table.loc[table.true_ratio == 1, ["less", "more"]].to_numpy()
    assert len(table) == 65 and (table.studies == 200).all()
    assert wrong.mean() <= POOLED and wrong.max() <= SINGLE
    assert table.held.min() >= 0.85 and table.held[table.true_ratio > 1].mean() >= 0.9
    like_runs = table[~table.kind.isin([*COMPARED])]
    assert (like_runs.more[like_runs.true_ratio == 4] >= 0.98).all()
    assert (like_runs.more[like_runs.true_ratio == 2] >= 0.55).all()
    assert (RESULTS / "power" / "pairs.md").read_text(encoding="utf-8") == pairs.page(table)
    twice = table[table.true_ratio == 2].groupby("kind").more.agg(["min", "max"])
    said = " of the MLP's pairs and ".join("{:.0f}% to {:.0f}%".format(*(100 * twice.loc[kind])) for kind in "MN")
    assert f"is shown in {said} of the CNN's" in (RESULTS / "README.md").read_text(encoding="utf-8")


def test_a_pair_made_again_says_the_same():
    first = list(pairs.rows(2, "D"))
    pairs._slopes.cache_clear()
    assert first == list(pairs.rows(2, "D")) and [row["truths"] for row in first] == list(pairs.PAIRS)
    assert {row["true_ratio"] for row in first} == {1, 2, 4}
