"""Publishing: what is worth keeping of a run, with a README that says what it is."""

import csv
import os
import shutil
from pathlib import Path

from oracle.analysis.published_files import MAX_BYTES
from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.files import read_file, read_tree
from oracle.report.report import REPORT_FILES, figures_of, policies_of, write_json, write_report
from oracle.report.tables import escape
from oracle.report.tables.markdown import markdown
from oracle.report.tables.study_tables import comparison_table, losses_table, optima_table
from oracle.report.text import environment_text, verdicts_text
from oracle.study.beside import strangers, written_beside
from oracle.study.study import describe_study

IMAGES = {  # what each figure shows, by the names of their files
    "max_lr": "max_lr by weights remaining",
    "losses": "points lost to the best of each cycle",
    "responses": "response curves by cycle",
    "accuracy": "accuracy by weights remaining",
    "policies": "accuracy of every policy",
    "heat_map": "accuracy over max_lr and cycle",
    "layers": "weights alive in each layer",
}

FILES = REPORT_FILES | {"README.md", "experiment.json"}


def publish(results: Results, run_folder: Path, folder: Path) -> None:
    """Put what is worth keeping of a run into a folder: report, experiment, README. Replaces an older publication at once.

    Args:
        results: of the run.
        run_folder: where it is recorded; its report is written anew.
        folder: where to publish.

    Raises:
        InputError: where nothing is recorded, the folder holds anything but a publication of the same name, or one of the
            folders holds the other.
        OSError: where the folder can't be written; what was published there before stands then.
    """
    if results.cells.empty:
        raise InputError(f"{run_folder} must hold a recorded training, got none; `silo-oracle run` first")
    source, target = (Path(os.path.realpath(path)) for path in (run_folder, folder))  # of a link to itself, too
    if source.is_relative_to(target) or target.is_relative_to(source):
        raise InputError(f"{folder} must be a place apart from the run folder, got one that lies in it or holds it")
    if folder.exists():
        _check_publication(folder, results.experiment.name)
        _check_trainings(folder, set(results.cells.id))
    report = run_folder / "report"
    with written_beside(folder, FILES) as new:  # first: where it can't be, the report needn't be written
        write_report(results, report)
        new.mkdir()
        for name in REPORT_FILES:
            if (report / name).exists():
                shutil.copyfile(report / name, new / name)
        write_json(new / "experiment.json", describe_study(results.experiment, results.data, results.origin))
        (new / "README.md").write_text(_readme(results), encoding="utf-8")


def _check_publication(folder: Path, name: str) -> None:
    """Only what publishing this experiment once wrote may be replaced: nobody else's file goes."""
    if folder.is_dir():
        if not any(folder.iterdir()):
            return
        others = strangers(folder, FILES)
        published = _published_name(folder / "experiment.json")
        if not others and published == name:
            return
        what = others[0] if others else published and f"one of {published}"
    else:
        what = "a file"
    raise InputError(
        f"{folder} must be a new or empty folder, or hold nothing but an older publication of {name}, got "
        f"{what or 'a report that was not published'}"
    )


def _check_trainings(folder: Path, trainings: set[str]) -> None:
    """Only what this run holds, too, may be replaced: of another recipe by the same name, nothing goes unasked."""
    try:
        text = read_file(folder / "cells.csv", MAX_BYTES).decode("utf-8")
        others = {row["id"] for row in csv.DictReader(text.splitlines())} - trainings
    except (OSError, ValueError, KeyError, csv.Error):
        return  # none of them could be read again
    if others:
        advice = "delete it, or publish to another place with --to"
        raise InputError(f"{folder} must hold no trainings but this run's, got {len(others)} others: {advice}")


def _published_name(file: Path) -> str | None:
    """The name of the experiment that a publication is of; None where it is none."""
    try:
        return str(read_tree(file)["experiment"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _readme(results: Results) -> str:
    experiment = results.experiment
    seeds = ", ".join(map(str, experiment.oracle.seeds))
    made_by = escape.markdown_code(results.made_by)
    lines = [
        f"# {escape.markdown(experiment.title)}",
        "",
        f"Made by {made_by} and `silo-oracle publish`: {len(results.cells)} trainings, seeds {seeds}, "
        f"follow: {experiment.oracle.follow}. The experiment with every default is in `experiment.json`, every training in "
        "`cells.csv`. All of it as one page to read: `report.html`.",
        "",
        *map(environment_text, results.environments),
        "",
        verdicts_text(results),
        markdown(comparison_table(results.comparison)),
        "",
    ]
    for table in (optima_table(results.optima), losses_table(results.losses)):
        if len(table):
            lines.append(markdown(table))
    lines.append("")
    if experiment.baselines:
        lines += [f"{policies.markdown}\n" for policies in policies_of(results)]
    lines += [f"![{IMAGES[name]}]({name}.png)" for name in figures_of(results)]
    files = (f"{name} ([PDF]({name}.pdf), [SVG]({name}.svg))" for name in figures_of(results))
    lines += ["", f"The figures for a paper: {', '.join(files)}."]
    return "\n".join(lines) + "\n"
