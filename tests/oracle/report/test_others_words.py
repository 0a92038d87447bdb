"""Labels, reasons, layers' names and environments are text wherever a report shows them, whatever they hold."""

import csv
import io
import re
import warnings

import pandas as pd
import pytest
import synthetic
from experiments import changed, experiment
from made import made_record

from oracle.analysis.results import analyze
from oracle.cli.commands import show
from oracle.fit.report import plot_fit
from oracle.plain_text import CONTROL, one_line
from oracle.report.publish import publish
from oracle.report.tables.escape import markdown, markdown_code
from oracle.report.tables.write import csv_text
from oracle.study.record import Layer

WORDS = "=cmd|' /C'!A0 # a\n- <b>x</b> [l](u) `c` *i* _j_ $x^2$ &lt; \x1b[31m\x9b2J\u202e \u4e2d\u6587 \U0001f600"
SHOWN = markdown(one_line(WORDS))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The folder of a publication that has these words wherever others may put some."""
    run, place = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("published") / "it"
    spec = experiment(
        changed({}, {})
        | {
            "label": WORDS,
            "prune.cycles": 2,
            "oracle": {"grid": [0.1, 0.2, 0.4], "seeds": 2},
            "silo": {"epsilon": 0.3, "delta": 0.0, "beta": 5.0, "delay": 99, "chosen": WORDS},
        }
    )
    with synthetic.fresh_store() as store:
        for training in synthetic.snapshot(spec, store).trainings:
            cell = training.cell
            if cell.seed == 1 and cell.max_lr == 0.3:
                store.write_failure(cell.id, WORDS)
                continue
            environment = {"device": f"{WORDS} {cell.seed}"}
            layers = (Layer(WORDS, 32, 32), Layer("a$\\frac$", 32, 32))
            store.write_record(made_record(cell, 90.0, "x", environment=environment, layers=layers))
        results = analyze(synthetic.snapshot(spec, store))
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*(?i:glyph|font)")
            publish(results, run, place)
            plot_fit(results.comparison, spec.schedule, spec.title)
    return place


def test_they_are_escaped_in_every_markdown_file(published):
    for file in sorted(published.glob("*.md")):
        text = file.read_text()
        assert not CONTROL.search(text.replace("\n", "")), file.name
        assert SHOWN in text, file.name
        rest = text.replace(SHOWN, "")
        assert not re.search(r"<b>|\]\(u\)|`c`|cmd|\u4e2d", rest), file.name
    assert (published / "verdicts.md").read_text().count(SHOWN) >= 4  # title, parameters, a blocked chain, environments


def test_they_are_escaped_on_the_page(published):
    page = (published / "report.html").read_text()
    assert "<b>" not in page and "&lt;b&gt;" in page and not CONTROL.search(page.replace("\n", ""))


def test_a_spreadsheet_takes_none_for_a_formula(published):
    for file in published.glob("*.csv"):
        cells = [cell for row in csv.reader(io.StringIO(file.read_text())) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))], file.name
    frame = pd.DataFrame({"layer": ["=1+1", "a,b", 'c"d', "e\nf"], "number": [-1.0, 2, 3, 4]})
    assert csv_text(frame) == 'layer,number\n\'=1+1,-1.0\n"a,b",2.0\n"c""d",3.0\n"e\nf",4.0\n'


def test_they_steer_no_terminal(capsys):
    show(f"a label: {WORDS}\n  the next line\ud800")
    out = capsys.readouterr().out
    assert not CONTROL.search(out.replace("\n", "")) and out.endswith("\n  the next line \n")


@pytest.mark.parametrize(
    ("text", "code"),
    [("a b", "`a b`"), ("a`b", "`` a`b ``"), ("a``b`", "``` a``b` ```"), ("a\n\x1b[2Jb", "`a [2Jb`")],
)
def test_code_in_markdown(text, code):
    assert markdown_code(text) == code
