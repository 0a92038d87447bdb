"""What every policy reached on its own chain of masks, by pruning cycle: SILO, the baselines, and the Oracle beside them."""

from typing import Any

import numpy as np
import pandas as pd

from oracle.analysis.cells import of_baseline
from oracle.experiment.spec import Experiment
from oracle.study.record import Status

SILO, ORACLE = "SILO", "Oracle"
ACCURACIES = ["validation", "test", "final_test"]


def policy_scores(cells: pd.DataFrame, experiment: Experiment, chance: float) -> pd.DataFrame:
    """Return one row for each policy, seed and cycle of its own trajectory that is recorded, accuracies in percent.

    A diverged network names any class: from that cycle on its trajectory counts with the chance level (percent), and
    ``diverged`` is True.
    """
    chains = {SILO: cells[cells.chain]}
    chains |= {name: of_baseline(cells, "policies", name) for name in experiment.baselines}
    frames = [
        _to_the_end(chain.sort_values("cycle"), experiment.prune.cycles, chance).assign(policy=name, seed=seed)
        for name, of_seeds in chains.items()
        for seed, chain in of_seeds[of_seeds.seed.isin(experiment.oracle.seeds)].groupby("seed")
    ]
    columns = ["policy", "seed", "cycle", "max_lr", *ACCURACIES, "weights_remaining", "diverged"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _to_the_end(chain: pd.DataFrame, cycles: int, chance: float) -> pd.DataFrame:
    known = chain[chain.status == Status.DONE].assign(diverged=False)
    if not (chain.status == Status.DIVERGED).any():
        return known
    at = int(chain[chain.status == Status.DIVERGED].cycle.min())
    rest = pd.DataFrame({"cycle": range(at, cycles), "diverged": True, **dict.fromkeys(ACCURACIES, chance)})
    rest["max_lr"] = chain.max_lr.iloc[-1]
    return pd.concat([known[known.cycle < at], rest])


def policies_table(scores: pd.DataFrame, comparison: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Return one row for each policy and cycle, the Oracle's best last; accuracies in percent over all seeds (else unknown).

    seeds: how many are recorded; diverged: in how many the trajectory has diverged by then; max_lr: a mean over the seeds, in
    which only a range test's differ. The Oracle is no policy: with ``follow: silo`` it is the best on SILO's masks.
    """
    names = [SILO, *experiment.baselines]
    weights = comparison.set_index("cycle").weights_remaining.astype(float)
    rows = [
        _policy_row(name, cycle, scores[(scores.policy == name) & (scores.cycle == cycle)], experiment)
        for name in names
        for cycle in range(experiment.prune.cycles)
    ]
    best = ["best_max_lr", "best_validation", "best_test", "best_test_std", "best_final_test", "best_final_test_std"]
    oracle = comparison[["cycle", "seeds", *best]].rename(columns=lambda name: name.removeprefix("best_"))
    table = pd.concat([pd.DataFrame(rows), oracle.assign(policy=ORACLE, diverged=0)], ignore_index=True)
    table.insert(2, "weights_remaining", table.cycle.map(weights))
    return table.astype({"seeds": "Int64", "diverged": "Int64"})


def _policy_row(name: str, cycle: int, of_seeds: pd.DataFrame, experiment: Experiment) -> dict[str, Any]:
    seeds = len(experiment.oracle.seeds)
    whole = len(of_seeds) == seeds
    return {
        "policy": name,
        "cycle": cycle,
        "max_lr": of_seeds.max_lr.mean(),
        "seeds": len(of_seeds),
        "validation": of_seeds.validation.mean() if whole else float("nan"),
        "test": of_seeds.test.mean() if whole else float("nan"),
        "test_std": of_seeds.test.std() if whole and seeds > 1 else float("nan"),
        "final_test": of_seeds.final_test.mean() if whole else float("nan"),
        "final_test_std": of_seeds.final_test.std() if whole and seeds > 1 else float("nan"),
        "diverged": int(of_seeds.diverged.astype(bool).sum()),
    }


def open_searches(policies: pd.DataFrame, experiment: Experiment) -> dict[str, float]:
    """Return the max_lr of each baseline whose search chose the lowest or the highest value that it tried.

    Args:
        policies: with columns ``policy`` and ``max_lr``: the policies' scores, or their table.
        experiment: whose baselines they are.
    """
    grid, opened = experiment.search_grid, {}
    for name, baseline in experiment.baselines.items():
        chosen = policies.max_lr[policies.policy == name].dropna()
        if baseline.is_searched and not chosen.empty:
            # the mean of equal values may miss them by a rounding
            opened[name] = grid[np.argmin(np.abs(np.array(grid) - chosen.iloc[0]))]
    return {name: value for name, value in opened.items() if value in (grid[0], grid[-1])}


def open_search_text(value: float, experiment: Experiment) -> str:
    """Return a clause on a search that chose one of these values."""
    end = "lowest" if value == experiment.search_grid[0] else "highest"
    return f"it chose {value:g}, the {end} value tried, and may do better beyond"


def open_search_notes(policies: pd.DataFrame, experiment: Experiment) -> list[str]:
    """Return a sentence for each of :func:`open_searches`, which takes the same arguments."""
    opened = open_searches(policies, experiment)
    return [f"The search of {name} is open: {open_search_text(value, experiment)}." for name, value in opened.items()]
