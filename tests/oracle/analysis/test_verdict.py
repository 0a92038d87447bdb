"""The decision rules on synthetic winners and losers: they must be able to say yes, no and "can't tell"."""

import math

import pandas as pd
import pytest
from experiments import UNTRAINED, experiment
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.analysis.claims.judge import judge
from oracle.experiment.overrides import WHOLE_GRID
from oracle.stats.interval import Interval

GRID = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]


def study(search="exhaustive", **silo):
    silo = {"epsilon": 1.0, "delta": 1.0, "beta": 5.0, "delay": 1, **silo}
    return experiment(
        UNTRAINED | {"prune.cycles": 9, "silo": silo, "oracle.grid": GRID, "oracle.search": search},
    )


def cycle(low, high, silo=None, gap=0.0, informative=True):
    """A cycle whose interval runs from low to high on the grid; SILO (by default inside) lies gap points below the best."""
    interval = Interval(
        best=low,
        accuracy=90.0,
        low=low,
        high=high,
        edge_low=low - 1 if low > GRID[0] else None,
        edge_high=high + 1 if high < GRID[-1] else None,
    )
    return {
        "seeds": 2,
        "low": low,
        "high": high,
        "edge_low": interval.edge_low,
        "edge_high": interval.edge_high,
        "open_low": interval.open_low,
        "open_high": interval.open_high,
        "position": interval.position(low if silo is None else silo),
        "gap": gap,
        "within_tolerance": None if gap is None else gap <= 0.5,
        "informative": informative,
        # no noise: what is outside is clearly so
        "noise": 0.0,
        "clear_low": interval.edge_low,
        "clear_high": interval.edge_high,
        "clearly_missed": gap is not None and gap > 0.5,
    }


def verdicts(*cycles, **silo):
    frame = pd.DataFrame(cycles).rename_axis("cycle").reset_index().astype({"within_tolerance": "boolean"})
    judged = {verdict.claim.split(":")[0].split(".")[0]: verdict for verdict in judge(frame, study(**silo))}
    assert list(judged) == ["1", "3", "Rival"]
    return judged


COLLAPSED = cycle(1, 9, informative=False)


@pytest.mark.parametrize(
    ("intervals", "grows", "needed"),
    [
        # growing: apart, and the later the higher
        ([(1, 2), (4, 5), (7, 8)], "confirmed", "confirmed"),
        ([(2, 3), (2, 3), (5, 6)], "confirmed", "confirmed"),  # outer ends meet at 4 and share no value
        ([(2, 7), (2, 3), (5, 6)], "confirmed", "confirmed"),  # a wide one in between says nothing against it
        ([(1, 3), (4, 6), (7, 9)], "confirmed", "confirmed"),  # the open ends point away from each other
        # changing, but not growing
        ([(7, 8), (4, 5), (1, 2)], "refuted", "confirmed"),
        ([(2, 3), (6, 7), (2, 3)], "refuted", "confirmed"),  # up and down again
        # nothing needs to change: no proof that nothing does
        ([(2, 5), (3, 6), (4, 7)], "undecided", "refuted"),
        ([(2, 4), (4, 6), (4, 4)], "undecided", "refuted"),  # one single value in all
        ([(7, 9), (8, 9), (9, 9)], "undecided", "refuted"),  # all open above: the grid's end serves
        ([(1, 9), (1, 9), (1, 9)], "undecided", "refuted"),
        # a value between two grid values might serve
        ([(2, 3), (4, 5), (4, 5)], "undecided", "undecided"),
        ([(4, 5), (2, 3), (2, 3)], "undecided", "undecided"),
        ([(1, 4), (5, 9), (5, 9)], "undecided", "undecided"),
    ],
)
def test_growth_and_the_rival(intervals, grows, needed):
    judged = verdicts(*(cycle(*interval) for interval in intervals))
    assert (judged["1"].judgement, judged["Rival"].judgement) == (grows, needed)


@pytest.mark.parametrize(
    ("cycles", "grows", "inside", "needed"),
    [
        ([cycle(1, 2), cycle(4, 5), cycle(7, 8), cycle(1, 1, silo=9, gap=9, informative=False)], *["confirmed"] * 3),
        ([cycle(3, 5)] * 3 + [cycle(8, 9, silo=1, gap=9, informative=False)], "undecided", "confirmed", "refuted"),
        ([cycle(1, 2), cycle(8, 9), COLLAPSED, COLLAPSED], *["undecided"] * 3),
        ([COLLAPSED] * 4, *["undecided"] * 3),
    ],
)
def test_uninformative_cycles_count_for_nothing(cycles, grows, inside, needed):
    judged = verdicts(*cycles)
    assert [judged[claim].judgement for claim in ("1", "3", "Rival")] == [grows, inside, needed]


@pytest.mark.parametrize("without", [{"seeds": 1}, {"seeds": 0, "informative": False}])
def test_while_trainings_are_missing_nothing_is_decided(without):
    judged = verdicts(cycle(1, 2), cycle(4, 5), cycle(7, 8), cycle(8, 9), cycle(8, 9) | without)
    for claim in ("1", "3", "Rival"):
        assert judged[claim].judgement == "undecided"
        assert judged[claim].evidence.startswith("Trainings are missing at cycle 4. So far it looks confirmed. ")


