"""The searches by verdicts: after which share of the whole grid's trainings they end, and whether the verdicts are the same."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
import pandas as pd

from benchmarks.search.recorded import RecordedRun
from benchmarks.search.replay import orders
from benchmarks.search.simulated import SIZES, Size, simulate, truths
from oracle.analysis.results import Results
from oracle.experiment.grid import Grid
from oracle.experiment.parts import Oracle
from oracle.experiment.search import Search, SearchKind

UNTIL = Search(kind=SearchKind.UNTIL_DECIDED)
SEEDS = (4, 8)
STUDIES = 25  # simulated for each size, truth and number of seeds
CLAIMS = ("claim 1", "claim 3", "rival")
OF_ORACLE = (0, 2, 3)  # the verdicts on these among a report's


def published(run: RecordedRun, name: str) -> Iterator[dict]:
    """Return a row for each search and order of the seeds: the cost, and what is judged as by the whole grid."""
    in_order, *others = orders(run)
    whole = run.results(Search(), in_order)
    searches = [(UNTIL, order) for order in (in_order, *others)]
    searches += [(Search(kind=kind), in_order) for kind in (SearchKind.ADAPTIVE, SearchKind.RACING)]
    for search, order in searches:
        found = run.results(search, order)
        yield {
            "run": name,
            "search": str(search.kind),
            "order": " ".join(map(str, order)),
            "cost": len(found.cells) / len(whole.cells),
            "judged": found.findings.judged is not None,
            **dict(zip(CLAIMS, _judgements(found), strict=True)),
            **{f"{claim}, whole grid": one for claim, one in zip(CLAIMS, _judgements(whole), strict=True)},
        }


def _judgements(results: Results) -> list[str]:
    return [str(results.verdicts[number].judgement) for number in OF_ORACLE]


def simulated(studies: int = STUDIES, sizes: Sequence[Size] = SIZES, seeds: Sequence[int] = SEEDS) -> pd.DataFrame:
    """Return a row for each size, truth and number of seeds, over so many studies: means of cost, rounds, agreement, errors."""
    settings = [(size, truth, count, studies) for size, count in product(sizes, seeds) for truth in truths(size)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return pd.DataFrame(pool.map(_simulated, settings))


def _simulated(setting: tuple[Size, str, int, int]) -> dict:
    size, truth, seeds, studies = setting
    oracle = Oracle(grid=Grid(extra=(0.1, 0.2)), seeds=seeds, search=UNTIL)
    found = list(simulate(truths(size)[truth], oracle, studies))
    same = np.array([[a is b for a, b in zip(one.judged, one.whole, strict=True)] for one in found])
    return {
        "like": size.like,
        "seeds": seeds,
        "truth": truth,
        "studies": studies,
        "cost": float(np.mean([one.cost for one in found])),
        "least": min(one.cost for one in found),
        "rounds": float(np.mean([one.rounds for one in found])),
        "agree": float(same.all(axis=1).mean()),
        **{f"{claim} agrees": float(share) for claim, share in zip(CLAIMS, same.mean(axis=0), strict=True)},
        "false": float(np.mean([one.false for one in found])),
    }
