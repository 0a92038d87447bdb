"""The page, tables and figures of several runs."""

import re
import warnings
from dataclasses import replace

import blank
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from published import RESULTS, published

from oracle.analysis.compare import ComparedRun, Comparison, Note, compare
from oracle.analysis.differences import Difference, Differences
from oracle.cli.main import main
from oracle.error import InputError
from oracle.plain_text import Quoted
from oracle.report.compare import FILES, comparison_text, difference_text, stretched_text, write_comparison
from oracle.report.figures import compare as figures
from oracle.report.figures.style import save
from oracle.report.tables import compare as tables
from oracle.report.tables.escape import markdown, markdown_code
from oracle.report.tables.format import MINUS, MISSING

NAMES = ("digits-mlp", "digits-cnn", "cifar10-policies", "digits-mlp-adaptive")
WORDS = "=a|' b # <b>x</b> [l](u) `c` *i* $x^2$ &lt; 中文"


@pytest.fixture(scope="module")
def four():
    return compare([published(name) for name in NAMES], [f"results/{name}" for name in NAMES])


@pytest.fixture(autouse=True)
def blank_figures(monkeypatch):
    monkeypatch.setattr("oracle.report.compare.save", blank.save)


def relabelled(comparison, labels):
    """A comparison of the same runs, whose labels are any text."""
    runs = [ComparedRun(label, label, run.results) for label, run in zip(labels, comparison.runs, strict=True)]
    fields = tuple(Difference(label, tuple(labels), tuple(labels)) for label in labels)
    notes = [Note(label, note) for label in labels for note in ("See `silo-oracle run`.", Quoted(label))]
    return Comparison(runs, Differences(fields, ()), notes, runs[0])


