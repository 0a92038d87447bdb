"""A study that nobody ran: cells and a comparison whose optimum is known, for the figures."""

import numpy as np
import pandas as pd

COLUMNS = [
    *("cycle", "weights_remaining", "seeds", "best_max_lr", "best_validation", "best_test", "best_test_std"),
    *("low", "high", "open_low", "open_high", "edge_low", "edge_high", "informative", "why"),
    *("silo_max_lr", "silo_test", "silo_test_std", "chain_test", "chain_test_std"),
]


def made_study(
    cycles=12, grid=None, seeds=3, scale=1.0, optimum=(0.012, 0.95), flat=(), collapsed=(), tolerance=0.5, noise=0.15
):
    """(cells, comparison) of a made-up study whose optimum moves from one max_lr to the other in an S-shape."""
    grid = np.geomspace(0.01, 1, 12) if grid is None else np.asarray(grid, float)
    random = np.random.default_rng(0)
    cells, rows = [], []
    for cycle in range(cycles):
        grown = 1 / (1 + np.exp(-1.2 * (cycle - cycles * 0.45)))
        best = optimum[0] * (optimum[1] / optimum[0]) ** grown
        silo = scale * (0.02 + 0.5 * grown)
        top = 10.5 if cycle in collapsed else 92 - 0.25 * cycle**1.8
        bend = 0.0 if cycle in {*flat, *collapsed} else 14.0
        for value in [*grid, silo]:
            for seed in range(seeds):
                diverged = value > 12 * best and bend > 0
                accuracy = top - bend * np.log10(value / best) ** 2 + random.normal(0, noise)
                accuracy = np.nan if diverged else max(accuracy, 10.0)
                cells.append(
                    {
                        "cycle": cycle,
                        "seed": seed,
                        "max_lr": value,
                        "candidate": value != silo,
                        "silo": value == silo,
                        "status": "diverged" if diverged else "done",
                        "validation": accuracy,
                        "test": accuracy - 0.4,
                    }
                )
        frame = pd.DataFrame(cells).query("cycle == @cycle")
        rows.append(judge(frame, cycle, grid, silo, seeds, tolerance))
        if bend == 0:
            rows[-1] |= {"informative": False, "why": "collapsed" if cycle in collapsed else "flat"}
    return pd.DataFrame(cells), pd.DataFrame(rows, columns=COLUMNS)


def judge(frame, cycle, grid, silo, seeds, tolerance):
    """The row of the comparison that follows from one cycle's cells."""
    row = {"cycle": cycle, "weights_remaining": 100 * 0.8**cycle, "seeds": seeds, "silo_max_lr": silo}
    trainings = {value: frame[np.isclose(frame.max_lr, value)] for value in [*grid, silo]}
    done = [(trainings[value].status == "done").all() for value in grid]
    mean = np.array([trainings[v].validation.mean() if ok else np.nan for v, ok in zip(grid, done, strict=True)])
    own = trainings[silo].test
    row |= {"silo_test": own.mean(), "silo_test_std": own.std(), "chain_test": own.mean(), "chain_test_std": own.std()}
    if np.isnan(mean).all():
        return row | {"informative": False, "why": "every value diverged"}
    at = int(np.nanargmax(mean))
    inside = mean >= mean[at] - tolerance
    low = high = at
    while low > 0 and inside[low - 1]:
        low -= 1
    while high + 1 < len(grid) and inside[high + 1]:
        high += 1
    tests = trainings[grid[at]].test
    return row | {
        "best_max_lr": grid[at],
        "best_validation": mean[at],
        "best_test": tests.mean(),
        "best_test_std": tests.std(),
        "low": grid[low],
        "high": grid[high],
        "open_low": low == 0,
        "open_high": high == len(grid) - 1,
        "edge_low": np.nan if low == 0 else grid[low - 1],
        "edge_high": np.nan if high == len(grid) - 1 else grid[high + 1],
        "informative": True,
        "why": "",
    }


CASES = {
    "one cycle": {"cycles": 1},
    "one seed": {"cycles": 5, "seeds": 1},
    "one value": {"cycles": 3, "grid": [0.1]},
    "large": {"cycles": 25, "grid": np.geomspace(0.005, 1, 20), "flat": (20,), "collapsed": (23, 24)},
    "silo beyond the grid": {"cycles": 6, "scale": 6.0},
    "silo below the grid": {"cycles": 6, "scale": 0.01},
    "irregular": {"cycles": 8, "grid": [0.01, 0.012, 0.03, 0.1, 0.12, 0.5, 0.8]},
    "all diverged": {"cycles": 4, "grid": [5.0, 10.0], "optimum": (0.01, 0.02)},
}


def nothing(cycles):
    """A comparison and cells before anything is recorded."""
    cells, comparison = made_study(cycles)
    known = comparison[["cycle", "silo_max_lr"]].assign(seeds=0, informative=False, why="incomplete")
    return cells.iloc[:0], known.reindex(columns=COLUMNS)
