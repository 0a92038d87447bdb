"""What the searches found, as a table and a plot of cost against error."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.search.exhaustive import Run
from benchmarks.search.verdicts_report import figure as verdicts_figure
from benchmarks.search.verdicts_report import section
from oracle.report.figures.style import save, styled
from oracle.report.tables.markdown import markdown

ORDER, ORDERS, TRUTH = "in order", "other orders", "truth"
READ = f"""The adaptive Oracle and racing replayed on the accuracies that exhaustive runs recorded (all cycles,
one after another), and on simulated ones. **Cost** is the share of the exhaustive run's trainings, SILO's own counted
on both sides. **Ends** is the mean distance, in grid steps, between the ends of the interval that was found and of
the reference's (in brackets: by how many steps the interval is wider); **best** the share of cycles in which the
value that was found best is within the tolerance of the reference's best.

- *{ORDER}*: beside the exhaustive run's own intervals, its seeds asked for as a sweep would have.
- *{ORDERS}*: the same, the mean over 12 other orders of the seeds.
- *{TRUTH}*: simulated accuracies around the run's means, with its noise, beside the intervals of these means; the mean
  over 40 runs. There the row *exhaustive* at cost 1 tells what any search can find at that noise, since it has seen
  everything.

The goal is ends as near as two halves of the run's own seeds agree, and one grid step at least; the best within the
tolerance in every cycle; a third of the trainings."""


def write(
    table: pd.DataFrame,
    halves: Mapping[str, float],
    runs: Sequence[Run],
    verdicts: pd.DataFrame,
    simulated: pd.DataFrame,
    folder: Path,
) -> None:
    """Write README.md, the tables as csv, and the plots; the folder is made where it is missing.

    Args:
        table: the searches by their intervals.
        halves: how far the intervals of two halves of the seeds lie apart, by run.
        runs: which were replayed.
        verdicts: the searches by their verdicts, on these runs.
        simulated: the same on simulated studies.
        folder: where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "search.csv", index=False, lineterminator="\n", float_format="%.6g")
    for name, frame in (("verdicts", verdicts), ("verdicts-simulated", simulated)):
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")
    told = ["# Searches beside the exhaustive Oracle", *section(verdicts, simulated)]
    told += ["## By intervals", READ, "![Cost against error](search.png)"]
    for run in runs:
        size = f"{len(run.cycles)} cycles x {run.seeds} seeds x ({len(run.grid)} values and SILO's)"
        told += [
            f"### {run.name}",
            f"{size}, tolerance {run.tolerance:g} points. Halves agree to {halves[run.name]:.2f} steps.",
        ]
        told.append(markdown(_shown(table[table.run == run.name])))
    (folder / "README.md").write_text("\n\n".join(told) + "\n", encoding="utf-8", newline="\n")
    save(figure(table, halves), folder, "search")
    save(verdicts_figure(simulated), folder, "verdicts")


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    lines = []
    for (search, _), same in rows.groupby(["search", "share"], sort=False, dropna=False):
        line = {"search": search, "cost": f"{same.cost.iloc[0]:.2f}"}
        for against in (ORDER, ORDERS, TRUTH):
            (one,) = same[same.against == against].to_dict("records")
            line[f"ends, {against}"] = f"{one['steps']:.2f} ({one['wider']:+.1f})"
            line[f"best, {against}"] = f"{one['within']:.0%}"
        lines.append(line)
    return pd.DataFrame(lines, dtype=str)


@styled
def figure(table: pd.DataFrame, halves: Mapping[str, float]) -> Figure:
    """A row a run: the distance of the ends, and the cycles whose best is missed, over the cost."""
    figure = Figure(figsize=(6.8, 1.9 * len(halves) + 0.5), layout="constrained")
    panels = figure.subplots(len(halves), 2, sharex=True, squeeze=False)
    colors = {"exhaustive": "C7", "adaptive": "C0", "racing": "C1"}
    for (name, goal), (ends, best) in zip(halves.items(), panels, strict=True):
        for (search, against), rows in table[table.run == name].groupby(["search", "against"], sort=False):
            if against == ORDER:
                continue
            style = {"color": colors[search], "marker": "o", "linestyle": "-" if against == ORDERS else ":"}
            label = f"{search}, {'beside the run' if against == ORDERS else 'beside the simulated truth'}"
            rows = rows.sort_values("cost")
            ends.plot(rows.cost, rows.steps, **style, label=label)
            best.plot(rows.cost, 100 * (1 - rows.within), **style)
        ends.axhline(max(1.0, goal), color="C3", linewidth=0.8, label="goal: as two halves agree, 1 at least")
        for axes in (ends, best):
            axes.axvline(1 / 3, color="C3", linewidth=0.8, linestyle="--", label="a third")
            axes.set_ylim(bottom=0)
            axes.grid(linewidth=0.3)
        ends.set_title(name, loc="left")
        ends.set_ylabel("Ends off (grid steps)")
        best.set_ylabel("Best not in tolerance\n(% of cycles)")
    for axes in panels[-1]:
        axes.set_xlabel("Cost (share of the exhaustive run's trainings)")
        axes.set_xlim(0, 1.03)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
