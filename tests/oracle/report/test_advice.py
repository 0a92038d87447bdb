"""Options to paste are advised in one module, and what a verdict would take is said once, in seeds or in what else helps."""

import math
from pathlib import Path

import pandas as pd
import pytest
from experiments import UNTRAINED, experiment

from oracle.analysis.claims.verdict import Verdict
from oracle.experiment.overrides import WHOLE_GRID, Override
from oracle.report.advice import MANY, needs_text, search_advice
from oracle.report.text import details
from oracle.stats.judgement import Judgement

ORACLE = Path(__file__).parents[3] / "oracle"
QUOTED = "experiment/overrides.py"  # where an option is written, quoted for a shell
SHOWN_AGAIN = "cli/commands.py"  # what a user typed


def test_options_are_advised_in_one_module():
    using = {str(path.relative_to(ORACLE)) for path in ORACLE.rglob("*.py") if "set_option(" in path.read_text()}
    assert using == {QUOTED, SHOWN_AGAIN, "report/advice.py"}


def test_an_option_is_written_in_one_place():
    written = {str(path.relative_to(ORACLE)) for path in ORACLE.rglob("*.py") if "--set '" in path.read_text()}
    assert written - {"cli/parser.py"} == {QUOTED}


SPEC = experiment(UNTRAINED | {"oracle.seeds": [0, 1, 5]})


def verdict(**fields):
    return Verdict("a claim", Judgement.UNDECIDED, "evidence", details=("one", "two"), **fields)


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (None, ""),
        (5.0, "About 5 seeds would decide it: --set 'oracle.seeds=[0, 1, 5, 6, 7]'."),
        (2.0, "About 4 seeds would decide it: --set 'oracle.seeds=[0, 1, 5, 6]'."),  # never as many as there are
        (
            MANY + 1.0,
            "More than 100 seeds would decide it; more images, cycles or values near the best help sooner.",
        ),
        (
            math.inf,
            "No number of seeds would decide it, since they share the images that they are evaluated on: more images would.",
        ),
    ],
)
def test_what_a_verdict_would_take_in_seeds(seeds, said):
    assert needs_text(verdict(seeds=seeds), SPEC) == said


def test_as_many_seeds_as_are_worth_naming_are_named():
    text = needs_text(verdict(seeds=float(MANY)), SPEC)
    assert text.startswith(f"About {MANY} seeds") and text.endswith("102]'.")


def test_no_seed_is_advised_on_which_silo_s_parameters_were_chosen():
    chosen = experiment(UNTRAINED | {"oracle.seeds": [0, 1, 5], "silo.chosen_on_seeds": [6, 8]})
    assert needs_text(verdict(seeds=5.0), chosen).endswith("--set 'oracle.seeds=[0, 1, 5, 7, 9]'.")


@pytest.mark.parametrize(
    ("chosen", "values"),
    [
        ({"low": 0.1, "middle": 0.2}, [0.025, 0.05, 0.1, 0.2, 0.4]),
        ({"low": 0.1, "middle": 0.4}, [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6]),
        ({"low": float("nan"), "middle": 0.2}, None),  # not chosen yet
        ({"stated": 0.1}, None),  # not searched
    ],
)
def test_a_search_that_chose_an_end_of_what_it_tried_is_to_be_widened(chosen, values):
    baselines = {"low": {}, "middle": {}, "stated": {"max_lr": 0.1}}
    spec = experiment(UNTRAINED | {"policies": {"search": {"grid": [0.1, 0.2, 0.4]}, "baselines": baselines}})
    policies = pd.DataFrame({"policy": chosen.keys(), "max_lr": chosen.values()})
    said = f"Some baselines' searches are open: --set 'policies.search.grid={values}' would widen them."
    assert search_advice(policies, spec) == ([said] if values else [])


def test_what_else_helps_comes_before_seeds():
    said = needs_text(verdict(seeds=5.0, remedies=(WHOLE_GRID, Override("oracle.tolerance", 0.5))), SPEC)
    assert said == "To train it: --set 'oracle.search=\"exhaustive\"' --set 'oracle.tolerance=0.5'."


def test_it_is_the_last_detail_and_none_where_nothing_is_needed():
    assert details(verdict(), SPEC) == ["one", "two"]
    assert details(verdict(seeds=5.0), SPEC) == ["one", "two", needs_text(verdict(seeds=5.0), SPEC)]
