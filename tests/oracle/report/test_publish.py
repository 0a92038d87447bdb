"""Publishing replaces what it once wrote, and nobody else's file."""

import shutil
from pathlib import Path

import pytest

from oracle.analysis.results import load_results
from oracle.error import InputError
from oracle.report.publish import publish
from oracle.report.report import REPORT_FILES

PUBLISHED = Path(__file__).parents[3] / "results" / "quickstart-adaptive"


@pytest.fixture(scope="module")
def results():
    return load_results(PUBLISHED)


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
    publish(results, run_folder, place)
    assert set(first) <= REPORT_FILES | {"README.md", "experiment.json"}
    assert names(place) == first and (place / "README.md").read_text().startswith("# ")
    assert names(tmp_path) == ["published", "run"]


@pytest.mark.parametrize("stranger", ["thesis.txt", "verdicts.md.bak"])
def test_a_strangers_file_among_published_ones_is_left(results, run_folder, tmp_path, stranger):
    place = tmp_path / "published"
    publish(results, run_folder, place)
    (place / stranger).write_text("ten years of work")
    with pytest.raises(InputError, match=stranger):
        publish(results, run_folder, place)
    assert (place / stranger).read_text() == "ten years of work"


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

    monkeypatch.setattr("oracle.report.publish.shutil.copytree", full)
    with pytest.raises(OSError, match="No space"):
        publish(results, run_folder, place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
