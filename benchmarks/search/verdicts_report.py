"""What the searches cost, and whether their verdicts are the whole grid's, as tables and a plot."""

from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.search.verdicts import CLAIMS
from oracle.report.figures.style import styled
from oracle.report.tables.markdown import markdown

READ = """Made by `python -m benchmarks.search`.

## By verdicts

`search: until-decided` measures all cycles together, the same values in the same seeds, in rounds: every second value in two
seeds; all values near the best of some cycle in these; then twice the seeds, again and again; at last the whole grid in all
seeds. After each round the report's own rules judge, at a sixth of the level or less (a third of the level for all rounds
before the last, two thirds for the last: Bonferroni), and it ends where claim 1, claim 3 and the rival are each decided, or
more trainings would decide them with a probability below 20% at today's estimate."""
PUBLISHED = """On published runs, without their baselines; the seeds in order, and in 12 other orders. **Cost** is the share of
the whole grid's trainings, SILO's own counted on both sides; **same** the share of orders in which all three verdicts are
the whole grid's. The adaptive Oracle gives better values more seeds than others: the rules
can't judge by what it measures. Racing is judged by the two seeds in which it tries every value: its further trainings
narrow intervals, and decide nothing."""
SIMULATED = """On simulated studies as large and as noisy as the published runs, 18 cycles and 12 values. The optimum grows
along SILO's form, and SILO is right; where it stands still SILO grows by x7/3 all the same. **Same**: all three verdicts
are the whole grid's, judged at the full level. **False**: one of the search's three is. "Just beyond": the loss lies at
the very border of the tolerance, where any verdict that it is within is false."""


def section(published: pd.DataFrame, simulated: pd.DataFrame) -> list[str]:
    """Return the paragraphs and tables of the README."""
    worst = simulated.groupby("truth", sort=False).false.mean()
    size = (
        f"False in {simulated.false.mean():.1%} of all {simulated.studies.sum()} studies; at most in {worst.max():.1%} of one "
        f'truth\'s ("{worst.idxmax()}").'
    )
    parts = [
        READ,
        "![Cost by verdicts](verdicts.png)",
        PUBLISHED,
        markdown(pd.DataFrame(_rows(published), dtype=str)),
        SIMULATED,
    ]
    for seeds, rows in simulated.groupby("seeds"):
        parts += [f"### {seeds} seeds", markdown(pd.DataFrame(_truths(rows), dtype=str))]
    return [*parts, size]


def _rows(published: pd.DataFrame) -> Iterator[dict]:
    for (run, search), rows in published.groupby(["run", "search"], sort=False):
        whole = rows[[f"{claim}, whole grid" for claim in CLAIMS]].iloc[0]
        same = (rows[list(CLAIMS)].to_numpy() == whole.to_numpy()).all(axis=1)
        yield {
            "run": run,
            "search": search,
            "cost": f"{rows.cost.iloc[0]:.2f}",
            "other orders": f"{rows.cost.min():.2f} to {rows.cost.max():.2f}" if len(rows) > 1 else "",
            "claim 1, claim 3, rival": ", ".join(rows[list(CLAIMS)].iloc[0])
            if rows.judged.iloc[0]
            else "can't be judged",
            "whole grid": ", ".join(whole),
            "same": f"{same.mean():.0%}" if rows.judged.all() else "",
        }


def _truths(rows: pd.DataFrame) -> Iterator[dict]:
    for truth, same in rows.groupby("truth", sort=False):
        line = {"truth": truth}
        for one in same.itertuples():
            line[f"cost, {one.like}"] = f"{one.cost:.2f}"
            line[f"same, {one.like}"] = f"{one.agree:.0%}"
        yield line | {"false": f"{same.false.mean():.1%}"}


@styled
def figure(simulated: pd.DataFrame) -> Figure:
    """The cost by truth, a panel a number of seeds, a point a size."""
    panels: Sequence[int] = sorted(simulated.seeds.unique())
    figure = Figure(figsize=(3.6 * len(panels), 3.2), layout="constrained")
    for axes, seeds in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True):
        for number, (like, rows) in enumerate(simulated[simulated.seeds == seeds].groupby("like", sort=False)):
            axes.plot(rows.cost, rows.truth, "o", color=f"C{number}", label=like)
        axes.axvline(0.2, color="C3", linewidth=0.8, linestyle="--", label="a fifth")
        axes.set_xlim(0, 1.03)
        axes.set_xlabel("Cost (share of the whole grid's trainings)")
        axes.set_title(f"{seeds} seeds", loc="left")
        axes.grid(linewidth=0.3)
    axes.invert_yaxis()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
