"""What the records of a study say, from its run folder or from what was published of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from oracle.analysis.cells import cells_table, layers_table, read_cells, read_skipped, skipped_frame, skipped_table
from oracle.analysis.claims.advantage import judge_advantage
from oracle.analysis.claims.verdict import Verdict, judge
from oracle.analysis.comparison import comparison_table
from oracle.analysis.cost import costs_table
from oracle.analysis.policies import policies_table, policy_scores
from oracle.analysis.significance import statistics_table
from oracle.error import InputError
from oracle.experiment.load import validate
from oracle.experiment.spec import Experiment
from oracle.study.study import Study, open_study


@dataclass(frozen=True)
class Results:
    """The experiment, its data (chance level, image counts), and what its records say: its cells, what the Oracle's search
    skipped, the Oracle against SILO by cycle, how sure that is, every policy by cycle, how many weights each layer kept, what
    each policy cost, and the verdicts.
    """

    experiment: Experiment
    data: dict[str, Any]
    cells: pd.DataFrame
    skipped: pd.DataFrame
    comparison: pd.DataFrame
    statistics: pd.DataFrame
    policies: pd.DataFrame
    layers: pd.DataFrame
    costs: pd.DataFrame
    verdicts: list[Verdict]


def find(study: Study) -> Results:
    """Read the records; writes nothing."""
    cells = cells_table(study.chains)
    costs = costs_table(cells, study.experiment, study.store)
    layers, skipped = layers_table(cells, study.chains), skipped_table(study.chains)
    return conclude(study.experiment, study.data, cells, skipped, layers, costs)


def conclude(
    experiment: Experiment,
    data: dict[str, Any],
    cells: pd.DataFrame,
    skipped: pd.DataFrame,
    layers: pd.DataFrame,
    costs: pd.DataFrame,
) -> Results:
    """All that follows from the cells; data: chance level (percent) and image counts."""
    comparison = comparison_table(cells, experiment, data, skipped)
    scores = policy_scores(cells, experiment, data["chance"])
    grows, inside, needed = judge(comparison, experiment)
    return Results(
        experiment,
        data,
        cells,
        skipped,
        comparison,
        statistics_table(cells, comparison, experiment, data),
        policies_table(scores, comparison, experiment),
        layers,
        costs,
        [grows, judge_advantage(scores, experiment, data), inside, needed],
    )


def finished(folder: Path) -> Results:
    """The findings of a run folder, or of what `publish` made of one; raises InputError for any other folder."""
    if (folder / "study.json").exists():
        return find(open_study(folder))
    allowed = "a run folder, or a folder that `silo-oracle publish` made, is allowed"
    if not (folder / "experiment.json").is_file():
        raise InputError(f"{folder}: no finished study there; {allowed}")
    try:
        study = json.loads((folder / "experiment.json").read_text())
        experiment = validate(study["experiment"], str(folder / "experiment.json"))
        layers, costs = (pd.read_csv(folder / f"{name}.csv") for name in ("layers", "cost"))
        costs = costs.astype({"search_trainings": "Int64"})
        searched = experiment.oracle.search.kind != "exhaustive"
        skipped = read_skipped(folder / "skipped.csv") if searched else skipped_frame([])
        return conclude(experiment, study["data"], read_cells(folder / "cells.csv"), skipped, layers, costs)
    except (OSError, ValueError, KeyError, TypeError) as error:
        told = " ".join(str(error).split())
        raise InputError(f"{folder}: not what `publish` writes today ({told}); {allowed}") from error


def curves(folder: Path, cells: pd.DataFrame) -> dict[str, list[float]]:
    """Validation accuracy (percent) after every epoch of every recorded training, by cell id; empty where ``folder`` is no run
    folder, since nothing else holds them.
    """
    if not (folder / "study.json").exists():
        return {}
    store = open_study(folder).store
    records = ((cell_id, store.whole_record(cell_id)) for cell_id in cells.id)
    return {cell_id: [epoch["validation"] for epoch in one["outcome"]["curve"]] for cell_id, one in records if one}
