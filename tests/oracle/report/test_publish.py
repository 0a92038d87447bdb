"""Publishing replaces what it once wrote, and nobody else's file."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from oracle.analysis.results import load_results
from oracle.error import InputError
from oracle.report.publish import IMAGES, _check_publication, publish
from oracle.report.report import FIGURES, REPORT_FILES, figures_of, write_report

RESULTS = Path(__file__).parents[3] / "results"


@pytest.fixture(scope="module")
def results():
    return load_results(RESULTS / "digits-mlp-adaptive")


@pytest.fixture
def run_folder(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_publication_is_replaced_and_leaves_nothing_beside(results, run_folder, tmp_path):
    place = tmp_path / "published"
    publish(results, run_folder, place)
    first = names(place)
    assert {"README.md", "experiment.json", "cells.csv", "skipped.csv"} <= set(first)
    (place / "README.md").write_text("an older one")
    (place / "policies.png").write_text("that had baselines")
    (place / "responses.png").write_text("that had judged cycles")
    publish(results, run_folder, place)
    assert set(first) <= REPORT_FILES | {"README.md", "experiment.json"}
    assert names(place) == first and (place / "README.md").read_text().startswith("# ")
    assert names(tmp_path) == ["published", "run"]


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-mlp-adaptive"])
def test_the_readme_shows_every_figure_that_is_there_and_no_other(run_folder, tmp_path, name):
    results = load_results(RESULTS / name)
    place = tmp_path / "published"
    publish(results, run_folder, place)
    shown = re.findall(r"!\[[^]]+\]\((.*?)\.png\)", (place / "README.md").read_text())
    assert shown == figures_of(results) and set(IMAGES) == set(FIGURES)
    for ending in ("png", "svg"):
        assert sorted(shown) == sorted(path.stem for path in place.glob(f"*.{ending}"))
    judged = not results.optima.empty
    assert ("responses" in shown) == ("losses" in shown) == judged


def test_figures_of_an_earlier_report_go_where_there_is_no_cause_for_them_any_more(results, tmp_path):
    whole = load_results(RESULTS / "digits-mlp")
    write_report(whole, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.svg")} == set(FIGURES)
    write_report(results, tmp_path)
    for ending in ("png", "svg"):
        left = {path.stem for path in tmp_path.glob(f"*.{ending}")}
        assert left == set(FIGURES) - {"policies", "responses", "losses"} == set(figures_of(results))


@pytest.mark.parametrize("stranger", ["thesis.txt", "verdicts.md.bak"])
def test_a_strangers_file_among_published_ones_is_left(results, run_folder, tmp_path, stranger):
    place = tmp_path / "published"
    publish(results, run_folder, place)
    (place / stranger).write_text("ten years of work")
    with pytest.raises(InputError, match=stranger):
        publish(results, run_folder, place)
    assert (place / stranger).read_text() == "ten years of work"


def test_another_studys_publication_is_left(results, run_folder, tmp_path):
    place = tmp_path / "published"
    shutil.copytree(RESULTS / "digits-mlp", place)
    with pytest.raises(InputError, match=r"older publication of digits-mlp-adaptive, got one of digits-mlp$"):
        publish(results, run_folder, place)
    assert (place / "cells.csv").read_bytes() == (RESULTS / "digits-mlp" / "cells.csv").read_bytes()


def test_trainings_that_the_run_has_not_are_left(run_folder, tmp_path):
    """Of another recipe by the same name; whatever a run was extended by may replace what it began with."""
    whole = load_results(RESULTS / "digits-mlp")
    part = replace(whole, cells=whole.cells[whole.cells.cycle < 4])
    place = tmp_path / "published"
    publish(part, run_folder, place)
    publish(whole, run_folder, place)
    before = (place / "cells.csv").read_bytes()
    others = len(whole.cells) - len(part.cells)
    with pytest.raises(InputError, match=f"must hold no trainings but this run's, got {others} others: delete it"):
        publish(part, run_folder, place)
    assert (place / "cells.csv").read_bytes() == before
    (place / "cells.csv").write_text("torn")
    publish(part, run_folder, place)


def test_a_strangers_folder_or_link_by_a_published_name_is_left(results, run_folder, tmp_path):
    place = tmp_path / "published"
    publish(results, run_folder, place)
    for make in (lambda path: path.symlink_to("README.md"), Path.mkdir):
        (place / "policies.csv").unlink(missing_ok=True)
        make(place / "policies.csv")
        with pytest.raises(InputError, match=r"policies\.csv"):
            publish(results, run_folder, place)
        assert (place / "policies.csv").exists()


@pytest.mark.parametrize("name", sorted(path.parent.name for path in RESULTS.glob("*/experiment.json")))
def test_what_an_earlier_version_published_can_be_replaced(tmp_path, name):
    _check_publication(Path(shutil.copytree(RESULTS / name, tmp_path / name)), name)


def test_another_runs_report_is_no_publication(results, run_folder, tmp_path):
    place = tmp_path / "another" / "report"
    publish(results, run_folder, tmp_path / "published")
    shutil.copytree(run_folder / "report", place)
    with pytest.raises(InputError, match="must be a new or empty folder"):
        publish(results, run_folder, place)
    assert "cells.csv" in names(place)


def test_where_nothing_can_be_written_what_was_published_stands(results, run_folder, tmp_path, monkeypatch):
    place = tmp_path / "published"
    publish(results, run_folder, place)
    before = {path.name: path.read_bytes() for path in place.iterdir()}

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("oracle.report.publish.shutil.copyfile", full)
    with pytest.raises(OSError, match="No space"):
        publish(results, run_folder, place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
