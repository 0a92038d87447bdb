"""The tables that a paper shows of finished runs, as strings to read: a column for each of a few pruning cycles."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from oracle.report.tables.format import MISSING, PLUS_MINUS, Bold, decimals, known, mean_std, significant
from oracle.report.tables.published import decimal_places
from oracle.report.tables.study_tables import COMPARISON_COLUMNS, ORACLE_COLUMNS, Columns

MAX_CYCLES = 8  # so many columns of cycles fit on a page
REFERENCE = "Oracle"  # is no policy
REFERENCE_ROW = f"{REFERENCE} (reference)"
REDUCED = "\N{DAGGER}"  # marks a mean that is not over all seeds

ORACLE_ROWS: Columns = {
    "Optimal interval": ORACLE_COLUMNS["Optimal interval"],
    "Width (decades)": ORACLE_COLUMNS["Width (decades)"],
    "Oracle's best max_lr": ORACLE_COLUMNS["Best max_lr"],
    "SILO max_lr": COMPARISON_COLUMNS["SILO max_lr"],
    "Position": COMPARISON_COLUMNS["Position"],
    "Gap (points)": COMPARISON_COLUMNS["Gap to best (points)"],
    "Note": COMPARISON_COLUMNS["Note"],
}


def evenly_spaced(cycles: Iterable[int], most: int = MAX_CYCLES) -> list[int]:
    """At most so many of the cycles, spread evenly over them, the first and (of several) the last included."""
    every = sorted({int(cycle) for cycle in cycles})
    places = np.linspace(0, len(every) - 1, min(most, len(every)))
    return [every[int(place)] for place in places.round()]


def accuracy_cycles(policies: pd.DataFrame, published: pd.DataFrame | None = None) -> list[int]:
    """The cycles that an accuracy table shows: spread over all or, beside published figures, over theirs and both ends."""
    every = policies.cycle.tolist()
    return evenly_spaced(every if published is None else [min(every), max(every), *published.cycle])


def accuracy_table(
    policies: pd.DataFrame,
    cycles: Sequence[int] | None = None,
    published: pd.DataFrame | None = None,
    epoch: Literal["chosen", "final"] = "chosen",
) -> pd.DataFrame:
    """Test accuracy (percent), mean ± standard deviation; a row a policy, a column a cycle.

    Where two policies or more compete, the best of a column, and what equals it as written, is ``Bold``. The Oracle, a
    reference in the last row, never competes; nor do published figures, which stand below the policy of their name; nor
    a cell marked †, whose mean is not over all seeds: some diverged or are missing. "–": not known.

    Args:
        policies: one row for each (policy, cycle) with weights_remaining (percent), seeds (how many the means are over),
            diverged (how many seeds), test, test_std, final_test and final_test_std (percent).
        cycles: the cycles to show; by default those of :func:`accuracy_cycles`.
        published: figures of others, as :func:`oracle.report.tables.published.read_published` returns them; written with
            the decimals that they have there.
        epoch: whether the accuracies are those at the chosen epoch or at the final one.
    """
    columns = accuracy_cycles(policies, published) if cycles is None else list(cycles)
    texts = _accuracies(policies, epoch)
    lines = [(name, name) for name in policies.policy.unique()]
    if published is not None:
        marked = _marked(published)
        texts |= {(row.label, row.cycle): _published_accuracy(row) for row in marked.itertuples()}
        lines += marked[["label", "policy"]].drop_duplicates().itertuples(index=False, name=None)
    names = [name.casefold() for name in policies.policy.unique() if name != REFERENCE]

    def place(line: tuple[str, str]) -> float:
        _, policy = line
        if policy.casefold() in names:
            return names.index(policy.casefold())
        return len(names) + 1 if policy == REFERENCE else len(names)

    rows = [
        [REFERENCE_ROW if label == REFERENCE else label, *(texts.get((label, cycle), MISSING) for cycle in columns)]
        for label, _ in sorted(lines, key=place)
    ]
    return pd.DataFrame(rows, columns=["Policy", *cycle_heads(policies, columns)], dtype=object)


def source_notes(published: pd.DataFrame) -> list[str]:
    """A line for each source of published figures, which says where they stand."""
    sources = _marked(published)[["mark", "source"]].drop_duplicates()
    return [f"{mark}: {source}" for mark, source in sources.itertuples(index=False, name=None)]


def oracle_by_cycle(comparison: pd.DataFrame, cycles: Sequence[int] | None = None) -> pd.DataFrame:
    """The Oracle's interval and SILO's place in it, a column a cycle.

    It is written as in :mod:`oracle.report.tables.study_tables`. Brackets: the cycle is uninformative; the note says why.

    Args:
        comparison: as :func:`oracle.analysis.comparison.comparison_table` returns it.
        cycles: the cycles to show; by default at most 8, spread evenly.
    """
    columns = evenly_spaced(comparison.cycle) if cycles is None else list(cycles)
    row_of = {row.cycle: row for row in comparison.itertuples(index=False)}
    shown = [row_of.get(cycle) for cycle in columns]
    rows = [[name, *(MISSING if row is None else show(row) for row in shown)] for name, show in ORACLE_ROWS.items()]
    if not any(rows[-1][1:]):
        rows.pop()  # nothing to note
    return pd.DataFrame(rows, columns=["", *cycle_heads(comparison, columns)], dtype=object)


def cost_table(costs: pd.DataFrame) -> pd.DataFrame:
    """What each policy and the Oracle cost, a row each.

    Trainings, those of them that chose its max_lr, device-hours, and how many times SILO's trainings that is.

    Args:
        costs: one row for each policy and the Oracle with who, trainings, seconds, search_trainings (NA: not stated).
    """
    priced = priced_costs(costs)
    return pd.DataFrame(
        {
            "Policy": list(costs.who),
            "Trainings": [f"{count:,}" for count in costs.trainings],
            "Of them for search": [f"{count:,}" if known(count) else "not stated" for count in costs.search_trainings],
            "Device-hours": [_hours(hours) for hours in priced.device_hours],
            "Times SILO's trainings": [f"{times:.1f}" if known(times) else MISSING for times in priced.times_silo],
        },
        dtype=object,
    )


def priced_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """The costs with device_hours, and times_silo: trainings over SILO's (NaN where these and its search aren't known)."""
    silo = costs.trainings[(costs.who == "SILO") & costs.search_trainings.notna()].sum()
    times = costs.trainings / silo if silo else np.nan
    return costs.assign(device_hours=costs.seconds / 3600, times_silo=times)


def layers_table(layers: pd.DataFrame, policy: str = "SILO", cycles: Sequence[int] | None = None) -> pd.DataFrame:
    """The weights that are alive in each layer, in percent of its prunable ones; a row a layer, a column a cycle.

    A column is headed by what remains of all layers together.

    Args:
        layers: one row for each (policy, cycle, layer) with alive (mean over the seeds) and prunable (counts).
        policy: whose layers are shown.
        cycles: the cycles to show; by default at most 8, spread evenly.
    """
    own = layers[layers.policy == policy]
    columns = evenly_spaced(own.cycle) if cycles is None else list(cycles)
    all_layers = own.groupby("cycle")[["alive", "prunable"]].sum().reset_index()
    heads = cycle_heads(all_layers.assign(weights_remaining=100 * all_layers.alive / all_layers.prunable), columns)
    share = dict(zip(zip(own.layer, own.cycle, strict=True), 100 * own.alive / own.prunable, strict=True))
    prunable = own.groupby("layer", sort=False).prunable.first()
    rows = [
        [layer, f"{count:,}", *(significant(share.get((layer, cycle))) for cycle in columns)]
        for layer, count in prunable.items()
    ]
    return pd.DataFrame(rows, columns=["Layer", "Weights", *heads], dtype=object)


def cycle_heads(frame: pd.DataFrame, cycles: Sequence[int]) -> list[str]:
    """The weights remaining at each cycle, or the cycle's number where nothing says how many remain."""
    weights = frame.groupby("cycle").weights_remaining.max().reindex(cycles)
    return [f"{significant(left)}%" if known(left) else f"cycle {cycle}" for cycle, left in weights.items()]


