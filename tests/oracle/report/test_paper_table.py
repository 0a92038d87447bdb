"""Tables of a paper: which cells they have, what is bold, marked or noted, and the files they are written to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.error import InputError
from oracle.report.tables import paper_table, size
from oracle.report.tables.format import MISSING, Bold, quantity
from oracle.report.tables.latex import latex
from oracle.report.tables.markdown import markdown
from oracle.report.tables.paper import write_tables

KNOWN = {"weights_remaining": 100.0, "max_lr": 0.1, "seeds": 3, "validation": 92.0, "diverged": 0}
KNOWN |= {"test": 90.0, "test_std": 0.5, "final_test": 89.0, "final_test_std": 0.25}
PUBLISHED = {"policy": "SILO", "cycle": 0, "weights_remaining": 100.0, "test": 91.0, "test_std": np.nan, "source": "T3"}


def policies(*rows):
    """A row for each (policy, cycle, changes)."""
    frame = pd.DataFrame([{"policy": policy, "cycle": cycle, **KNOWN, **change} for policy, cycle, change in rows])
    return frame.astype({"seeds": "Int64", "diverged": "Int64"})


def column(*rows, **options):
    """(name, cell) of a table of one cycle; rows: (policy, changes)."""
    display = paper_table.accuracy_table(policies(*((policy, 0, change) for policy, change in rows)), **options)
    return display.to_numpy().tolist()


def bold(rows):
    return [name for name, cell in rows if isinstance(cell, Bold)]


@given(st.sets(st.integers(0, 200), max_size=60))
def test_columns_are_at_most_eight_spread_evenly_with_both_ends(cycles):
    shown, every = paper_table.evenly_spaced(cycles), sorted(cycles)
    assert len(shown) == min(8, len(every))
    assert shown == sorted(set(shown))
    assert set(shown) <= cycles
    if every:
        assert (shown[0], shown[-1]) == (every[0], every[-1])
        gaps = np.diff([every.index(cycle) for cycle in shown])
        assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_a_cell_is_the_mean_and_deviation_of_the_test_at_the_requested_epoch():
    rows = [("SILO", 0, {}), ("SILO", 1, {"weights_remaining": 51.234, "test": 88.888, "test_std": np.nan})]
    unknown = dict.fromkeys(("weights_remaining", "test", "final_test"), np.nan)
    frame = policies(*rows, ("Oracle", 0, {"test": 95}), ("Oracle", 1, unknown))
    chosen = paper_table.accuracy_table(frame)
    assert list(chosen) == ["Policy", "100%", "51.2%"]
    assert chosen.to_numpy().tolist() == [
        ["SILO", "90.00 ± 0.50", "88.89"],
        ["Oracle (reference)", "95.00 ± 0.50", MISSING],
    ]
    final = paper_table.accuracy_table(frame, epoch="final")
    assert final.to_numpy().tolist() == [
        ["SILO", "89.00 ± 0.25", "89.00 ± 0.25"],
        ["Oracle (reference)", "89.00 ± 0.25", MISSING],
    ]


def test_the_cycles_requested_are_shown_and_headed_by_their_number_where_the_weights_are_unknown():
    rows = [("SILO", cycle, {"weights_remaining": 80.0 if cycle == 1 else np.nan}) for cycle in range(3)]
    assert list(paper_table.accuracy_table(policies(*rows), cycles=[2, 1, 7])) == [
        "Policy",
        "cycle 2",
        "80%",
        "cycle 7",
    ]


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ([("SILO", {}), ("cosine", {"test": 89.9})], ["SILO"]),
        ([("SILO", {}), ("cosine", {"test": 90.004}), ("lr-warmup", {"test": 89.0})], ["SILO", "cosine"]),
        ([("SILO", {}), ("cosine", {"test": 90.006})], ["cosine"]),
        ([("SILO", {}), ("cosine", {"test": 89}), ("Oracle", {"test": 99})], ["SILO"]),
        ([("SILO", {}), ("Oracle", {"test": 80})], []),
        ([("SILO", {}), ("cosine", {"test": np.nan})], []),
        ([("SILO", {}), ("cosine", {"test": 89}), ("lr-warmup", {"test": 99, "seeds": 2})], ["SILO"]),
        ([("SILO", {}), ("cosine", {"test": 89}), ("lr-warmup", {"test": 99, "diverged": 1})], ["SILO"]),
        ([("SILO", {"seeds": pd.NA}), ("cosine", {"test": 89, "seeds": pd.NA})], ["SILO"]),
    ],
)
def test_the_best_policies_as_written_are_bold_and_who_does_not_compete_never_is(rows, best):
    assert bold(column(*rows)) == best


def test_the_best_of_each_cycle_is_its_own():
    frame = policies(
        ("SILO", 0, {}), ("cosine", 0, {"test": 80}), ("SILO", 1, {"test": 70}), ("cosine", 1, {"test": 80})
    )
    shown = paper_table.accuracy_table(frame)
    assert [[isinstance(cell, Bold) for cell in row[1:]] for row in shown.to_numpy()] == [[True, False], [False, True]]


def test_a_mean_over_fewer_seeds_is_marked_and_a_policy_without_any_left_diverged():
    rows = [
        ("SILO", {}),
        ("cosine", {"seeds": 2, "diverged": 1}),
        ("lr-warmup", {"seeds": 0, "diverged": 3, "test": np.nan}),
    ]
    assert column(*rows) == [["SILO", "90.00 ± 0.50"], ["cosine", "90.00 ± 0.50†"], ["lr-warmup", "diverged"]]


def test_the_oracle_is_last_wherever_it_stands_in_the_frame():
    assert [name for name, _ in column(("Oracle", {}), ("SILO", {}))] == ["SILO", "Oracle (reference)"]


def test_published_figures_stand_below_their_policy_as_written_and_never_compete():
    published = pd.DataFrame(
        [
            PUBLISHED,
            {**PUBLISHED, "policy": "LR-warmup", "test": 92.5, "test_std": 0.4},
            {**PUBLISHED, "policy": "S-Cyc"},
        ]
    )
    rows = [("SILO", {}), ("lr-warmup", {"test": 80}), ("cosine", {"test": 70}), ("Oracle", {})]
    shown = column(*rows, published=published)
    assert shown == [
        ["SILO", "90.00 ± 0.50"],
        ["SILO (published)", "91.0"],
        ["lr-warmup", "80.00 ± 0.50"],
        ["LR-warmup (published)", "92.5 ± 0.4"],
        ["cosine", "70.00 ± 0.50"],
        ["S-Cyc (published)", "91.0"],
        ["Oracle (reference)", "90.00 ± 0.50"],
    ]
    assert bold(shown) == ["SILO"]
    assert paper_table.source_notes(published) == ["published: T3"]


def test_two_sources_are_told_apart():
    published = pd.DataFrame([PUBLISHED, {**PUBLISHED, "test": 85.25, "source": "T4"}])
    shown = column(("SILO", {}), published=published)
    assert shown[1:] == [["SILO (published 1)", "91"], ["SILO (published 2)", "85.25"]]
    assert paper_table.source_notes(published) == ["published 1: T3", "published 2: T4"]


def test_beside_published_figures_the_cycles_shown_are_theirs_and_both_ends():
    frame = policies(*(("SILO", cycle, {}) for cycle in range(25)))
    published = pd.DataFrame([{**PUBLISHED, "cycle": cycle} for cycle in (3, 5)])
    assert paper_table.accuracy_cycles(frame, published) == [0, 3, 5, 24]
    assert paper_table.accuracy_cycles(frame) == [0, 3, 7, 10, 14, 17, 21, 24]


def test_the_oracle_by_cycle(make_finished):
    shown = paper_table.oracle_by_cycle(make_finished(cycles=4).comparison)
    assert list(shown) == ["", "100%", "80%", "64%", "51.2%"]
    assert shown.to_numpy().tolist() == [
        ["Optimal interval", "0.0351 to 0.187", "≤0.01 to 0.187", "(≤0.01 to ≥1)", "(0.0351 to 0.187)"],
        ["Width (decades)", "0.73", "≥0.73", "(≥0.73)", "(0.73)"],
        ["Oracle's best max_lr", "0.0811", "0.0811", "(0.0811)", "(0.0811)"],
        ["SILO max_lr", "0.03", "0.034", "0.038", "0.042"],
        ["Position", "inside", "at edge", "(inside)", "(beyond grid)"],
        ["Gap (points)", "0.13", "\N{MINUS SIGN}0.05", "(0.00)", "(12.35)"],
        ["Note", "", "open below", "not counted: flat", "not counted: collapsed"],
    ]


def test_the_oracle_by_cycle_has_no_notes_where_there_is_nothing_to_note(make_finished):
    shown = paper_table.oracle_by_cycle(make_finished(cycles=9).comparison, cycles=[0, 8])
    assert list(shown) == ["", "100%", "16.8%"]
    assert shown.iloc[-1, 0] == "Gap (points)"


def test_costs():
    rows = [
        ("Oracle", 2160, 7 * 3600.0, 2160),
        ("SILO", 180, 3599.0, 36),
        ("cosine", 90, 44.0, pd.NA),
        ("none", 0, 0.0, 0),
        ("unknown", 1, np.nan, 0),
    ]
    costs = pd.DataFrame(rows, columns=["who", "trainings", "seconds", "search_trainings"])
    shown = paper_table.cost_table(costs.astype({"search_trainings": "Int64"}))
    heads = ["Policy", "Trainings", "Of them for search", "Device-hours", "Times SILO's trainings"]
    assert list(shown) == heads
    assert shown.to_numpy().tolist() == [
        ["Oracle", "2,160", "2,160", "7.00", "12.0"],
        ["SILO", "180", "36", "1", "1.0"],
        ["cosine", "90", "not stated", "0.012", "0.5"],
        ["none", "0", "0", "0", "0.0"],
        ["unknown", "1", "0", MISSING, "0.0"],
    ]
    alone = paper_table.cost_table(costs[costs.who != "SILO"])
    assert set(alone["Times SILO's trainings"]) == {MISSING}


def test_bold_is_bold_in_markdown_and_latex_and_escaped_as_any_cell():
    display = pd.DataFrame({"Policy": ["*a*"], "100%": [Bold("9|1")]}, dtype=object)
    assert markdown(display).splitlines()[2] == r"| \*a\*  | **9\|1** |"
    assert r"{*}a{*} & \textbf{9\textbar{}1} \\" in latex(display, "")


def test_every_experiment_has_its_files_and_csv_has_every_cycle_at_full_precision(make_finished, tmp_path):
    one, two = make_finished(cycles=25), make_finished(slug="b", label="another | one", cycles=3, layers=0)
    published = pd.DataFrame([{**PUBLISHED, "cycle": 3}])
    one = make_finished(cycles=25, published=published)
    one.policies.loc[0, "test"] = 1 / 3
    paths = write_tables([one, two], tmp_path / "new")
    kinds = ["accuracy", "final-accuracy", "oracle", "cost", "size", "layers"]
    names = [f"mlp-digits-{kind}" for kind in kinds] + [f"b-{kind}" for kind in kinds[:-1]]
    written = [f"{name}.{ending}" for name in names for ending in ("csv", "md", "tex")]
    assert [path.name for path in paths] == [*written, "tables.md", "tables.tex"]
    accuracy = pd.read_csv(paths[0])
    own = accuracy[accuracy.source.isna()]
    pd.testing.assert_frame_equal(own[list(one.policies)], one.policies, check_dtype=False)
    assert accuracy[accuracy.source.notna()][["policy", "cycle", "test"]].to_numpy().tolist() == [
        ["SILO (published)", 3, 91.0]
    ]
    assert len(pd.read_csv(tmp_path / "new" / "mlp-digits-oracle.csv")) == 25
    assert len(pd.read_csv(tmp_path / "new" / "mlp-digits-layers.csv")) == 4 * 25
    together = paths[-2].read_text()
    assert all(path.read_text() in together for path in paths if path.suffix == ".md")
    assert "published: T3" in (tmp_path / "new" / "mlp-digits-accuracy.md").read_text()
    assert "## another \\| one\n" in together
    assert "published" not in (tmp_path / "new" / "mlp-digits-final-accuracy.md").read_text()


def test_the_size_says_what_is_alive_and_which_share_of_the_dense_network_s_flops_each_policy_needs(make_finished):
    shown = size.size_table(make_finished(cycles=3, baselines=("cosine",)).sizes)
    assert list(shown) == ["", "100%", "80%", "64%"]
    assert shown.to_numpy().tolist() == [
        ["Weights alive", "1,000", "800", "640"],
        ["FLOPs, SILO", "100k (100%)", "80k (80%)", "64k (64%)"],
        ["FLOPs, cosine", "100k (100%)", "40k (40%)", "32k (32%)"],
    ]


def test_flops_that_are_not_known_are_a_dash_with_a_note(make_finished):
    sizes = make_finished(cycles=2, baselines=()).sizes
    assert len(size.size_notes(sizes)) == 1
    older = sizes.assign(flops=np.nan)
    assert size.size_table(older).to_numpy().tolist()[1] == ["FLOPs, SILO", MISSING, MISSING]
    (note,) = size.size_notes(older)
    assert note.startswith(f"{MISSING}: recorded by an older version")
    half = sizes.assign(flops=[np.nan, 5e9])  # without the dense network's there is no share
    assert size.size_table(half).to_numpy().tolist()[1] == ["FLOPs, SILO", MISSING, "5G"]
    assert len(size.size_notes(half)) == 2


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1k"),
        (1184, "1.18k"),
        (81_626_368, "81.6M"),
        (8.18e9, "8.18G"),
        (5e15, "5e+03T"),
    ],
)
def test_a_quantity_has_three_digits_and_a_unit(number, text):
    assert quantity(number) == text


def test_the_same_frames_give_the_same_bytes(make_finished, tmp_path):
    first, second = ([p.read_bytes() for p in write_tables([make_finished()], tmp_path / name)] for name in "ab")
    assert first == second
    assert not any(b"\r" in content for content in first)


def test_the_cycles_requested_are_shown_where_an_experiment_has_them(make_finished, tmp_path):
    write_tables([make_finished(cycles=3), make_finished(slug="long", cycles=25)], tmp_path, cycles=[0, 24])
    for slug, heads in (("mlp-digits", ["100%"]), ("long", ["100%", "0.472%"])):
        for kind in ("accuracy", "final-accuracy", "oracle"):
            line = (tmp_path / f"{slug}-{kind}.md").read_text().splitlines()[2]
            assert [cell.strip() for cell in line.strip("|").split("|")][1:] == heads


@pytest.mark.parametrize(
    ("slugs", "cycles", "message"),
    [(("a", "a"), None, "experiments must .*got a"), (("a", "b"), [0, 3], "cycles must .*0, 1, 2, got 3$")],
)
def test_what_cannot_be_shown_is_one_line_and_writes_nothing(make_finished, tmp_path, slugs, cycles, message):
    with pytest.raises(InputError, match=message):
        write_tables([make_finished(slug=slug, cycles=3) for slug in slugs], tmp_path, cycles)
    assert list(tmp_path.iterdir()) == []
