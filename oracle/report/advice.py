"""What would tell more, as options to paste: every ``--set ...`` that is advised is written here."""

import json
import math
from itertools import count, islice

import pandas as pd

from oracle.analysis.claims.verdict import Verdict
from oracle.analysis.comparison import proposals, stopped_short
from oracle.analysis.policies import open_searches
from oracle.experiment.overrides import WHOLE_GRID, Override, grid_with, set_option
from oracle.experiment.spec import Experiment

MANY = 100  # seeds beyond which more of them is no advice


def set_options(*overrides: Override) -> str:
    """Return overrides as one types them."""
    return " ".join(set_option(f"{field}={json.dumps(value)}") for field, value in overrides)


def advice(comparison: pd.DataFrame, experiment: Experiment) -> list[str]:
    """Return what would close the open intervals, a sentence each.

    Args:
        comparison: the Oracle's intervals by cycle (oracle.analysis.comparison.comparison_table).
        experiment: whose grid the options widen.
    """
    sentences = []
    if values := proposals(comparison, experiment):
        wider = set_options(grid_with(experiment, values))
        sentences.append(f"Some intervals are open: {wider} would widen the grid.")
    if stopped_short(comparison, experiment):
        sentences.append(
            f"Some intervals are open where the search tried nothing beyond: {set_options(WHOLE_GRID)} would."
        )
    return sentences


def search_advice(policies: pd.DataFrame, experiment: Experiment) -> list[str]:
    """Return what would close the baselines' searches that chose an end of what they tried: at most a sentence.

    Args:
        policies: what each reached (oracle.analysis.policies.policies_table).
        experiment: whose baselines' grid the option widens.
    """
    opened, grid = set(open_searches(policies, experiment).values()), experiment.search_grid
    if not opened or len(grid) < 2:
        return []
    ratio = (grid[-1] / grid[0]) ** (1 / (len(grid) - 1))
    more = [grid[0] / ratio**step for step in (2, 1) if grid[0] in opened]
    more += [grid[-1] * ratio**step for step in (1, 2) if grid[-1] in opened]
    values = sorted({*grid, *(float(f"{value:.4g}") for value in more)})
    wider = set_options(Override("policies.search.grid", values))
    return [f"Some baselines' searches are open: {wider} would widen them."]


def needs_text(verdict: Verdict, experiment: Experiment) -> str:
    """Return how many seeds would decide a verdict eight times in ten, or what else would; empty where it is decided.

    Args:
        verdict: one of the study's.
        experiment: whose seeds the option widens.
    """
    if verdict.remedies:
        return f"To train it: {set_options(*verdict.remedies)}."
    if verdict.seeds is None:
        return ""
    seeds = experiment.oracle.seeds
    if math.isinf(verdict.seeds):
        return "No number of seeds would decide it, since they share the images that they are evaluated on: more images would."
    number = max(int(verdict.seeds), len(seeds) + 1)
    if number > MANY:
        return f"More than {MANY} seeds would decide it; more images, cycles or values near the best help sooner."
    others = (seed for seed in count(max(seeds) + 1) if seed not in experiment.silo.chosen_on_seeds)  # never in-sample
    more = islice(others, number - len(seeds))
    option = set_options(Override("oracle.seeds", [*seeds, *more]))
    return f"About {number} seeds would decide it: {option}."
