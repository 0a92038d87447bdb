"""The files that a tracker keeps of a study."""

from pathlib import Path

from oracle.analysis.results import Results
from oracle.report.report import fill_report, write_json
from oracle.study.study import describe_study


def write_files(results: Results, folder: Path) -> None:
    """Write report and experiment, redacted as a publication's are, into a new folder."""
    fill_report(results, folder)
    write_json(folder / "experiment.json", describe_study(results.experiment, results.data, results.origin))
