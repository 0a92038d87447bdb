"""Tables, verdicts and plots from what is recorded; the same files for a half-finished run as for a whole one."""

import json
import shutil
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from oracle.analysis.claims.verdict import in_sample
from oracle.analysis.results import Results
from oracle.analysis.significance import settling
from oracle.cli.plan_text import widening
from oracle.error import InputError
from oracle.experiment.spec import Experiment
from oracle.plan.counts import tally
from oracle.report.figures.accuracy import plot_accuracy
from oracle.report.figures.heat_map import plot_heat_map
from oracle.report.figures.layers import plot_layers
from oracle.report.figures.max_lr import plot_max_lr
from oracle.report.figures.policies import plot_policies
from oracle.report.figures.style import save
from oracle.report.page.page import PageText, render_page
from oracle.report.tables.markdown import markdown
from oracle.report.tables.paper import Table, finished_experiments, paper_tables
from oracle.report.tables.study_tables import comparison_table, oracle_table, statistics_table
from oracle.report.tables.write import write_table, write_texts
from oracle.study.durable import make_asked_folder
from oracle.study.environment import mixture
from oracle.study.study import Study


def write(study: Study, findings: Results) -> Path:
    """Write the report into the run folder and return where it lies.

    Cost and environment have files of their own, and stand in report.html: all others hold nothing that another run of the same
    cells would change.
    """
    folder = study.store.folder / "report"
    folder.mkdir(parents=True, exist_ok=True)
    label, oracle = study.experiment.title, study.experiment.oracle
    caption = f"{label} ({_asked(study.experiment)})"
    cells, comparison = findings.cells, findings.comparison
    frames = {"cells": cells, "layers": findings.layers, "cost": findings.costs}
    if oracle.search.kind != "exhaustive":
        frames["skipped"] = findings.skipped
    _remove_others(folder, study)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    write_table(
        comparison.loc[:, :"why"],
        oracle_table(comparison),
        folder,
        "oracle",
        f"The Oracle by pruning cycle: {caption}",
    )
    write_table(comparison, comparison_table(comparison), folder, "comparison", f"SILO against the Oracle: {caption}")
    level = f"{1 - oracle.level:.0%} in each cycle"
    if findings.statistics.empty:
        level = "unknown, as no cycle has two seeds of two values near its best"
    untried = "" if oracle.search.kind == "exhaustive" else " (grid values that the search did not try are left out)"
    write_table(
        findings.statistics,
        statistics_table(findings.statistics),
        folder,
        "statistics",
        f"How sure SILO's distance to the Oracle's best is, {level}{untried}: {caption}",
    )
    for name, policies in zip(("policies", "policies-final"), policies_of(findings), strict=True):
        write_texts(policies.all_columns, policies.markdown, policies.latex, folder, name)
    (folder / "verdicts.md").write_text(verdicts_text(findings, study))
    save(plot_max_lr(comparison, label), folder, "max_lr")
    # of SILO's max_lr on the judged masks: its own chain's, where these are its own
    intervals = findings.statistics[["cycle", "low", "high"]] if oracle.follow == "silo" else None
    save(plot_accuracy(comparison, label, intervals), folder, "accuracy")
    save(plot_heat_map(cells, comparison, label, findings.experiment.chosen_on), folder, "heat_map")
    save(plot_layers(findings.layers, label), folder, "layers")
    if study.experiment.baselines:
        save(plot_policies(findings.policies, label), folder, "policies")
    made = environments(study, cells)
    _write_json(folder / "environment.json", made)
    experiment = study.experiment.portable()
    said, missing = notes(study, findings), tally(study.chains).count("missing")
    text = PageText(label, _asked(study.experiment), study.origin, findings.verdicts, said, made, experiment, missing)
    (folder / "report.html").write_text(render_page(findings, text, policies_of(findings), folder), encoding="utf-8")
    return folder


def _asked(experiment: Experiment) -> str:
    oracle, several = experiment.oracle, len(experiment.oracle.seeds) > 1
    seeds = f"{len(oracle.seeds)} seed{'s' * several}"
    return f"{seeds}, tolerance {oracle.tolerance:g} points, follow: {oracle.follow}"


def _remove_others(folder: Path, study: Study) -> None:
    """What an earlier report of this folder had, and this one has no cause for."""
    others = ["skipped.csv"] * (study.experiment.oracle.search.kind == "exhaustive")
    others += ["policies.png", "policies.svg"] * (not study.experiment.baselines)
    for name in others:
        (folder / name).unlink(missing_ok=True)


