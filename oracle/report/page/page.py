"""Everything a reader wants of a run in one file: no network, no script, style, font or image from elsewhere."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from oracle.analysis.claims.verdict import Verdict
from oracle.analysis.results import Results
from oracle.report.page.trainings_plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, panels
from oracle.report.tables.format import MISSING, Bold, known
from oracle.report.tables.paper import Table
from oracle.report.tables.study_tables import comparison_table, oracle_table, statistics_table

FIGURES = {
    "max_lr": "The Oracle's interval and SILO's max_lr, by weights remaining",
    "accuracy": "Test accuracy of SILO and of the Oracle's best (where this has fewer seeds: as far from SILO's as in these)",
    "policies": "Test accuracy of every policy on its own chain of masks",
    "heat_map": "Every grid value at every cycle: points below the cycle's best",
    "layers": "Weights alive in each layer",
}


@dataclass(frozen=True)
class Told:
    """What the report says in words beside its numbers."""

    title: str
    asked: str
    origin: str
    verdicts: Sequence[Verdict]
    notes: Sequence[str]
    environments: Sequence[dict[str, Any]]
    experiment: dict[str, Any]
    missing: int  # trainings


def page(findings: Results, told: Told, policies: Sequence[Table], figures: Path) -> str:
    """The HTML. figures: the folder that holds their svg files; those that aren't there are left out."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names, labels and reasons are free text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["bold"] = lambda cell: isinstance(cell, Bold)
    tables = [("SILO against the Oracle", comparison_table(findings.comparison), ())]
    if len(findings.statistics):
        searched = findings.experiment.oracle.search.kind != "exhaustive"
        untried = ("Grid values that the search did not try are left out.",) * searched
        tables.append(("How sure it is", statistics_table(findings.statistics), untried))
    tables.append(("The Oracle", oracle_table(findings.comparison), ()))
    tables += [(one.caption, one.display, one.notes) for one in policies if findings.experiment.baselines]
    return environment.get_template("page.html").render(
        told=told,
        figures=[
            (caption, base64.b64encode(path.read_bytes()).decode())
            for name, caption in FIGURES.items()
            if (path := figures / f"{name}.svg").is_file()
        ],
        panels=panels(findings),
        chosen_on=findings.experiment.chosen_on,
        size={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        tables=[(caption, _rows(display), notes) for caption, display, notes in tables if len(display)],
        sure=len(findings.statistics) > 0,
        skipped=_rows(_skipped(findings)),
        uncounted=_rows(_uncounted(findings)),
        cost=_rows(findings.costs.map(lambda value: value if known(value) else MISSING)),
        experiment=yaml.safe_dump(told.experiment, sort_keys=False, allow_unicode=True),
    )


def _rows(display: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    rows = display.astype(object).to_numpy().tolist()
    return list(display.columns), [[cell if isinstance(cell, str) else str(cell) for cell in row] for row in rows]


def _skipped(findings: Results) -> pd.DataFrame:
    """What the Oracle's search left out, by reason."""
    reasons = findings.skipped.why.str.replace(r" *\(.*?\)", "", regex=True)  # without what is each value's own
    reasons = reasons.str.replace(r"beyond \S+, which", "beyond a value that", regex=True)
    trainings = findings.skipped.seeds.str.split().map(len)
    return pd.DataFrame({"Why": reasons, "Trainings": trainings}).groupby("Why", sort=False).sum().reset_index()


def _uncounted(findings: Results) -> pd.DataFrame:
    """Trainings that gave no accuracy, by cycle."""
    cells = findings.cells[findings.cells.status != "done"]
    rows = [
        (cycle, status, len(part), ", ".join(f"{value:.4g}" for value in sorted(part.max_lr.unique())))
        for (cycle, status), part in cells.groupby(["cycle", "status"])
    ]
    return pd.DataFrame(rows, columns=["Cycle", "What", "Trainings", "max_lr"])
