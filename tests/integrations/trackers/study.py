"""A published study, with curves as a run folder has them."""

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from oracle.analysis.results import load_results

PAGE = Path(__file__).parents[3] / "oracle" / "README.md"
FOLDER = Path(__file__).parents[3] / "results" / "digits-mlp"
SEED = 10  # the trainings that are exported


@dataclass(frozen=True)
class Epoch:
    loss: float
    validation: float
    test: float | None


CURVE = (Epoch(2.5, 11.0, 10.0), Epoch(1.5, 50.0, None), Epoch(float("nan"), 97.5, 96.25))


@dataclass(frozen=True)
class Held:
    """What of a record and its store is asked for."""

    curve: tuple[Epoch, ...]

    @property
    def outcome(self):
        return self

    def whole_record(self, _):
        return self


def study(cycles=2):
    """The first cycles' trainings of one seed; the verdicts are those of all."""
    results = load_results(FOLDER)
    cells = results.cells
    some = cells[(cells.seed == SEED) & (cells.cycle < cycles)].reset_index(drop=True)
    return replace(results, cells=some, _store=Held(CURVE))


def page_command(option):
    """The words of the one command of the page on `export` that has this option, after silo-oracle."""
    (line,) = re.findall(rf"^silo-oracle (export .*{option} .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.split(line, comments=True)
