"""Tables, verdicts and plots from what is recorded; the same files for a half-finished run as for a whole one."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from oracle.analysis.findings import verdicts_table
from oracle.analysis.results import Results
from oracle.report.figures import content
from oracle.report.figures.accuracy import plot_accuracy
from oracle.report.figures.heat_map import plot_heat_map
from oracle.report.figures.layers import plot_layers
from oracle.report.figures.losses import plot_losses
from oracle.report.figures.max_lr import plot_max_lr
from oracle.report.figures.policies import plot_policies
from oracle.report.figures.responses import plot_responses
from oracle.report.figures.style import ENDINGS, save
from oracle.report.page.page import PageText, render_page
from oracle.report.tables.paper import Table, finished_experiments, paper_tables
from oracle.report.tables.study_tables import comparison_table, losses_table, optima_table, oracle_table
from oracle.report.tables.write import csv_text, write_table, write_texts
from oracle.report.text import choice_text, details, notes, setting_text, verdicts_text
from oracle.study.beside import written_beside

TABLES = ("oracle", "comparison", "optima", "losses", "policies", "policies-final")
FIGURES = ("max_lr", "losses", "responses", "accuracy", "policies", "heat_map", "layers")
# all that a report may consist of
FORMER = tuple(f"statistics.{ending}" for ending in ("csv", "md", "tex"))  # of an older version
REPORT_FILES = {
    *FORMER,
    *(f"{name}.csv" for name in ("cells", "layers", "size", "cost", "skipped")),
    *(f"{name}.{ending}" for name in TABLES for ending in ("csv", "md", "tex")),
    *(f"{name}.{ending}" for name in FIGURES for ending in ENDINGS),
    "verdicts.md",
    "verdicts.csv",
    "environment.json",
    "report.html",
}


def write_report(results: Results, folder: Path) -> None:
    """Write the report into a folder, which is made where it is missing; an older report is replaced at once.

    Cost and environment have files of their own, and stand in report.html: all others hold nothing that another run of the
    same trainings would change. Files of others stay.

    Raises:
        InputError: where the folder can't be made, or is a link.
        OSError: where it can't be written; an older report stands then.
    """
    with written_beside(folder, REPORT_FILES) as new:
        fill_report(results, new)


def fill_report(results: Results, folder: Path) -> None:
    """Write the files of the report into a new folder."""
    policies = policies_of(results)
    folder.mkdir()
    _write_frames(results, folder)
    _write_tables(results, policies, folder)
    (folder / "verdicts.md").write_text(verdicts_text(results), encoding="utf-8")
    _save_figures(results, folder)
    write_json(folder / "environment.json", results.environments)
    (folder / "report.html").write_text(_page(results, policies, folder), encoding="utf-8")


def policies_of(results: Results) -> list[Table]:
    """Return the test accuracy of every policy by weights remaining: at the chosen epoch, and at the final one."""
    return list(islice(paper_tables(*finished_experiments([results])), 2))


def write_json(path: Path, content: Any) -> None:
    """Write what JSON holds, to be read by people, too."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def figures_of(results: Results) -> list[str]:
    """Return the names of the figures that a report has: of policies only where there are several, of response curves and
    losses only where these are known.
    """
    without = set() if results.experiment.baselines else {"policies"}
    if results.optima.empty:
        without.add("responses")
    if results.losses.empty:
        without.add("losses")
    return [name for name in FIGURES if name not in without]


def _write_frames(results: Results, folder: Path) -> None:
    frames = {"cells": results.cells, "layers": results.layers, "size": results.sizes, "cost": results.costs}
    frames["verdicts"] = verdicts_table(results.verdicts)
    if not results.experiment.oracle.search.is_exhaustive:
        frames["skipped"] = results.skipped
    for name, frame in frames.items():
        (folder / f"{name}.csv").write_text(csv_text(frame), encoding="utf-8", newline="\n")


def _write_tables(results: Results, policies: Sequence[Table], folder: Path) -> None:
    experiment, comparison = results.experiment, results.comparison
    caption = f"{experiment.title} ({setting_text(experiment)})"
    level = results.findings.level
    for name, frame, display, title in (
        ("oracle", comparison.loc[:, :"why"], oracle_table(comparison), "The Oracle by pruning cycle"),
        ("comparison", comparison, comparison_table(comparison), "SILO against the Oracle"),
        (
            "optima",
            results.optima,
            optima_table(results.optima),
            f"Where the response curves have their optimum, and a band that holds all of them ({1 - level:.0%})",
        ),
        (
            "losses",
            results.losses,
            losses_table(results.losses),
            f"Points lost to the best of each cycle on test images, both chosen on the other seeds ({1 - 2 * level:.0%})",
        ),
    ):
        write_table(frame, display, folder, name, f"{title}: {caption}")
    for name, one in zip(("policies", "policies-final"), policies, strict=True):
        write_texts(one.all_columns, one.markdown, one.latex, folder, name)


def _save_figures(results: Results, folder: Path) -> None:
    title, chosen_on = results.experiment.title, results.experiment.chosen_on
    plots = {
        "max_lr": lambda: plot_max_lr(**content.max_lr(results), title=title),
        "responses": lambda: plot_responses(**content.responses(results), title=title),
        "losses": lambda: plot_losses(**content.losses(results), title=title),
        "accuracy": lambda: plot_accuracy(**content.accuracy(results), title=title),
        "policies": lambda: plot_policies(**content.policies(results), title=title),
        "heat_map": lambda: plot_heat_map(results.cells, results.comparison, title, chosen_on),
        "layers": lambda: plot_layers(results.layers, title),
    }
    for name in figures_of(results):
        save(plots[name](), folder, name)


def _page(results: Results, policies: Sequence[Table], figures: Path) -> str:
    text = PageText(
        results.experiment.title,
        setting_text(results.experiment),
        results.made_by,
        [replace(one, details=tuple(details(one, results.experiment))) for one in results.verdicts],
        [*notes(results), choice_text(results.experiment)],
        results.environments,
        results.experiment.redacted(),
        results.counts.missing,
    )
    return render_page(results, text, policies, figures)