def test_the_command_writes_the_page_and_shows_the_verdicts(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("oracle.analysis.compare.load_results", lambda folder: published(folder.name))
    folder = tmp_path / "a" / "b"
    command = ["compare", *(str(RESULTS / name) for name in NAMES[1:3]), "--to", str(folder)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  digits-cnn        undecided  x0.746 \(x0.333 to x1.65\)$", out, re.MULTILINE)
    assert re.search(
        rf"^  cifar10-policies  refuted    {MINUS}7.71 \({MINUS}8.42 to {MINUS}7.00\) points$", out, re.MULTILINE
    )
    assert out.splitlines()[0].startswith("The experiments differ in ") and str(folder) in out
    assert {path.name for path in folder.iterdir()} == FILES
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(command) == 0  # an older comparison is replaced
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_page_says_in_what_they_differ(four):
    page = comparison_text(four)
    assert "differ in 26 things" in page and "can't be put down to one of them" in page
    assert "The data isn't the same" in page
    one = Difference("train.epochs", ("30", "60"), ("30", "60"))
    two = replace(four, differences=Differences((one,), (replace(one, field="train.shape.warmup"),)))
    assert difference_text(two, markdown_code) == "The experiments differ in one thing: `train.epochs: 30 | 60`."
    assert "no difference: train.shape.warmup: 30 | 60" in stretched_text(two)
    tried = Difference("silo.epsilon", ("0.1", "0.2"), ("0.1", "0.2"))
    three = difference_text(
        replace(four, differences=Differences((one, tried, replace(tried, field="oracle.grid")), ()))
    )
    assert "3 things" in three and three.endswith("Their trainings differ in one: train.epochs: 30 | 60.")
    none = replace(four, differences=Differences((), ()))
    assert "don't differ in anything that changes numbers" in difference_text(none)
    assert stretched_text(none) == ""


@pytest.mark.parametrize("content", ["thesis.txt", "optima.csv", "compare.md"])
def test_nobody_elses_folder_is_replaced(content, four, tmp_path):
    (tmp_path / content).write_text("mine")
    with pytest.raises(InputError, match=r"must be a new or empty folder, or that of an older comparison"):
        write_comparison(four, tmp_path)
    assert (tmp_path / content).read_text() == "mine"


def test_columns_are_of_cycles_that_are_there(four):
    heads, within = tables.sparsities(four)
    assert 3 <= len(heads) <= 6 and heads == sorted(heads, reverse=True) and within == 0.25
    for run in four.runs:
        weights = run.results.comparison.weights_remaining
        for head, cycle in zip(heads, tables.cycles_at(run, heads, within), strict=True):
            assert cycle == tables.NO_CYCLE or abs(np.log(weights[cycle] / head)) <= np.log(1.25)
    alike = replace(four, runs=[four.runs[0], four.runs[3]])
    heads, within = tables.sparsities(alike)
    assert (len(heads), within) == (6, 0.05)
    assert tables.cycles_at(alike.runs[1], heads, within) == [0, 3, 7, 10, 14, 17]


def test_accuracies_are_as_in_each_runs_own_table(four):
    shown = tables.accuracies_table(four)
    first = shown[shown.Policy == "SILO"].iloc[0]
    assert first.Run == "digits-mlp" and first["100%"] == "98.40 ± 0.27"
    assert list(shown.Policy)[-4:] == ["Oracle (reference)"] * 4  # last, one for each run
    assert (shown.Policy == "cosine").sum() == 2
    optima = tables.optima_table(four).set_index("Run")
    assert optima.loc["digits-cnn", "100%"] == "0.678 (0.0673 to 2.96)"
    assert optima.loc["digits-mlp", "100%"].endswith("(any to 0.339)")
    assert set(optima.loc["digits-mlp-adaptive"]) == {MISSING}


def test_any_words_are_words_on_the_page(four, tmp_path):
    labels = [f"{WORDS} {number}" for number in range(4)]
    write_comparison(relabelled(four, labels), tmp_path)
    page = (tmp_path / "compare.md").read_text()
    for label in labels:  # in a code span it is shown as it is
        page = page.replace(markdown_code(label), "").replace(markdown(label), "WORDS")
    assert not re.search(r"<b>|\[l\]|\*i\*|&lt;", page)
    assert "- WORDS: See `silo-oracle run`.\n- WORDS: WORDS\n" in page
    assert not re.search(r"^=", (tmp_path / "growth.csv").read_text(), re.MULTILINE)


def test_a_panel_has_its_runs_optima_with_their_band_and_the_others_in_grey(four):
    drawn = figures.plot_optima(four.optima, {}, [0.01, 1.0])
    first = drawn.axes[0]
    (own,) = [line for line in first.lines if line.get_label() == "Optimum"]
    assert own.get_ydata().tolist() == published("digits-mlp").optima.optimum.tolist()
    assert sum(line.get_label() == "The other runs" for line in first.lines) == 2  # one has no curves
    (band,) = first.collections
    low, _ = first.get_ylim()
    assert band.get_paths()[0].vertices[:, 1].min() == low  # unbounded: to the end of the axis
    assert not [line for line in drawn.axes[3].lines if line.get_label() == "Optimum"]
    assert drawn.axes[3].containers  # the Oracle's best and its interval
    assert first.get_xlim()[0] > first.get_xlim()[1]


def test_an_interval_that_goes_on_is_an_arrow_and_an_unknown_one_is_said(four):
    growth = four.growth.assign(growth_high=[np.inf, 1.7, 3.3, np.nan])
    left, right = figures.plot_growth(growth).axes[:2]
    arrows = [line for line in left.lines if line.get_marker() == ">"]
    assert [line.get_ydata()[0] for line in arrows] == [0]
    assert [text.get_text() for axes in (left, right) for text in axes.texts] == ["can't be told"] * 2
    estimates = [
        line.get_xdata()[0] for line in right.lines if line.get_marker() in "osA^" and len(line.get_xdata()) == 1
    ]
    assert estimates == growth.exponent.dropna().tolist()


def test_a_panel_a_policy_and_a_line_a_run(four):
    names = tables.policies_of(four)
    drawn = figures.plot_accuracies(four.accuracy, names)
    assert names[0] == "SILO" and names[-1] == "Oracle"
    axes = dict(zip(names, drawn.axes, strict=False))
    assert [line.get_label() for line in axes["SILO"].lines] == list(NAMES)
    assert [line.get_label() for line in axes["cosine"].lines] == ["digits-mlp", "cifar10-policies"]
    (line,) = [line for line in axes["SILO"].lines if line.get_label() == "digits-cnn"]
    policies = published("digits-cnn").policies
    assert line.get_ydata().tolist() == policies.test[policies.policy == "SILO"].tolist()


def test_six_runs_are_told_apart_without_colour():
    looks = [figures._look(number) for number in range(6)]
    assert len({look["marker"] for look in looks}) == 6 == len({to_rgb(look["color"]) for look in looks})


def test_where_nothing_is_known_the_figures_say_so(four):
    frames = (
        four.optima.assign(optimum=np.nan, best_max_lr=np.nan),
        four.growth.assign(growth=np.nan, exponent=np.nan),
    )
    drawn = [figures.plot_optima(frames[0], {}, [0.1]), figures.plot_growth(frames[1])]
    drawn.append(figures.plot_accuracies(four.accuracy.assign(test=np.nan), ["SILO"]))
    assert ["yet" in figure.axes[0].texts[0].get_text() for figure in drawn] == [True] * 3


def test_six_runs_of_long_labels_are_drawn_with_nothing_cut_off(four, tmp_path):
    runs = [*four.runs, four.runs[0], four.runs[1]]
    labels = [f"restart: mine.rules:Restart$_{number}$ 中" + "x" * 8 for number in range(6)]
    many = replace(four, runs=[replace(run, label=label) for run, label in zip(runs, labels, strict=True)])
    paths = {run.label: run.results.findings.path for run in many.runs}
    drawn = {
        "optima": figures.plot_optima(many.optima, paths, [0.02, 1.0]),
        "growth": figures.plot_growth(many.growth),
        "accuracy": figures.plot_accuracies(many.accuracy, tables.policies_of(many)),
    }
    for name, figure in drawn.items():
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*(?i:glyph|font|layout)")
            save(figure, tmp_path, name)
        page = figure.bbox
        inside = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert page.x0 <= inside.x0 + 1 and inside.x1 <= page.x1 + 1, name
        assert page.y0 <= inside.y0 + 1 and inside.y1 <= page.y1 + 1, name
        assert (tmp_path / f"{name}.svg").stat().st_size > 10_000
