"""Replay the searches on exhaustive runs, by their intervals and by their verdicts, and simulate both.

`python -m benchmarks.search [RUN ...] [--to DIR]`; RUN: folders that `silo-oracle publish` made; five minutes on 2 cores.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.search.exhaustive import Run, draw, read, settings
from benchmarks.search.recorded import RecordedRun
from benchmarks.search.replay import fewer_seeds, halves, orders, replay, score
from benchmarks.search.report import ORDER, ORDERS, TRUTH, write
from benchmarks.search.verdicts import published
from benchmarks.search.verdicts import simulated as verdicts_simulated
from oracle.error import InputError
from oracle.experiment.search import ADAPTIVE_SHARE, Search

RUNS = ("digits-mlp", "cifar10-policies", "digits-cnn")
SHARES = (0.2, 0.25, ADAPTIVE_SHARE, 0.4, 0.5, 0.65)
DRAWS = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 2, and one line, for a folder that holds no run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", default=[Path("results") / name for name in RUNS])
    parser.add_argument("--to", type=Path, default=Path("results/search"), metavar="DIR")
    asked = parser.parse_args(arguments)
    try:
        runs = [read(folder) for folder in asked.runs]
    except InputError as error:
        print(f"benchmarks.search: {error}", file=sys.stderr)
        return 2
    rows = [row for run in runs for row in (*replayed(run), *simulated(run))]
    table = settings(pd.DataFrame(rows))
    apart = {run.name: halves(run) for run in runs}
    by_verdicts = pd.DataFrame(row for folder in asked.runs for row in published(RecordedRun.read(folder), folder.name))
    write(table, apart, runs, by_verdicts, verdicts_simulated(), asked.to)
    print((asked.to / "README.md").read_text(encoding="utf-8"))
    return 0


def replayed(run: Run) -> Iterator[dict]:
    """On the recorded accuracies, beside the run's own intervals; the seeds in several orders."""
    for number, order in enumerate(orders(run)):
        yield from _rows(run, run, order, ORDERS if number else ORDER)


def simulated(run: Run) -> Iterator[dict]:
    """On accuracies drawn around the run's means, by its noise, beside the intervals of these means: the truth."""
    random = np.random.default_rng(0)
    for _ in range(DRAWS):
        yield from _rows(draw(run, random), run, list(range(run.seeds)), TRUTH)


def _rows(run: Run, reference: Run, order: list[int], against: str) -> Iterator[dict]:
    where = {"run": run.name, "against": against}
    for number in range(1, run.seeds + 1):
        told = {"search": "exhaustive", "share": number / run.seeds}
        yield where | told | asdict(score(fewer_seeds(run, order[:number]), reference))
    searches = [("adaptive", share) for share in SHARES] + [("racing", None)]
    for kind, share in searches:
        found = replay(run, Search(kind=kind, share=share), order)
        yield where | {"search": kind, "share": share} | asdict(score(found, reference))


if __name__ == "__main__":
    sys.exit(main())
