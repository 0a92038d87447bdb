"""Tables of cells from a formula: what every training of a study reaches."""

import math

import numpy as np
import pandas as pd
from experiments import UNTRAINED, experiment
from made import made_data

from oracle.analysis.cells import CELL_COLUMNS, skipped_table
from oracle.analysis.comparison import comparison_table
from oracle.analysis.findings import Findings, judge
from oracle.analysis.policies import policy_scores

GRID = tuple(round(0.01 * 2 ** (step / 2), 6) for step in range(14))  # half a doubling a step, 0.01 to 0.9
SILO = {"epsilon": 0.08, "delta": 0.16, "beta": 5.0, "delay": 1}  # x3
DATA = made_data()


def study(cycles=12, seeds=4, grid=GRID, tolerance=0.5, silo=SILO, **fields):
    return experiment(
        UNTRAINED
        | {
            "prune.cycles": cycles,
            "silo": silo,
            "oracle": {"grid": list(grid), "seeds": seeds, "tolerance": tolerance, **fields},
        }
    )


def cells_of(spec, accuracy, status=lambda cycle, max_lr, seed: "done", noise=0.05):
    """The table of cells; accuracy(cycle, max_lr, seed) in percent, to which some noise is added that is always the same."""
    rows = []
    for cycle in range(spec.prune.cycles):
        for seed in spec.oracle.seeds:
            own = spec.schedule.max_lr(cycle)
            for max_lr in sorted({*spec.oracle.grid.values(), own}):
                state = status(cycle, max_lr, seed)
                if state == "missing":
                    continue
                random = np.random.default_rng([cycle, seed, round(1e6 * max_lr)])
                validation, test = accuracy(cycle, max_lr, seed) + noise * random.normal(size=2)
                if state != "done":
                    validation = test = math.nan
                rows.append(
                    {
                        "cycle": cycle,
                        "seed": seed,
                        "max_lr": max_lr,
                        "candidate": max_lr in spec.oracle.grid.values(),
                        "silo": max_lr == own,
                        "chain": max_lr == own,
                        "policies": "",
                        "searches": "",
                        "status": state,
                        "validation": validation,
                        "test": test,
                        "final_validation": validation,
                        "final_test": test,
                        "weights_remaining": 100 * (1 - spec.prune.rate) ** cycle,
                        "id": f"{cycle}-{max_lr}-{seed}",
                        "start": "dense",
                        "leaves": "",
                    }
                )
    return pd.DataFrame(rows, columns=list(CELL_COLUMNS)).astype(CELL_COLUMNS)


def parabola(optimum, curvature=1.0, top=90.0):
    """Accuracy that falls by so many points per doubling squared from an optimum by cycle; each seed has a level of its own."""
    return lambda cycle, max_lr, seed: max(top + seed - curvature * math.log2(max_lr / optimum(cycle)) ** 2, 20.0)


def found(spec, cells, skipped=None):
    skipped = skipped_table([]) if skipped is None else skipped
    comparison = comparison_table(cells, spec, DATA, skipped)
    return Findings.of(cells, comparison, skipped, spec, DATA), comparison


def judged(spec, cells, skipped=None):
    """The verdicts on claims 1 and 3 and on the rival."""
    findings, comparison = found(spec, cells, skipped)
    first, _, third, rival = judge(findings, comparison, policy_scores(cells, spec, DATA.chance), spec, DATA)
    return first, third, rival
