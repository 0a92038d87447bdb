"""What commands show of results: plain text, the verdicts first, and tables of at most so many characters a line."""

from collections.abc import Sequence

import pandas as pd

from oracle.analysis.results import Results
from oracle.plain_text import one_line
from oracle.report.advice import needs_text
from oracle.report.tables.format import AT_LEAST, AT_MOST
from oracle.report.tables.paper import FinishedExperiment
from oracle.report.tables.paper_table import cost_table
from oracle.report.tables.screen import plain_accuracies, plain_sizes, plain_table
from oracle.report.tables.study_tables import compact_table
from oracle.report.text import choice_text, notes, plain, setting_text


def verdicts_text(results: Results) -> str:
    """Return the verdicts with their evidence and what would decide them, and the notes; further details are in files."""
    experiment = results.experiment
    level = f"Intervals hold with probability {1 - 2 * results.findings.level:.3g}."
    lines = [f"{one_line(experiment.title)} ({setting_text(experiment)})", level]
    for one in results.verdicts:
        lines += ["", f"{one.claim}: {str(one.judgement).upper()}", f"  {one.evidence}"]
        if needs := needs_text(one, experiment):
            lines.append(f"  {needs}")
    return "\n".join([*lines, "", *(f"Note: {plain(note)}" for note in notes(results)), choice_text(experiment)])


def tables_text(results: Results, width: int) -> str:
    """Return SILO beside the Oracle by cycle and, where there are baselines, the accuracy of every policy.

    Args:
        results: of the run.
        width: characters a line.
    """
    text = f"SILO against the Oracle by pruning cycle:\n{_comparison_text(results.comparison, width)}"
    if not results.experiment.baselines:
        return text
    return "\n".join(
        [
            text,
            "",
            _accuracy_head(results.policies, f"the epoch chosen on {results.experiment.chosen_on}"),
            plain_accuracies(results.policies, width),
        ]
    )


def finished_text(experiment: FinishedExperiment, width: int, cycles: Sequence[int] | None = None) -> str:
    """Return what a paper's tables have of a finished experiment.

    Args:
        experiment: as :func:`oracle.report.tables.paper.finished_experiments` returns it.
        width: characters a line.
        cycles: those that are shown, where the experiment has them; by default all of the Oracle's, and of the accuracies
            and sizes as many as fit.
    """
    policies, comparison = experiment.policies, experiment.comparison
    if cycles is not None:
        comparison = comparison[comparison.cycle.isin(cycles)]
        cycles = [cycle for cycle in cycles if cycle in set(policies.cycle)]
    return "\n".join(
        [
            one_line(experiment.label),
            "",
            _accuracy_head(policies, f"the epoch chosen on {experiment.chosen_on}"),
            plain_accuracies(policies, width, cycles),
            "",
            _accuracy_head(policies, "the final epoch"),
            plain_accuracies(policies, width, cycles, "final"),
            "",
            "SILO against the Oracle by pruning cycle:",
            _comparison_text(comparison, width),
            "",
            "Cost:",
            plain_table(cost_table(experiment.costs), width),
            "",
            "Weights alive, and FLOPs of one forward pass of one sample:",
            plain_sizes(experiment.sizes, width, cycles),
        ]
    )


def _accuracy_head(policies: pd.DataFrame, epoch: str) -> str:
    seeds = int(policies.seeds.fillna(0).max())
    over = f"means over {seeds} seeds" if seeds > 1 else "one seed"
    return f"Test accuracy (%) at {epoch} ({over}):"


def _comparison_text(comparison: pd.DataFrame, width: int) -> str:
    notes = []
    if (comparison.seeds > 0).any() and not comparison.informative[comparison.seeds > 0].all():
        notes.append("In brackets: the cycle is uninformative and counts for no verdict.")
    if (comparison.open_low | comparison.open_high).any():
        notes.append(f"{AT_MOST}, {AT_LEAST}: open, as nothing beyond was tried.")
    return "\n".join([plain_table(compact_table(comparison), width), *notes])
