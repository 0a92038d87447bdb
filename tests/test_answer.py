"""results/README.md, the answer: its table is what the runs' verdicts say, and its numbers are those of the runs it links."""

import re

import pandas as pd
import pytest
from published import RESULTS, published

from oracle.analysis.compare import compare
from oracle.report.compare import comparison_text
from oracle.report.tables.compare import estimate_text
from oracle.report.tables.write import csv_text

PAGE = (RESULTS / "README.md").read_text(encoding="utf-8")
LINKED = re.compile(r"\]\(([\w/.-]+)/(?:README|compare)\.md\)")
NUMBER = re.compile(r"(?<![\w.^-])[x+\u2212-]?\d+\.\d+(?![\w%]|\.\d)|(?<!\w)x\d+(?:\.\d+)?")
RUNS = sorted(str(path.parent.relative_to(RESULTS)) for path in RESULTS.glob("**/experiment.json"))
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| [")]
POLICIES = ("lr-rewinding", "lr-warmup", "cosine", "smet", "supar")  # columns of the second table
SENTENCES = [line for line in PAGE.splitlines() if LINKED.search(line) and not line.startswith("|")]


def test_every_run_stands_in_the_table_with_its_verdicts():
    cells = {LINKED.search(row[0])[1]: row[2:] for row in ROWS if len(row) == 6 and "<br>" in "".join(row)}
    judged = [name for name in RUNS if published(name).experiment.oracle.search.kind == "exhaustive"]
    assert sorted(cells) == judged
    for name, shown in cells.items():
        expected = []
        for verdict in published(name).verdicts:
            first = verdict.quantities[0].name if verdict.quantities else ""
            estimate = estimate_text(verdict.quantities, first)
            expected.append(f"{verdict.judgement}<br>{estimate}" if verdict.quantities else str(verdict.judgement))
        assert shown == expected


def test_what_is_said_of_each_policy_is_the_run_s_verdict():
    rows = {LINKED.search(row[0])[1]: row[1:] for row in ROWS if "<br>" not in "".join(row)}
    assert sorted(rows) == [name for name in RUNS if {*POLICIES} & {*published(name).experiment.baselines}]
    for name, shown in rows.items():
        gains = {one.name: one for verdict in published(name).verdicts for one in verdict.quantities}
        for policy, cell in zip(POLICIES, shown, strict=True):
            gain = gains.get(f"gain of SILO over {policy}")
            expected = "not run" if gain is None else f"{gain.estimate:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})"
            assert cell == expected


def numbers_of(name):
    """All that a sentence may say of a run: what its verdicts, optima, accuracies and losses hold, rounded as texts have it."""
    tables = [pd.read_csv(RESULTS / name / f"{table}.csv") for table in ("verdicts", "optima", "policies", "losses")]
    values = [value for table in tables for column in table.select_dtypes("number") for value in table[column]]
    experiment = published(name).experiment
    values.append(experiment.schedule.max_lr(experiment.prune.cycles - 1) / experiment.schedule.max_lr(0))
    return {form for value in values for form in (f"{abs(value):.1f}", f"{abs(value):.2f}", f"{abs(value):.3g}")}


def ratios_of(comparison):
    """What a comparison alone says: growth as a multiple of the first run's."""
    path = RESULTS / comparison / "growth.csv"
    ratios = pd.read_csv(path)[["ratio", "ratio_low", "ratio_high"]].to_numpy().ravel() if path.exists() else []
    return {f"{value:.2f}" for value in ratios}


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence[:40])
def test_the_numbers_of_a_sentence_are_those_of_the_runs_that_it_links(sentence):
    linked = LINKED.findall(sentence)
    known = set().union(*(numbers_of(name) for name in linked if name in RUNS))
    known |= set().union(*(ratios_of(name) for name in linked if name not in RUNS))
    said = {number.lstrip("x+\u2212-") for number in NUMBER.findall(re.sub(r"\]\([^)]*\)", "]", sentence))}
    assert said <= known, sorted(said - known)


def test_most_sentences_have_a_number():
    assert len(SENTENCES) >= 6 and sum(bool(NUMBER.search(sentence)) for sentence in SENTENCES) >= 6


@pytest.mark.parametrize(
    "page", sorted(RESULTS.glob("**/compare.md")), ids=lambda path: str(path.parent.relative_to(RESULTS))
)
def test_each_comparison_is_that_of_its_runs_today(page):
    text = page.read_text(encoding="utf-8")
    folders = re.findall(r"\| (results/[\w/-]+) +\|", text.partition("\n## ")[0])
    found = compare([published(one.removeprefix("results/")) for one in folders], folders)
    assert comparison_text(found) == text
    assert csv_text(found.growth) == (page.parent / "growth.csv").read_text(encoding="utf-8")
