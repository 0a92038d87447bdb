"""Frames of made-up experiments."""

import numpy as np
import pandas as pd
import pytest

from oracle.report.tables.paper import FinishedExperiment

GRID = np.geomspace(0.01, 1, 12)


def policies_frame(names, cycles, seeds):
    """Made-up accuracies: each policy 0.4 points below the one before, falling as weights go."""
    rows = [
        {
            "policy": name,
            "cycle": cycle,
            "weights_remaining": 100 * 0.8**cycle,
            "max_lr": 0.03,
            "seeds": seeds,
            "validation": 92.0,
            "test": 91.234 - 0.4 * at - 0.02 * cycle**2,
            "test_std": 0.123 if seeds > 1 else np.nan,
            "final_test": 90.9 - 0.4 * at - 0.02 * cycle**2,
            "final_test_std": 0.2 if seeds > 1 else np.nan,
            "diverged": 0,
        }
        for at, name in enumerate(names)
        for cycle in range(cycles)
    ]
    return pd.DataFrame(rows).astype({"seeds": "Int64", "diverged": "Int64"})


def comparison_frame(cycles):
    """A made-up Oracle whose intervals are closed, open below, open on both sides (flat), collapsed, in turn."""
    rows = []
    for cycle in range(cycles):
        kind = cycle % 4
        rows.append(
            {
                "cycle": cycle,
                "weights_remaining": 100 * 0.8**cycle,
                "seeds": 3,
                "best_max_lr": GRID[5],
                "low": GRID[0] if kind in (1, 2) else GRID[3],
                "high": GRID[-1] if kind == 2 else GRID[7],
                "open_low": kind in (1, 2),
                "open_high": kind == 2,
                "decades": 0.727,
                "informative": kind < 2,
                "why": ("", "", "flat", "collapsed")[kind],
                "silo_max_lr": 0.03 + 0.04 * min(cycle, 10) / 10,
                "position": ("inside", "at edge", "inside", "beyond grid")[kind],
                "gap": (0.126, -0.05, 0.0, 12.3456)[kind],
                "noise": 0.31,
            }
        )
    return pd.DataFrame(rows)


def costs_frame(baselines):
    rows = [("Oracle", 216, 777.7, 216), ("SILO", 54, 65.4, 36), *((name, 18, 7265.0, pd.NA) for name in baselines)]
    costs = pd.DataFrame(rows, columns=["who", "trainings", "seconds", "search_trainings"])
    return costs.astype({"search_trainings": "Int64"})


def layers_frame(names, cycles, policy="SILO"):
    """Each layer loses more than the one before; the last but one is empty from the middle cycle on."""
    rows = [
        {
            "policy": policy,
            "cycle": cycle,
            "layer": name,
            "alive": 0.0
            if at == len(names) - 2 and cycle >= max(1, cycles // 2)
            else 1000 * (0.85 - at / len(names) / 3) ** cycle,
            "prunable": 1000,
        }
        for cycle in range(cycles)
        for at, name in enumerate(names)
    ]
    return pd.DataFrame(rows)


def sizes_frame(names, cycles):
    """A network of 1,000 weights at 50 output positions each, of which the i-th policy needs 1/i once it is pruned."""
    rows = [
        {
            "policy": name,
            "cycle": cycle,
            "alive": np.floor(1000 * 0.8**cycle),
            "prunable": 1000,
            "flops": 1e5 * 0.8**cycle / (at + 1 if cycle else 1),
        }
        for at, name in enumerate(names)
        for cycle in range(cycles)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def make_finished():
    """Frames of a made-up experiment: label, how many cycles, seeds and layers, names of its baselines."""

    def make(
        label="MLP on digits",
        slug="mlp-digits",
        cycles=25,
        seeds=3,
        layers=4,
        baselines=("lr-warmup", "cosine"),
        **more,
    ):
        names = [f"layers.{number}.conv.weight" for number in range(layers)]
        return FinishedExperiment(
            label,
            slug,
            policies_frame(["SILO", *baselines, "Oracle"], cycles, seeds),
            comparison_frame(cycles),
            costs_frame(baselines),
            layers_frame(names, cycles),
            sizes_frame(["SILO", *baselines], cycles),
            **more,
        )

    return make
