"""Published tables follow from the published cells, by today's rules."""

import json
from pathlib import Path

import pandas as pd
import pytest

from oracle.cells import CELL_COLUMNS
from oracle.comparison import comparison_table
from oracle.load import validate
from oracle.table import comparison_table as shown
from oracle.table import markdown
from oracle.verdict import judge

RESULTS = sorted(path.parent for path in (Path(__file__).parent.parent / "results").glob("*/experiment.json"))


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_tables_and_verdicts_follow_from_the_cells(folder):
    study = json.loads((folder / "experiment.json").read_text())
    experiment = validate(study["experiment"], str(folder))
    cells = pd.read_csv(folder / "cells.csv", dtype=CELL_COLUMNS)
    comparison = comparison_table(cells, experiment, study["data"])
    assert comparison.to_csv(index=False, lineterminator="\n") == (folder / "comparison.csv").read_text()
    readme, verdicts = (folder / "README.md").read_text(), (folder / "verdicts.md").read_text()
    assert markdown(shown(comparison)) in readme
    for verdict in judge(comparison, experiment):
        assert f"- **{verdict.claim}**: {verdict.verdict}. {verdict.evidence}" in readme
        assert verdict.evidence in verdicts


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_what_is_published_is_the_whole_study_and_in_no_machines_path(folder):
    study = json.loads((folder / "experiment.json").read_text())
    experiment = validate(study["experiment"], str(folder))
    cells = pd.read_csv(folder / "cells.csv", dtype=CELL_COLUMNS)
    candidates = cells[cells.candidate].groupby(["cycle", "seed"]).max_lr.apply(tuple)
    assert len(candidates) == experiment.prune.cycles * len(experiment.oracle.seeds)
    assert set(candidates) == {experiment.oracle.grid.values()}
    for path in folder.glob("*.*"):
        if path.suffix in (".md", ".json", ".csv", ".tex", ".svg"):
            assert (
                "/work" not in path.read_text() and "/home" not in path.read_text() and "/tmp" not in path.read_text()
            )
