"""What the rules say of simulated studies, as tables and a heat map."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.power.bounds import coverages, powers, sizes
from benchmarks.power.measure import HELD, VERDICTS
from benchmarks.power.truths import KINDS
from oracle.report.figures.style import save, styled
from oracle.report.tables.markdown import markdown

SHORT = {
    "growth_confirmed": "1 yes",
    "growth_refuted": "1 no",
    "own_excluded": "own out",
    "gain_shown": "gain",
    "same_rejected": "moves",
    "turn_seen": "turns",
    "position_confirmed": "3 yes",
    "position_refuted": "3 no",
    "rival_confirmed": "R yes",
    "rival_refuted": "R no",
    "growth_held": "in: growth",
    "optima_held": "in: optima",
    "loss_held": "in: loss",
}
READ = """Made by `python -m benchmarks.power`: {studies} studies of every truth, judged at level 0.05; shares in percent, with
a Monte Carlo standard error of {error:.1f} points at 5% and {most:.1f} at 50%. A study has validation and test
accuracies of every grid value, seed and cycle, and SILO's; half of a training's noise variance is common to both.

**Kinds of study.** {kinds}

**Columns.** 1: claim 1 (the best max_lr grows along SILO's form) confirmed, refuted (it falls, or any growth of x1.25
is excluded); *own out*: growth of SILO's own size, x7/3, is excluded; *gain*: the best schedule of four segments is
shown to gain over the best constant, held out; *moves*: one optimum for all cycles is rejected; *turns*: a segment's
optimum falls after one rose. 3: SILO's max_lr loses at most the tolerance, confirmed and refuted. R: no constant
does, confirmed; one does: R no. *in*: how often an interval holds the truth: growth's (nominal 90%), all cycles'
optima at once (95%), SILO's mean loss to the values chosen (90%). **Bold**: the verdict would be false; with an
exclamation mark the truth lies at the very border of the claim, where a verdict may be false in 5%.

**Truths.** *grows*, *falls*: along SILO's form. SILO starts at the optimum and grows x7/3, unless a row says *SILO
...*: then both grow x7/3 (*loss = the tolerance*: SILO lies beside the optimum by so much). *jitters*: the optimum of
a seed (or of every training) lies elsewhere, sd 0.25 doublings. *sides change*: the steep side does, the optimum
doesn't. *cliff*: 20 points from 0.8 doublings above the optimum; *divergence*: from 1.3. *plateau*: 1.5 doublings
wide. *masks' luck*: a random walk by seed, 0.3 points a cycle, shared by all values, as when all start from one
chain's masks (`follow` either way). *own chain*: SILO's accuracies, and no grid value's, have a random walk by seed,
0.3 standard deviations of a training a cycle, as if SILO's had been trained on masks of its own; claim 3 compares on
the same masks, so this is a strain and no usual case. *one pool*: seeds split 1,500 images 60/20/20 at random; *fixed
test set*: 300 images, of which SILO's loss is meant, so that no verdict on claim 3 is marked there. Half of the luck
of images is the same in every cycle."""


SIZES = """False verdicts: at most 6% over all truths at the border of the claim (over all where none lies there), and 10% in
any one. *but for chance*: the worst lies above 10%, but by no more than two Monte Carlo standard errors."""


def write(table: pd.DataFrame, studies: int, folder: Path) -> None:
    """Write power.csv, README.md, power.png, power.svg and power.pdf; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "power.csv", index=False, lineterminator="\n", float_format="%.6g")
    rounded = read(folder)
    (folder / "README.md").write_text(readme(rounded, studies), encoding="utf-8", newline="\n")
    save(figure(rounded), folder, "power")


def read(folder: Path) -> pd.DataFrame:
    """Return the table that lies in a folder."""
    flags = [f"{name}_is_false" for name in VERDICTS]
    table = pd.read_csv(folder / "power.csv", dtype=dict.fromkeys(flags, str))
    return table.fillna(dict.fromkeys(flags, ""))


