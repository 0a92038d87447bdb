"""report.html: everything in one file that needs nothing else, free text as text, and, in a real browser, a page that works."""

import re
import shutil
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from experiments import write
from published import RESULTS, published

from oracle.analysis.claims.verdict import Judgement, Verdict
from oracle.analysis.results import analyze, analyze_cells, load_results
from oracle.cli.main import main
from oracle.plan.snapshot import Snapshot
from oracle.report.page.page import CAPTIONS, PageText, render_page
from oracle.report.report import policies_of, write_report
from oracle.report.text import choice_text, details
from oracle.study.study import open_study

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECTIONS = ["verdicts", "plots", "trainings", "tables", "skipped", "cost", "environment", "experiment"]
NASTY = "<script>alert(1)</script> & \"quoted\" 'single' ]]> </title> {{ 7 * 7 }}"
SMALL = {
    "name": "small",
    "label": "a label",
    "train.epochs": 2,
    "train.shape": "constant",
    "silo.epsilon": 0.05,
    "oracle.grid": [0.01, 0.1, 1e6],
    "policies.baselines": {"cosine": {"shape": "cosine"}},
}
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Reader(HTMLParser):
    """Checks that every tag is closed, and keeps attributes and what is shown."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text += data


def shown(results, figures=RESULTS / "digits-mlp", **changes):
    environments, experiment = [{"device": "CPU"}], {"name": "small"}
    text = PageText("a title", "settings", "e.yaml", results.verdicts, ["a note"], environments, experiment, 0)
    return render_page(results, replace(text, **changes), policies_of(results), figures)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    assert main(["run", str(write(folder, SMALL)), "--local", "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture(scope="module", params=["a run", "digits-mlp", "digits-mlp-adaptive"])
def html(request, run):
    if request.param == "a run":
        return (run / "report" / "report.html").read_text()
    return shown(published(request.param), RESULTS / request.param)


def test_it_is_whole_and_needs_nothing_else(html):
    reader = Reader(html)
    assert [attributes["id"] for tag, attributes in reader.tags if tag == "section"] == SECTIONS
    names = ("src", "href", "action", "data")
    sources = [attributes[name] for _, attributes in reader.tags for name in names if name in attributes]
    assert len(sources) >= 4 and all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not re.search(r">(nan|None|&lt;NA&gt;)<", html)
    assert not re.search(r"@import|url\(|https?:", re.sub(r"base64,[\w+/=]+", "", html))
    policy = next(a["content"] for _, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in reader.tags


def test_every_training_of_the_oracle_is_a_point_with_its_description(run):
    cells = load_results(run).cells
    expected = cells[cells.candidate | cells.silo]
    points = [
        attributes for tag, attributes in Reader((run / "report" / "report.html").read_text()).tags if tag == "circle"
    ]
    assert sorted(point["aria-label"].rpartition(" ")[2] for point in points) == sorted(expected.id)
    for cell in expected.itertuples():
        (description,) = [point["aria-label"] for point in points if point["aria-label"].endswith(cell.id)]
        assert f"max_lr {cell.max_lr:.4g}, seed {cell.seed}: " in description
        assert (
            f"validation {cell.validation:.2f}%, test {cell.test:.2f}%" if cell.status == "done" else "diverged"
        ) in description
        assert description.startswith("SILO's") == cell.silo


def test_the_verdicts_come_first_and_all_is_there(run):
    study = open_study(run)
    results, text = load_results(run), Reader((run / "report" / "report.html").read_text()).text
    places = [text.index(verdict.claim) for verdict in results.verdicts]
    assert places == sorted(places) and places[-1] < text.index("Plots") < text.index("Tables") < text.index("Cost")
    assert all(verdict.evidence in text for verdict in results.verdicts)
    assert choice_text(results.experiment) in text
    assert "Trainings without an accuracy" in text and "1e+06" in text  # what diverged
    assert f"silo-oracle run {study.origin}" in text and "batch_size: 64" in text and "python 3." in text


def test_what_a_search_skipped_is_shown():
    text = Reader(shown(published("digits-mlp-adaptive"))).text
    assert "The search gave better values more seeds than others" in text
    assert "Trainings that the search did without" in text and "beyond a value that is outside" in text


def test_the_details_of_a_verdict_are_a_list_below_it_and_what_it_would_take_is_the_last(tmp_path):
    results = published("cifar10-policies")
    write_report(results, tmp_path)
    html = (tmp_path / "report.html").read_text()
    boxes = re.findall(r'<div class="verdict .*?</div>', html, re.DOTALL)
    for one, box in zip(results.verdicts, boxes, strict=True):
        items = [unescape(item) for item in re.findall(r"<li>(.*?)</li>", box)]
        assert one.claim in unescape(box) and items == details(one, results.experiment)
    assert "seeds would decide it" in html


def test_a_verdict_without_details_has_no_list():
    results = replace(published("digits-mlp"), verdicts=[Verdict("a claim", Judgement.UNDECIDED, "evidence")])
    below = shown(results).partition("a claim")[2].partition("</div>")[0]
    assert "evidence" in below and "<ul>" not in below


def test_the_figures_of_the_verdicts_stand_in_the_page_of_a_study_that_is_judged(tmp_path):
    write_report(published("digits-mlp"), tmp_path / "judged")
    write_report(published("digits-mlp-adaptive"), tmp_path / "not")
    for folder, has in (("judged", True), ("not", False)):
        tags = Reader((tmp_path / folder / "report.html").read_text()).tags
        figures = [attributes["class"] for tag, attributes in tags if tag == "figure"]
        assert ("responses" in figures) == ("losses" in figures) == has
        assert "max_lr" in figures and {"responses", "losses"} < set(CAPTIONS)


def test_what_is_missing_and_what_a_table_marks_is_shown():
    html = shown(published("digits-mlp-adaptive"), missing=7)
    text = Reader(html).text
    assert "7 trainings are not recorded yet" in text
    whole = shown(published("digits-mlp"))
    assert "Bold: the best policy" in Reader(whole).text and whole.count("<td><strong>") >= 8
    results = published("digits-mlp")
    good = replace(results, cells=results.cells[results.cells.status == "done"])
    assert "No training was skipped" in Reader(shown(good)).text
    assert "No training was skipped" not in Reader(shown(good, missing=1)).text
    part = results.cells[~(results.cells.chain & (results.cells.seed == 11) & (results.cells.cycle == 0))]
    partial = analyze_cells(
        results.experiment, results.data, part, results.skipped, results.layers, results.sizes, results.costs
    )
    assert "† not over all seeds" in Reader(shown(partial)).text


def test_free_text_is_text():
    results = published("digits-mlp")
    results = replace(results, verdicts=[Verdict(NASTY, Judgement.UNDECIDED, NASTY)])
    html = shown(
        results, title=NASTY, made_by=NASTY, notes=[NASTY], environments=[{NASTY: NASTY}], experiment={NASTY: NASTY}
    )
    reader = Reader(html)
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert reader.text.count(NASTY) >= 7 and "49" not in reader.text.split("Plots")[0]


def test_a_run_that_recorded_nothing_reports_that(tmp_path):
    from oracle.experiment.load import load
    from oracle.study.study import new_study

    study = new_study(load(write(tmp_path, SMALL), []), tmp_path / "run")
    write_report(analyze(Snapshot.take(study)), tmp_path / "report")
    text = Reader((tmp_path / "report" / "report.html").read_text()).text
    assert "trainings are not recorded yet" in text and "Nothing is recorded yet." in text


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
def test_it_works_in_a_browser(run, tmp_path):
    """On a phone: no error, no request, no sideways scrolling; points are described; and it can be printed."""
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright

    file = run / "report" / "report.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 375, "height": 800}, has_touch=True)
        messages, requests = [], []
        tab.on("console", lambda message: messages.append(message.text))
        tab.on("pageerror", lambda error: messages.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(file.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= 375
        for selector, least in (("#verdicts .verdict", 4), ("#plots img", 5), ("#tables table", 4), ("#cost table", 1)):
            found = tab.locator(selector)
            assert found.count() >= least
            assert all(one.bounding_box()["height"] > 20 for one in found.all())
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 100)")
        panels = tab.locator(".panel")
        assert [panel.is_visible() for panel in panels.all()] == [True, False, False]
        tab.select_option("#cycle", "2")
        assert [panel.is_visible() for panel in panels.all()] == [False, False, True]
        first, last = panels.nth(2).locator("circle").first, panels.nth(2).locator("circle").last
        first.tap()
        assert tab.locator("#description").inner_text() == first.get_attribute("aria-label")
        last.focus()
        assert tab.locator("#description").inner_text() == last.get_attribute("aria-label")
        assert tab.pdf()[:5] == b"%PDF-"
        assert messages == [] and [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
        tab.goto((RESULTS / "digits-mlp" / "report.html").as_uri())
        tab.set_viewport_size({"width": 1280, "height": 800})  # every column of every table is seen without scrolling
        assert not tab.evaluate(
            "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth).length"
        )
        browser.close()
