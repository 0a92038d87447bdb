"""What would tell more, as options to paste: every ``--set ...`` that is advised is written here."""

import json

import pandas as pd

from oracle.analysis.comparison import proposals, stopped_short
from oracle.analysis.results import Results
from oracle.analysis.significance import Decision, Settling, settling
from oracle.experiment.overrides import WHOLE_GRID, Override, grid_with, set_option
from oracle.experiment.spec import Experiment

MANY = 30  # seeds that are proposed by name
WORDS = {
    Decision.WITHIN: "within the tolerance of the best",
    Decision.WORSE: "worse",
    Decision.UNDECIDED: "undecided",
}


def set_options(*overrides: Override) -> str:
    """Return overrides as one types them."""
    return " ".join(set_option(f"{field}={json.dumps(value)}") for field, value in overrides)


def advice(results: Results) -> list[str]:
    """Return what more seeds would settle and what would close the open intervals, a sentence each."""
    return advise(results.significance, results.comparison, results.experiment)


def advise(significance: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment) -> list[str]:
    """Return the advice that follows from two tables.

    Args:
        significance: as ``oracle.analysis.significance.significance_table`` makes it.
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
        experiment: whose grid, seeds and search the options change.
    """
    settled = settling_text(significance, experiment)
    widening = _widening(comparison, experiment)
    return [settled, *widening] if settled else widening


def settling_text(significance: pd.DataFrame, experiment: Experiment) -> str:
    """Return how many cycles are settled, and what more seeds would settle; empty where nothing is known."""
    known = settling(significance, experiment)
    if known is None:
        return ""
    counts = ", ".join(
        f"{words} in {known.decided[decision]}" for decision, words in WORDS.items() if known.decided[decision]
    )
    parts = [f"On test images, and beyond the noise (the verdicts ask less), SILO is {counts} of {known.cycles} cycles"]
    if known.finite:
        parts.append(_more_seeds(known, experiment))
    if known.shared:
        verb = "is" if known.shared == 1 else "are"
        parts.append(
            f"{known.shared} {verb} settled by no number of seeds, since these share the images of one pool: more images, "
            "or a fixed test set, would"
        )
    return "; ".join(parts) + "."


def _more_seeds(known: Settling, experiment: Experiment) -> str:
    seeds = experiment.oracle.seeds
    which = "the one" if known.finite == 1 else f"half of the {known.finite}"
    text = f"about {known.seeds} seeds would settle {which} that more seeds can settle"
    if known.seeds <= MANY:
        more = [max(seeds) + 1 + number for number in range(known.seeds - len(seeds))]
        text += f" ({set_options(Override('oracle.seeds', [*seeds, *more]))})"
    if known.fewer:
        text += f", where the search tries SILO's value and the best in all of them ({set_options(WHOLE_GRID)})"
    return text


def _widening(comparison: pd.DataFrame, experiment: Experiment) -> list[str]:
    """What would close the open intervals."""
    sentences = []
    if values := proposals(comparison, experiment):
        wider = set_options(grid_with(experiment, values))
        sentences.append(f"Some intervals are open: {wider} would widen the grid.")
    if stopped_short(comparison, experiment):
        sentences.append(
            f"Some intervals are open where the search tried nothing beyond: {set_options(WHOLE_GRID)} would."
        )
    return sentences
