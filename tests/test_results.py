"""Published tables follow from the published cells, by today's rules."""

import json

import pytest
from published import RESULTS, published

from oracle.analysis.cells import of_baseline
from oracle.analysis.findings import verdicts_table
from oracle.analysis.published_files import read_cells, read_skipped
from oracle.experiment.load import validate
from oracle.report.report import policies_of
from oracle.report.tables.markdown import markdown
from oracle.report.tables.study_tables import comparison_table as shown
from oracle.report.text import details

FOLDERS = sorted(path.parent for path in RESULTS.glob("**/experiment.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(RESULTS)))
def test_tables_and_verdicts_follow_from_the_cells(folder):
    found = published(str(folder.relative_to(RESULTS)))
    assert found.comparison.to_csv(index=False, lineterminator="\n") == (folder / "comparison.csv").read_text()
    tables = {"optima": found.optima, "losses": found.losses, "verdicts": verdicts_table(found.verdicts)}
    for name, table in tables.items():
        assert table.to_csv(index=False, lineterminator="\n") == (folder / f"{name}.csv").read_text()
    readme, verdicts = (folder / "README.md").read_text(), (folder / "verdicts.md").read_text()
    assert markdown(shown(found.comparison)) in readme
    for name, policies in zip(("policies", "policies-final"), policies_of(found), strict=True):
        assert policies.all_columns.to_csv(index=False, lineterminator="\n") == (folder / f"{name}.csv").read_text()
        assert policies.markdown == (folder / f"{name}.md").read_text()
    for verdict in found.verdicts:
        assert f"- **{verdict.claim}**: {verdict.judgement}. {verdict.evidence}" in readme
        assert all(f"  - {detail}" in readme for detail in details(verdict, found.experiment))
        assert verdict.evidence in verdicts


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(RESULTS)))
def test_what_is_published_is_the_whole_study_and_in_no_machines_path(folder):
    study = json.loads((folder / "experiment.json").read_text())
    experiment = validate(study["experiment"], str(folder))
    cells = read_cells(folder / "cells.csv", experiment.prune.cycles)
    for name in experiment.baselines:
        chain = of_baseline(cells, "policies", name)
        assert len(chain) == experiment.prune.cycles * len(experiment.oracle.seeds)
    candidates = cells[cells.candidate]
    there = list(zip(candidates.cycle, candidates.max_lr, candidates.seed, strict=True))
    if experiment.oracle.search.kind != "exhaustive":
        skipped = read_skipped(folder / "skipped.csv")
        there += [(row.cycle, row.max_lr, int(seed)) for row in skipped.itertuples() for seed in row.seeds.split()]
    values, seeds = experiment.oracle.grid.values(), experiment.oracle.seeds
    assert sorted(there) == sorted((m, v, s) for m in range(experiment.prune.cycles) for v in values for s in seeds)
    for path in folder.glob("*.*"):
        if path.suffix in (".md", ".json", ".csv", ".tex", ".svg"):
            assert (
                "/work" not in path.read_text() and "/home" not in path.read_text() and "/tmp" not in path.read_text()
            )
