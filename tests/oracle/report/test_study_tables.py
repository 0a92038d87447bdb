"""Tables of a study as strings, markdown, LaTeX and csv."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.report.tables.latex import latex
from oracle.report.tables.markdown import markdown
from oracle.report.tables.study_tables import OWN_CHAIN, comparison_table, losses_table, optima_table, oracle_table
from oracle.report.tables.write import write_table

NONE = "\N{EN DASH}"

CLOSED = {
    "cycle": 0,
    "weights_remaining": 100.0,
    "seeds": 3,
    "best_max_lr": 0.1,
    "best_validation": 91.234,
    "best_test": 90.5,
    "best_test_std": 0.456,
    "low": 0.03,
    "high": 0.3,
    "edge_low": 0.01,
    "edge_high": 1.0,
    "open_low": False,
    "open_high": False,
    "decades": 1.0,
    "informative": True,
    "why": "",
    "silo_max_lr": 0.030039,
    "position": "inside",
    "silo_validation": 91.0,
    "silo_test": 90.25,
    "silo_test_std": 0.2,
    "chain_test": 90.25,
    "chain_test_std": 0.2,
    "gap": 0.234,
    "within_tolerance": True,
}
MEASURED = ["best_max_lr", "best_validation", "best_test", "best_test_std", "low", "high", "edge_low", "edge_high"]
MEASURED += ["decades", "silo_validation", "silo_test", "silo_test_std", "chain_test", "chain_test_std", "gap"]
UNKNOWN = dict.fromkeys(MEASURED, np.nan) | {"within_tolerance": pd.NA, "position": "", "informative": False}
OPEN = {"cycle": 1, "weights_remaining": 80.0, "low": 0.01, "open_low": True, "edge_low": np.nan, "position": "at edge"}
FLAT = {
    "open_low": True,
    "open_high": True,
    "low": 0.01,
    "high": 1.0,
    "informative": False,
    "why": "flat",
    "decades": 2.0,
}
DIVERGED = {**UNKNOWN, "cycle": 3, "weights_remaining": 51.2, "why": "every value diverged"}
INCOMPLETE = {**UNKNOWN, "cycle": 4, "weights_remaining": np.nan, "seeds": 0, "why": "incomplete"}


def frame(*changes):
    return pd.DataFrame([{**CLOSED, **change} for change in changes]).astype({"within_tolerance": "boolean"})


@pytest.fixture
def comparison():
    return frame({}, OPEN, {**FLAT, "cycle": 2, "weights_remaining": 64.0}, DIVERGED, INCOMPLETE)


def test_oracle_table(comparison):
    display = oracle_table(comparison)
    columns = ["Cycle", "Weights remaining (%)", "Seeds", "Best max_lr", "Optimal interval", "Width (decades)"]
    assert list(display) == [*columns, "Validation at best (%)", "Test at best (%)", "Informative"]
    assert display.to_numpy().tolist() == [
        ["0", "100", "3", "0.1", "0.03 to 0.3", "1.00", "91.23", "90.50 ± 0.46", "yes"],
        ["1", "80", "3", "0.1", "≤0.01 to 0.3", "≥1.00", "91.23", "90.50 ± 0.46", "yes"],
        ["2", "64", "3", "(0.1)", "(≤0.01 to ≥1)", "(≥2.00)", "91.23", "90.50 ± 0.46", "no: flat"],
        ["3", "51.2", "3", NONE, NONE, NONE, NONE, NONE, "no: every value diverged"],
        ["4", NONE, "0", NONE, NONE, NONE, NONE, NONE, NONE],
    ]


def test_comparison_table(comparison):
    display = comparison_table(comparison)
    columns = ["Cycle", "Weights remaining (%)", "SILO max_lr", "Optimal interval", "Position", "Gap to best (points)"]
    assert list(display) == [*columns, "Within tolerance", "Test, SILO (%)", "Test, Oracle's best (%)", "Note"]
    tests = ["90.25 ± 0.20", "90.50 ± 0.46"]
    assert display.to_numpy().tolist() == [
        ["0", "100", "0.03", "0.03 to 0.3", "inside", "0.23", "yes", *tests, ""],
        ["1", "80", "0.03", "≤0.01 to 0.3", "at edge", "0.23", "yes", *tests, "open below"],
        ["2", "64", "0.03", "(≤0.01 to ≥1)", "(inside)", "(0.23)", "(yes)", *tests, "not counted: flat"],
        ["3", "51.2", "0.03", NONE, NONE, NONE, NONE, NONE, NONE, "not counted: every value diverged"],
        ["4", NONE, "0.03", NONE, NONE, NONE, NONE, NONE, NONE, "incomplete"],
    ]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"low": 0.1, "high": 0.1}, "0.1"),
        ({"low": 0.01, "high": 0.01, "open_low": True}, "≤0.01"),
        ({"low": 1.0, "high": 1.0, "open_high": True}, "≥1"),
        ({"low": 0.1, "high": 0.1, "open_low": True, "open_high": True}, "≤0.1 to ≥0.1"),
        ({"open_high": True}, "0.03 to ≥0.3"),
        ({"low": 0.0231012, "high": 0.2848035}, "0.0231 to 0.285"),
        ({"low": 1e-5}, "1e-05 to 0.3"),
    ],
)
def test_an_open_end_reads_as_open(change, shown):
    for make in (oracle_table, comparison_table):
        assert make(frame(change))["Optimal interval"].tolist() == [shown]


def test_one_seed_has_no_standard_deviation():
    one = frame({"best_test_std": np.nan, "silo_test_std": np.nan, "chain_test_std": np.nan})
    assert oracle_table(one)["Test at best (%)"].tolist() == ["90.50"]
    assert comparison_table(one)["Test, SILO (%)"].tolist() == ["90.25"]


def test_silos_own_chain_has_a_column_only_where_it_is_another():
    assert OWN_CHAIN not in comparison_table(frame({}))
    assert comparison_table(frame({"chain_test": 88.0}))[OWN_CHAIN].tolist() == ["88.00 ± 0.20"]


def test_a_gap_has_a_sign_that_is_no_hyphen_and_zero_has_none():
    gaps = frame({"gap": -0.126}, {"gap": -0.001}, {"gap": 0.0})
    shown = comparison_table(gaps)["Gap to best (points)"].tolist()
    assert shown == ["\N{MINUS SIGN}0.13", "0.00", "0.00"]


@pytest.mark.parametrize(("within", "shown"), [(True, "yes"), (False, "no"), (pd.NA, NONE)])
def test_within_tolerance(within, shown):
    assert comparison_table(frame({"within_tolerance": within}))["Within tolerance"].tolist() == [shown]


OPTIMA = pd.DataFrame(
    {
        "cycle": [0, 1, 2, 3],
        "weights_remaining": [100.0, 80.0, 64.0, 51.2],
        "seeds": [4, 4, 4, 4],
        "optimum": [0.1, 0.123456, 0.2, 0.3],
        "low": [0.03, 0.0, 0.1, 0.0],
        "high": [0.3, 0.4567, np.inf, np.inf],
        "silo_max_lr": [0.030039, 0.1, 0.1, 0.1],
        "accuracy": [91.234, 90.0, 89.5, 10.0],
        "noise": [0.126, 0.2, 0.3, 3.0],
    }
)
LOSSES = pd.DataFrame(
    {
        "cycle": [0, 1],
        "weights_remaining": [100.0, 80.0],
        "silo": [0.126, -0.5],
        "silo_low": [-0.2, -1.0],
        "silo_high": [0.452, 0.001],
        "constant": [0.0, 1.0],
        "constant_low": [0.0, 0.5],
        "constant_high": [0.0, 1.5],
    }
)


def test_optima_table():
    display = optima_table(OPTIMA)
    columns = ["Cycle", "Weights remaining (%)", "Seeds", "Optimum", "Its band", "SILO max_lr"]
    assert list(display) == [*columns, "Accuracy at it (%)", "Noise of a training (points)"]
    assert display.to_numpy().tolist() == [
        ["0", "100", "4", "0.1", "0.03 to 0.3", "0.03", "91.23", "0.13"],
        ["1", "80", "4", "0.123", "any to 0.457", "0.1", "90.00", "0.20"],
        ["2", "64", "4", "0.2", "0.1 to any", "0.1", "89.50", "0.30"],
        ["3", "51.2", "4", "0.3", "any to any", "0.1", "10.00", "3.00"],
    ]


def test_losses_table():
    display = losses_table(LOSSES)
    columns = ["Cycle", "Weights remaining (%)", "SILO's loss (points)", "Its interval"]
    assert list(display) == [*columns, "Best constant's loss (points)", "Interval of that"]
    minus = "\N{MINUS SIGN}"
    assert display.to_numpy().tolist() == [
        ["0", "100", "0.13", f"{minus}0.20 to 0.45", "0.00", "same value"],
        ["1", "80", f"{minus}0.50", f"{minus}1.00 to 0.00", "1.00", "0.50 to 1.50"],
    ]


def test_nothing_judged_is_a_table_without_rows():
    for make, whole in ((optima_table, OPTIMA), (losses_table, LOSSES)):
        display = make(whole.iloc[:0])
        assert list(display) == list(make(whole)) and display.empty
        assert markdown(display).count("\n") == 2 and rows(latex(display, "")) == []


def test_no_cycles():
    none = frame({}).iloc[:0]
    for make in (oracle_table, comparison_table):
        display = make(none)
        assert display.empty
        assert markdown(display).count("\n") == 2
        assert rows(latex(display, "")) == []


def test_markdown(comparison):
    lines = markdown(comparison_table(comparison)).splitlines()
    assert len({len(line) for line in lines}) == 1  # padded
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) == 2 + len(comparison)
    assert set(lines[1]) == set("|-: ")
    assert [part.endswith(":") for part in lines[1].strip("| ").split(" | ")][:5] == [True, True, True, False, False]


def test_markdown_escapes():
    assert markdown(pd.DataFrame({"a|b": ["c|d\ne"]})) == "|   a\\|b |\n| -----: |\n| c\\|d e |\n"


def rows(text):
    return text.split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()


def balanced(text):
    open_braces, environments = 0, []
    for token in re.findall(r"\\[{}\\]|[{}]|\\(?:begin|end)\{[a-z*]+\}", text):
        if token.startswith((r"\begin", r"\end")):
            name = token[token.index("{") :]
            if token.startswith(r"\begin"):
                environments.append(name)
            elif environments.pop() != name:
                return False
        open_braces += {"{": 1, "}": -1}.get(token, 0)
    return open_braces == 0 and not environments


@pytest.mark.parametrize("make", [oracle_table, comparison_table])
def test_latex_is_balanced_and_every_row_has_all_columns(comparison, make):
    display = make(comparison)
    text = latex(display, "Caption")
    assert balanced(text)
    assert len(re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1]) == display.shape[1]
    assert len(rows(text)) == len(display)
    for row in rows(text):
        assert row.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", row)) == display.shape[1] - 1
    assert text.isascii()
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


def test_latex_shows_the_signs(comparison):
    text = latex(oracle_table(comparison), "")
    assert r"($\leq$0.01 to $\geq$1)" in text
    assert r"90.50 $\pm$ 0.46" in text
    assert r"max\_lr" in text
    assert "& -- &" in text


@given(st.text(st.sampled_from("\\{}$&#^_%~<>|a \n"), max_size=30))
def test_latex_escapes_whatever_is_special(text):
    display = pd.DataFrame({"a": ["x"], "Note": [text]})
    written = latex(display, text)
    assert balanced(written)
    (row,) = rows(written)
    left = re.sub(r"\\(text[a-z]+\{\}|[&%$#_{}])", "", row.removesuffix(r" \\").removeprefix("x & "))
    assert not set(left) & set("\\{}$&#^_%~<>|")


def test_write(comparison, tmp_path):
    display = comparison_table(comparison)
    folder = tmp_path / "a" / "b"
    paths = write_table(comparison, display, folder, "comparison", "SILO & Oracle")
    assert [path.name for path in paths] == ["comparison.csv", "comparison.md", "comparison.tex"]
    first = [path.read_bytes() for path in paths]
    assert not any(b"\r" in content for content in first)
    assert first[1].decode() == "SILO & Oracle\n\n" + markdown(display)
    assert first[2].decode() == latex(display, "SILO & Oracle")
    assert r"\caption{SILO \& Oracle}" in first[2].decode()
    write_table(comparison, display, folder, "comparison", "SILO & Oracle")
    assert [path.read_bytes() for path in paths] == first


def test_csv_holds_all_columns_at_full_precision(tmp_path):
    exact = frame({"best_test": 1 / 3, "silo_max_lr": 0.1 + 0.2}, INCOMPLETE)
    path = write_table(exact, oracle_table(exact), tmp_path, "oracle", "")[0]
    again = pd.read_csv(path, dtype=str)
    assert list(again) == list(exact)
    for name in MEASURED:
        np.testing.assert_array_equal(again[name].astype(float), exact[name])
    assert again.cycle.tolist() == ["0", "4"]
    assert again.within_tolerance.tolist()[0] == "True"
    assert again.within_tolerance.isna().tolist() == [False, True]