def test_fewer_than_three_informative_cycles_are_told():
    judged = verdicts(cycle(1, 2), cycle(8, 9), COLLAPSED, COLLAPSED)
    for claim in ("1", "3", "Rival"):
        assert "2 of 4 cycles are informative" in judged[claim].evidence


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (cycle(4, 6, silo=5), "confirmed"),
        (cycle(4, 6, silo=4), "confirmed"),
        (cycle(4, 6, silo=5, gap=2.0), "undecided"),  # inside, yet measured worse: the two disagree
        (cycle(4, 6, silo=5, gap=None), "undecided"),  # inside, but not measured
        (cycle(4, 6, silo=3.5), "undecided"),  # at edge
        (cycle(4, 6, silo=3.5, gap=2.0), "undecided"),  # at edge, where nothing was measured for the Oracle
        (cycle(4, 9, silo=20, gap=2.0), "undecided"),  # beyond the grid
        (cycle(4, 6, silo=2, gap=0.5), "undecided"),  # outside, yet as good
        (cycle(4, 6, silo=2, gap=None), "undecided"),  # outside, and not measured
        (cycle(4, 6, silo=2, gap=0.51), "refuted"),
        (cycle(4, 6, silo=7, gap=3.0), "refuted"),  # 7 is the first value outside
    ],
)
def test_silo_inside_the_interval(last, verdict):
    assert verdicts(cycle(4, 6), cycle(4, 6), last)["3"].judgement == verdict


def test_claim_3_gives_its_numbers_and_names_the_rival():
    judged = verdicts(cycle(2, 5), cycle(3, 6, silo=2.5), cycle(3, 9, silo=1, gap=3.25), COLLAPSED)
    assert "inside in 1 of 3" in judged["3"].evidence
    assert "at edge in 1" in judged["3"].evidence
    assert "outside in 1" in judged["3"].evidence
    assert "within 0.5 points of the best in 2" in judged["3"].evidence
    assert "at cycle 2 (by 3.25)" in judged["3"].evidence
    assert "max_lr 3 to 5" in judged["3"].evidence  # the constants that lie in every interval, too


@pytest.mark.parametrize(("chosen_on", "noted"), [((), False), ((5, 6), False), ((1, 2), True)])
def test_parameters_chosen_on_the_same_seeds_are_in_sample(chosen_on, noted):
    judged = verdicts(*[cycle(4, 6)] * 3, chosen_on_seeds=chosen_on)
    assert ("In-sample" in judged["3"].evidence) == noted
    assert judged["3"].judgement == ("undecided" if noted else "confirmed")


def test_parameters_chosen_on_the_same_seeds_can_be_refuted():
    judged = verdicts(*[cycle(4, 6, silo=5)] * 2, cycle(4, 6, silo=2, gap=0.51), chosen_on_seeds=[0])
    assert judged["3"].judgement == "refuted"


def test_evidence_of_growth_names_cycles_and_intervals():
    rises = verdicts(cycle(2, 3), COLLAPSED, cycle(2, 3), cycle(7, 9))["1"].evidence
    assert "cycle 3: 7 to open" in rises
    assert "2 such pairs" in rises
    falls = verdicts(cycle(6, 7), cycle(6, 7), cycle(1, 2))["1"].evidence
    assert "cycle 0: 6 to 7, cycle 2: open to 2" in falls


INTERVALS = st.lists(st.tuples(*[st.integers(1, 9)] * 2).map(sorted), min_size=3, max_size=6)


@settings(deadline=None)
@given(INTERVALS)
def test_the_rival_against_every_constant(intervals):
    """Half steps stand for all values between two grid values."""
    judged = verdicts(*(cycle(*interval) for interval in intervals))
    constants = [n / 2 for n in range(1, 40)]
    outer = [(low - 1 if low > 1 else 0, high + 1 if high < 9 else 99) for low, high in intervals]
    possible = any(all(low < value < high for low, high in outer) for value in constants)
    serves = any(all(low <= value <= high for low, high in intervals) for value in GRID)
    assert judged["Rival"].judgement == ("refuted" if serves else "undecided" if possible else "confirmed")
    if judged["1"].judgement == "confirmed":
        assert judged["Rival"].judgement == "confirmed"


@settings(deadline=None)
@given(INTERVALS)
def test_what_grows_falls_when_read_backwards(intervals):
    ways = [verdicts(*(cycle(*one) for one in order))["1"].judgement for order in (intervals, intervals[::-1])]
    assert sorted(ways) in (["confirmed", "refuted"], ["refuted", "refuted"], ["undecided", "undecided"])


@pytest.mark.parametrize("noise", [1.0, math.nan])
def test_where_a_search_gave_too_few_seeds_the_rest_of_the_grid_would_tell(noise):
    """Only where it did: the noise of what was tried in all seeds is no less with the whole grid."""

    def said(search, tried):
        frame = pd.DataFrame([cycle(1, 2) | {"noise": noise, "seeds": tried}] * 3).rename_axis("cycle").reset_index()
        ((judgement, remedies),) = {(one.judgement, one.remedies) for one in judge(frame, study(search))}
        return judgement, remedies == (WHOLE_GRID,)

    assert said("adaptive", 1) == ("undecided", True)
    assert said("adaptive", 2) == said("exhaustive", 1) == ("undecided", False)
