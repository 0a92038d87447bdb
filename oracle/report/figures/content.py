"""What each figure shows of a study's results: the arguments that its plot_NAME and its draw_NAME both take."""

from typing import Any

from oracle.analysis.findings import mean_losses
from oracle.analysis.results import Results


def max_lr(results: Results) -> dict[str, Any]:
    """What :mod:`oracle.report.figures.max_lr` draws."""
    return {"comparison": results.comparison, "optima": results.optima, "path": results.findings.path}


def responses(results: Results) -> dict[str, Any]:
    """What :mod:`oracle.report.figures.responses` draws."""
    findings = results.findings
    curves = {"measured": findings.measured, "curves": findings.responses}
    return curves | {"level": findings.level, "chosen_on": results.experiment.chosen_on}


def losses(results: Results) -> dict[str, Any]:
    """What :mod:`oracle.report.figures.losses` draws."""
    findings, tolerance = results.findings, results.experiment.oracle.tolerance
    points = {"losses": results.losses, "means": mean_losses(findings)}
    return points | {"tolerance": tolerance, "level": findings.level}


def accuracy(results: Results) -> dict[str, Any]:
    """What :mod:`oracle.report.figures.accuracy` draws."""
    return {"comparison": results.comparison, "same_masks": results.experiment.oracle.follow == "silo"}


def policies(results: Results) -> dict[str, Any]:
    """What :mod:`oracle.report.figures.policies` draws."""
    return {"policies": results.policies}