def policies_of(findings: Results) -> list[Table]:
    """Test accuracy of every policy by weights remaining: at the chosen epoch, and at the final one."""
    return list(islice(paper_tables(*finished_experiments([findings])), 2))


def verdicts_text(findings: Results, study: Study) -> str:
    """The verdicts and notes, as Markdown."""
    lines = [f"Verdicts on this experiment ({study.experiment.title}; {_asked(study.experiment)}):", ""]
    lines += [f"- **{v.claim}**: {v.verdict}. {v.evidence}" for v in findings.verdicts]
    lines += [f"- Note: {note}" for note in notes(study, findings)]
    chosen, seeds = study.experiment.silo.chosen, study.experiment.silo.chosen_on_seeds
    told = f" (seeds {', '.join(map(str, seeds))})" * bool(seeds)
    lines += [
        f"- SILO's parameters: {chosen}{told}." + " In-sample: these seeds judge them." * in_sample(study.experiment)
    ]
    return "\n".join(lines) + "\n"


def environments(study: Study, cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Every environment that records were made in, with how many."""
    records = [study.store.record(cell_id) for cell_id in cells.id]
    made = Counter(json.dumps(record["environment"], sort_keys=True) for record in records if record)
    return [{**json.loads(environment), "trainings": count} for environment, count in sorted(made.items())]


def notes(study: Study, findings: Results) -> list[str]:
    """What is missing, failed or blocked, and what would tell more."""
    notes, counts = [], tally(study.chains)
    if missing := counts.count("missing"):
        notes.append(f"{missing} of {counts.total} trainings are not recorded yet; `silo-oracle run` trains them.")
    if failed := counts.count("failed"):
        notes.append(f"{failed} training{'s' * (failed > 1)} failed; `silo-oracle run --retry-failed` tries again.")
    notes += [
        f"{chain.chain} is blocked from cycle {chain.cycle} on: {chain.reason.rstrip('.')}." for chain in counts.blocked
    ]
    if mixed := mixture(counts.records):
        notes.append(mixed)
    if told := settling(findings.statistics, study.experiment):
        notes.append(told)
    return [*notes, *widening(study.experiment, findings.comparison)]


def publish(study: Study, findings: Results, folder: Path) -> None:
    """Put what is worth keeping of a run into ``folder``: report, experiment, and a README that says what it is.

    Replaces what was published there before; raises InputError where the folder holds anything else.
    """
    if findings.cells.empty:
        raise InputError(f"{study.store.folder}: nothing is recorded there; `silo-oracle run` first")
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or (folder / "verdicts.md").exists())):
        raise InputError(f"{folder}: holds something else; a new or empty folder, or an older publication, is allowed")
    run_folder, target = study.store.folder.resolve(), folder.resolve()
    if run_folder.is_relative_to(target) or target.is_relative_to(run_folder):
        raise InputError(f"{folder}: lies in the run folder or holds it; another place is allowed")
    make_asked_folder(folder.parent)
    report = write(study, findings)
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(report, folder)
    _write_json(folder / "experiment.json", study.described())
    (folder / "README.md").write_text(_readme(study, findings))


def _readme(study: Study, findings: Results) -> str:
    experiment, comparison = study.experiment, comparison_table(findings.comparison)
    seeds = ", ".join(map(str, experiment.oracle.seeds))
    lines = [
        f"# {experiment.title}",
        "",
        f"Made by `silo-oracle run {study.origin}` and `silo-oracle publish`: {len(findings.cells)} trainings, seeds {seeds}, "
        f"follow: {experiment.oracle.follow}. The experiment with every default is in `experiment.json`, every training in "
        "`cells.csv`. All of it as one page to read: `report.html`.",
        "",
        *(_environment(made) for made in environments(study, findings.cells)),
        "",
        verdicts_text(findings, study),
        markdown(comparison),
        "",
        *([markdown(statistics_table(findings.statistics))] if len(findings.statistics) else []),
        "",
        *(policies.markdown + "\n" for policies in policies_of(findings) if experiment.baselines),
        "![max_lr by weights remaining](max_lr.png)",
        "![accuracy by weights remaining](accuracy.png)",
        "![accuracy over max_lr and cycle](heat_map.png)",
        *["![accuracy of every policy](policies.png)"] * bool(experiment.baselines),
        "![weights alive in each layer](layers.png)",
    ]
    return "\n".join(lines) + "\n"


def _environment(made: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in made.items() if name != "trainings")
    return f"Environment of {made['trainings']} trainings: {told}."


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")