def _accuracies(policies: pd.DataFrame, epoch: str) -> dict[tuple[str, int], str]:
    """The text of each (policy, cycle), the best of a cycle in bold."""
    mean, std = ("test", "test_std") if epoch == "chosen" else ("final_test", "final_test_std")
    seeds, diverged = policies.seeds.fillna(0), policies.diverged.fillna(0)
    reduced = (seeds < seeds.max()) | (diverged > 0)
    means = policies.assign(mean=policies[mean], std=policies[std], diverged=diverged, reduced=reduced)
    texts = {}
    for cycle, column in means.groupby("cycle"):
        competing = column[column["mean"].notna() & ~column.reduced & (column.policy != REFERENCE)]
        written = {name: round(mean, 2) for name, mean in zip(competing.policy, competing["mean"], strict=True)}
        best = max(written.values()) if len(written) > 1 else None
        for row in column.itertuples():
            text = _accuracy(row)
            texts[row.policy, cycle] = Bold(text) if best is not None and written.get(row.policy) == best else text
    return texts


def _accuracy(row: Any) -> str:
    if not known(row.mean):
        return "diverged" if row.diverged else MISSING
    return mean_std(row.mean, row.std) + (REDUCED if row.reduced else "")


def _marked(published: pd.DataFrame) -> pd.DataFrame:
    """Published figures with the mark of their source, the label of their row and the decimals that the source gives."""
    sources = list(published.source.unique())
    marks = {source: f"published {number}" for number, source in enumerate(sources, start=1)}
    mark = published.source.map(marks if len(sources) > 1 else dict.fromkeys(sources, "published"))
    places = published[["test", "test_std"]].fillna(0).map(decimal_places).max(axis=1)
    places = places.groupby(published.source).transform("max")
    return published.assign(mark=mark, label=published.policy + " (" + mark + ")", decimal_places=places)


def _published_accuracy(row: Any) -> str:
    numbers = [row.test, row.test_std] if known(row.test_std) else [row.test]
    return f" {PLUS_MINUS} ".join(f"{number:.{row.decimal_places}f}" for number in numbers)


def _hours(hours: float) -> str:
    """Hours with 2 decimals, below one hour with 2 significant digits."""
    if not known(hours) or hours >= 1:
        return decimals(hours)
    return np.format_float_positional(hours, precision=2, fractional=False, trim="-")