def readme(table: pd.DataFrame, studies: int) -> str:
    """Return the page: what was simulated, whether the bounds hold, and all truths."""
    kinds = "; ".join(
        f"{name}: like {kind.like}, {kind.cycles} cycles x {kind.values} values x {kind.seeds} seeds, noise {kind.noise:g}"
        f" points a training, {kind.bend:g} points per doubling squared, tolerance {kind.tolerance:g}"
        for name, kind in KINDS.items()
    )
    error, most = (100 * np.sqrt(share * (1 - share) / studies) for share in (0.05, 0.5))
    parts = [
        "# Sizes and powers of the verdicts",
        READ.format(studies=studies, error=error, most=most, kinds=f"{kinds}."),
        "## Do the bounds hold?",
        SIZES,
        _table(sizes(table)),
        "Powers: at most 5 points below those of the prototype that the rules were chosen by.",
        _table(powers(table)),
        "Intervals where seeds share images, with the widening for it and without (Nadeau and Bengio 2003).",
        _table(coverages(table)),
        "## All truths",
        "![Shares of studies with each verdict](power.png)",
    ]
    for kind, rows in table.groupby("kind", sort=False):
        parts += [f"### {kind}: like {KINDS[kind].like}", _table(_shown(rows))]
    return "\n\n".join(parts) + "\n"


def _table(rows: pd.DataFrame) -> str:
    return markdown(rows.astype(str)).replace("\\*\\*", "**").rstrip("\n")


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    lines = []
    for row in rows.to_dict("records"):
        line = {
            "": row["truth"],
            "loss": f"{row['true_loss']:.2f}",
            "constant's": f"{row['true_loss_of_constant']:.2f}",
        }
        line |= {SHORT[name]: _cell(row, name) for name in VERDICTS + HELD}
        lines.append(line | {"growth found": f"x{2 ** row['growth']:.2f}", "loss found": f"{row['loss']:.2f}"})
    return pd.DataFrame(lines)


def _cell(row: dict, name: str) -> str:
    text = "" if np.isnan(row[name]) else f"{100 * row[name]:.0f}"
    return {"edge": f"**{text}!**", "false": f"**{text}**"}.get(row.get(f"{name}_is_false", ""), text)


@styled
def figure(table: pd.DataFrame) -> Figure:
    """Return a heat map: a row a truth, a block of columns a verdict, a column a kind of study."""
    truths, kinds = list(dict.fromkeys(table.truth)), list(dict.fromkeys(table.kind))
    figure = Figure(figsize=(11, 0.145 * len(truths) + 1.2), layout="constrained")
    panels = figure.subplots(1, len(VERDICTS), sharey=True, squeeze=False)[0]
    power, size = matplotlib.colormaps["Blues"], matplotlib.colormaps["Reds"]
    cells = {(row["truth"], row["kind"]): row for row in table.to_dict("records")}
    for axes, verdict in zip(panels, VERDICTS, strict=True):
        colors = np.ones((len(truths), len(kinds), 4))
        for (truth, kind), row in cells.items():
            y, x, share = truths.index(truth), kinds.index(kind), row[verdict]
            wrong = row[f"{verdict}_is_false"] != ""
            shade = min(share / 0.2, 1.0) if wrong else share
            colors[y, x] = size(0.75 * shade) if wrong else power(0.75 * shade)
            color = "white" if shade > 0.75 else "black"
            axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", fontsize=5, color=color)
        axes.imshow(colors, aspect="auto", interpolation="nearest")
        axes.set_title(SHORT[verdict])
        axes.set_xticks(range(len(kinds)), kinds)
        axes.tick_params(length=0)
    panels[0].set_yticks(range(len(truths)), truths, fontsize=5.5)
    figure.suptitle(
        "Studies with a verdict (%). Blue: it would be right or harmless. Red: it would be false (full at 20%)."
    )
    return figure
