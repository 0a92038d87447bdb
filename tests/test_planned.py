"""benchmarks/planned: every published study has its power, and it is what `plan` says."""

import pandas as pd
import pytest
from published import RESULTS, published

from benchmarks.planned import BEFORE, TRUTHS, judged_runs, page, rows
from oracle.analysis.power import Pilot
from oracle.cli.power import power_lines

TABLE = pd.read_csv(RESULTS / "planned" / "planned.csv")


def test_every_published_study_is_in_the_table():
    assert list(TABLE.run.unique()) == judged_runs(RESULTS)
    assert {*TABLE.run[TABLE["noise of"] == "said before"]} == {*BEFORE}
    assert (RESULTS / "planned" / "README.md").read_text(encoding="utf-8") == page(TABLE)


def test_a_study_made_again_gives_its_rows():
    name = "digits-cnn"
    again = pd.DataFrame(rows(name, published(name)))
    pd.testing.assert_frame_equal(again, TABLE[TABLE.run == name].reset_index(drop=True))


@pytest.mark.parametrize("name", BEFORE)
def test_what_was_said_before_stands_in_the_file_s_head(name):
    noise, curvature = BEFORE[name]
    file = name.partition("/")[0]
    head = (RESULTS.parent / "benchmarks" / f"{file}.yaml").read_text(encoding="utf-8").partition("\nname:")[0]
    assert f"--noise {noise:g} --curvature {curvature:g}" in head


def test_the_shares_are_those_that_plan_prints():
    name = "digits-cnn"
    results = published(name)
    lines = power_lines(results.experiment, results.data, Pilot.of(RESULTS / name), studies=10, search_studies=0)[1:]
    assert len(lines) == len(TRUTHS)
    for row in rows(name, results, studies=10):
        assert f"{row['claim']} {row['right verdict']} in {row['right']:.0%}" in lines[TRUTHS.index(row["if"])]


def test_the_power_that_the_answer_tells_is_the_table_s():
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    share = TABLE.set_index(["run", "noise of", "if", "claim"]).right
    said = [share["mnist1d-cnn-factors/optimizer/adamw", "its own trainings", "right", "claim 1"]]
    assert f"would be confirmed in {said[0]:.0%}" in text
    base, longest = (
        [share[f"mnist1d-cnn-factors/{level}", "said before", "right", claim] for claim in ("claim 1", "claim 3")]
        for level in ("base", "epochs/x4")
    )
    assert (
        "base: claim 1 in {:.0%}, claim 3 in {:.0%}; with 60 epochs {:.0%} and {:.0%}".format(*base, *longest) in text
    )
    own = [
        share[f"mnist1d-cnn-factors/{level}", "its own trainings", "right", claim]
        for level in ("base", "epochs/x4")
        for claim in ("claim 1", "claim 3")
    ]
    assert "then had it is {:.0%} and {:.0%}, and {:.0%} and {:.0%}".format(*own) in text
