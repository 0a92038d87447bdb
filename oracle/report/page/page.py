"""All that a reader wants to know of a run in one file: no network, no script, style, font or image from elsewhere."""

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
from oracle.plain_text import printable
from oracle.report.page.trainings_plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, training_panels
from oracle.report.tables.format import MISSING, Bold, known
from oracle.report.tables.paper import Table
from oracle.report.tables.study_tables import comparison_table, losses_table, optima_table, oracle_table
from oracle.study.record import Status

CAPTIONS = {  # of the figures, by the names of their files
    "max_lr": "The Oracle's interval and SILO's max_lr, by weights remaining; the optimum of each cycle's response curve with "
    "its band, and the growth along SILO's curve that fits them all",
    "losses": "Points that SILO and the best constant lose to the best of each cycle on test images, chosen on the other seeds",
    "responses": "Response curves: accuracy over max_lr, a panel a cycle (its weights remaining in percent). Bars are one "
    "standard deviation of a training, less what its seed explains; the curve is fitted to the values near the best; the bands "
    "hold all optima at once",
    "accuracy": "Test accuracy of SILO and of the Oracle's best, mean ± standard deviation over the seeds (where the Oracle's "
    "best has fewer seeds: as far from SILO's as in these)",
    "policies": "Test accuracy of every policy on its own chain of masks, mean ± standard deviation over the seeds",
    "heat_map": "Every grid value at every cycle: points below the cycle's best",
    "layers": "Weights alive in each layer, by weights remaining in all",
}

# the heads of a table, and the texts of its rows
Content = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class PageText:
    """What the page says in words beside its numbers.

    Attributes:
        title: of the experiment.
        settings: what is judged by, such as seeds and tolerance.
        made_by: the command that trained.
        verdicts: shown first.
        notes: what is missing, failed or blocked, and what would tell more.
        environments: each environment that trainings were recorded in.
        experiment: every field with its value.
        missing: how many trainings are not recorded yet.
    """

    title: str
    settings: str
    made_by: str
    verdicts: Sequence[Verdict]
    notes: Sequence[str]
    environments: Sequence[dict[str, Any]]
    experiment: dict[str, Any]
    missing: int


def render_page(results: Results, text: PageText, policies: Sequence[Table], figures: Path) -> str:
    """The page as HTML.

    Args:
        results: what the tables and the plot of the trainings show.
        text: what the page says beside them.
        policies: the tables of the policies; left out where the experiment has no baselines.
        figures: the folder that holds the svg files of the figures; a figure that isn't there is left out.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names, labels and reasons are free text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["bold"] = lambda cell: isinstance(cell, Bold)
    return environment.get_template("page.html").render(
        text=text,
        figures=[
            (name, caption, base64.b64encode(path.read_bytes()).decode())
            for name, caption in CAPTIONS.items()
            if (path := figures / f"{name}.svg").is_file()
        ],
        panels=training_panels(results),
        chosen_on=results.experiment.chosen_on,
        size={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        tables=[
            (caption, _content(display), notes)
            for caption, display, notes in _tables(results, policies)
            if len(display)
        ],
        skipped=_content(_skipped(results)),
        uncounted=_content(_uncounted(results)),
        cost=_content(results.costs.map(lambda value: value if known(value) else MISSING)),
        experiment=printable(yaml.safe_dump(text.experiment, sort_keys=False, allow_unicode=True)),
    )


def _tables(results: Results, policies: Sequence[Table]) -> list[tuple[str, pd.DataFrame, Sequence[str]]]:
    """Caption, strings and notes of each table."""
    tables: list[tuple[str, pd.DataFrame, Sequence[str]]] = []
    tables.append(("SILO against the Oracle", comparison_table(results.comparison), ()))
    tables.append(("Where the response curves have their optimum", optima_table(results.optima), ()))
    tables.append(("What SILO and the best constant lose, held out", losses_table(results.losses), ()))
    tables.append(("The Oracle", oracle_table(results.comparison), ()))
    if results.experiment.baselines:
        tables += [(table.caption, table.display, table.notes) for table in policies]
    return tables


def _content(display: pd.DataFrame) -> Content:
    rows = display.astype(object).to_numpy().tolist()
    return list(display.columns), [[cell if isinstance(cell, str) else str(cell) for cell in row] for row in rows]


def _skipped(results: Results) -> pd.DataFrame:
    """How many trainings the Oracle's search left out, by reason."""
    reasons = results.skipped.why.str.replace(r" *\(.*?\)", "", regex=True)  # without what is each value's own
    reasons = reasons.str.replace(r"beyond \S+, which", "beyond a value that", regex=True)
    trainings = results.skipped.seeds.str.split().map(len)
    return pd.DataFrame({"Why": reasons, "Trainings": trainings}).groupby("Why", sort=False).sum().reset_index()


def _uncounted(results: Results) -> pd.DataFrame:
    """The trainings that have no accuracy, by cycle."""
    cells = results.cells[results.cells.status != Status.DONE]
    rows = [
        (cycle, status, len(part), ", ".join(f"{value:.4g}" for value in sorted(part.max_lr.unique())))
        for (cycle, status), part in cells.groupby(["cycle", "status"])
    ]
    return pd.DataFrame(rows, columns=["Cycle", "What", "Trainings", "max_lr"])
