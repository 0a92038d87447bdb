"""Whether the rules hold what was asked of them before a run was judged by them."""

import math

import pandas as pd

from benchmarks.power.measure import HELD, VERDICTS

POOLED, SINGLE, POWER = 0.06, 0.10, 0.05  # largest share of false verdicts over all truths, over one; points of power

# (truth, kind, verdict): power of the rules' prototype, percent
EXPECTED = {
    ("grows x2, 3 seeds", "Q", "growth_confirmed"): 98,
    ("grows x2", "Q", "growth_confirmed"): 98,
    ("grows x2, 8 seeds", "Q", "growth_confirmed"): 100,
    ("grows x2", "D", "growth_confirmed"): 88,
    ("grows x2", "C", "growth_confirmed"): 89,
    ("grows x4", "Q", "growth_confirmed"): 100,
    ("grows x4", "D", "growth_confirmed"): 100,
    ("grows x4", "C", "growth_confirmed"): 100,
    ("grows x8", "Q", "growth_confirmed"): 100,
    ("grows x8", "D", "growth_confirmed"): 100,
    ("grows x8", "C", "growth_confirmed"): 100,
    ("grows x7/3", "P", "growth_confirmed"): 100,
    ("SILO exact", "Q", "position_confirmed"): 100,
    ("SILO exact", "D", "position_confirmed"): 100,
    ("SILO exact", "C", "position_confirmed"): 100,
    ("SILO exact, 8 seeds", "Q", "position_confirmed"): 100,
    ("SILO exact, 8 seeds", "D", "position_confirmed"): 100,
    ("SILO exact, 8 seeds", "C", "position_confirmed"): 100,
    ("SILO off x3", "Q", "position_confirmed"): 68,
    ("SILO off x3", "D", "position_confirmed"): 72,
    ("SILO off x3", "C", "position_refuted"): 94,
    ("SILO off x3, 8 seeds", "Q", "position_confirmed"): 86,
    ("SILO off x3, 8 seeds", "D", "position_confirmed"): 86,
    ("SILO off x3, 8 seeds", "C", "position_refuted"): 100,
    ("SILO off x6", "Q", "position_refuted"): 100,
    ("SILO off x6", "D", "position_refuted"): 100,
    ("SILO off x6", "C", "position_refuted"): 100,
}


def sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for each verdict, how often it is false: over all truths, those at its border, and the worst one.

    Studies whose intervals are left narrow on purpose don't count.
    """
    rows = []
    for verdict in VERDICTS:
        counted = table[table.widened & (table[f"{verdict}_is_false"] != "")]
        if counted.empty:
            continue
        edge = counted[counted[f"{verdict}_is_false"] == "edge"]
        worst = counted.loc[counted[verdict].idxmax()]
        pooled = edge if len(edge) else counted
        holds = "yes" if pooled[verdict].mean() <= POOLED and worst[verdict] <= SINGLE else "**no**"
        error = math.sqrt(SINGLE * (1 - SINGLE) / worst.studies)
        if holds != "yes" and pooled[verdict].mean() <= POOLED and worst[verdict] <= SINGLE + 2 * error:
            holds = "but for chance"
        rows.append(
            {
                "verdict": verdict.replace("_", " "),
                "truths": len(counted),
                "false in": f"{counted[verdict].mean():.1%}",
                "at the border": f"{edge[verdict].mean():.1%} of {len(edge)}" if len(edge) else "",
                "worst": f"{worst[verdict]:.1%}",
                "where": f"{worst.truth} ({worst.kind})" if worst[verdict] else "",
                "holds": holds,
            }
        )
    return pd.DataFrame(rows)


def powers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the powers beside what the prototype had."""
    rows = []
    for (words, kind, verdict), expected in EXPECTED.items():
        for found in table[(table.truth == words) & (table.kind == kind)][verdict]:
            holds = "yes" if found >= expected / 100 - POWER - 1e-9 else "**no**"
            line = {"truth": words, "kind": kind, "verdict": verdict.replace("_", " ")}
            rows.append(line | {"power": f"{found:.1%}", "expected": f"{expected}%", "holds": holds})
    return pd.DataFrame(rows)


def coverages(table: pd.DataFrame) -> pd.DataFrame:
    """Return how often intervals hold the truth where seeds share images, with and without the widening for it."""
    rows = []
    shared = table[table.truth.str.contains("images") & table.truth.str.contains("pool|fixed")]
    plain = shared[shared.widened]
    for row in plain.itertuples():
        naive = shared[(shared.truth == f"{row.truth}, not widened") & (shared.kind == row.kind)].iloc[0]
        line = {"truth": row.truth, "kind": row.kind}
        for name in HELD:
            line[name.replace("_", " ")] = f"{getattr(row, name):.0%}"
            line[f"{name.replace('_', ' ')}, not widened"] = f"{naive[name]:.0%}"
        rows.append(line)
    return pd.DataFrame(rows)
