"""Trains a study of a test, and leaves out its report, which takes as long as the trainings of a tiny one."""

from pathlib import Path

from rich.console import Console

from oracle.analysis.results import analyze
from oracle.experiment.load import load
from oracle.plan.snapshot import Snapshot
from oracle.report.report import write_report
from oracle.run.run import run_study
from oracle.study.study import new_study, open_study


def train(file, folder, *overrides):
    """Do what `run --local` does before the report; whether all is recorded then."""
    study = new_study(load(Path(file), overrides), Path(folder), "a test")
    return run_study(study, Console(), local=True, retry_failed=False)


def report(folder):
    """Do what `report` does, without its text."""
    write_report(analyze(Snapshot.take(open_study(folder))), folder / "report")
