"""The rows as a table and a plot."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from oracle.report.figures.style import save, styled
from oracle.report.tables.format import significant
from oracle.report.tables.markdown import markdown

WORDS = ["part", "what", "unit", "goal"]  # of a row; then, of where it was measured
PLACE = ["device", "cores", "images", "python", "torch", "torchvision", "numpy", "ray"]
READ = """Every figure is the median of pairs that were measured in turns in one run, and the ratio the median of the pairs'
ratios; its bounds hold it with 95% confidence, whatever the distribution (order statistics). A goal is met where the
whole interval keeps it. Ratios hold better than times."""
TITLE_WIDTH = 44  # characters

Parts = Mapping[str, ModuleType]


def read(folder: Path) -> pd.DataFrame | None:
    """The table that an earlier run left in the folder, or None."""
    path = folder / "speed.csv"
    if not path.exists():
        return None
    return pd.read_csv(path, dtype=dict.fromkeys([*WORDS, *PLACE], str), keep_default_na=False)


def replaced(before: pd.DataFrame | None, rows: pd.DataFrame, parts: Parts) -> pd.DataFrame:
    """The table with these rows in place of their parts', in the order of the parts."""
    kept = [] if before is None else [before[~before.part.isin(rows.part)]]
    order = list(parts)
    table = pd.concat([*kept, rows], ignore_index=True)
    return table.sort_values("part", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)


def write(table: pd.DataFrame, folder: Path, parts: Parts) -> None:
    """Write speed.csv, README.md, speed.png, speed.svg and speed.pdf; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "speed.csv", index=False, lineterminator="\n")
    (folder / "README.md").write_text(text(table, parts), encoding="utf-8", newline="\n")
    save(figure(table, parts), folder, "speed")


def text(table: pd.DataFrame, parts: Parts) -> str:
    """The README: for each part how it is measured, where it was, and its rows."""
    paragraphs = [
        "# Speed",
        f"Made by `python -m benchmarks.speed`. {READ}",
        "![The ratios, with their bounds and goals](speed.svg)",
    ]
    for name, rows in table.groupby("part", sort=False):
        paragraphs += [
            f"## {parts[name].TITLE}",
            _unwrapped(parts[name].__doc__),
            f"Measured on {_place(rows.iloc[0])}.",
        ]
        paragraphs.append(markdown(pd.DataFrame([_shown(row) for row in rows.to_dict("records")], dtype=str)))
    if "gpu" not in set(table.part):
        paragraphs += [f"## {parts['gpu'].TITLE}", "Not measured: no GPU was at hand."]
    return "\n\n".join(part.strip() for part in paragraphs) + "\n"


@styled
def figure(table: pd.DataFrame, parts: Parts) -> Figure:
    """A panel a part, a line a row: the ratio, its bounds, and its goal as a stroke; what is beside itself is left out."""
    alone = (table.low == 1) & (table.high == 1)
    table = table if alone.all() else table[~alone]
    groups = list(table.groupby("part", sort=False))
    sizes = [len(rows) + 1 for _, rows in groups]
    figure = Figure(figsize=(5, 0.7 + 0.29 * sum(sizes)), layout="constrained")
    panels = figure.subplots(len(groups), squeeze=False, height_ratios=sizes)[:, 0]
    for axes, (name, rows) in zip(panels, groups, strict=True):
        places = range(len(rows))
        bounds = [rows.ratio - rows.low, rows.high - rows.ratio]
        axes.errorbar(rows.ratio, places, xerr=bounds, fmt="o", color="C0", capsize=2, label="median and 95% bounds")
        goals = [(float(goal.split()[1]), place) for goal, place in zip(rows.goal, places, strict=True) if goal]
        if goals:
            axes.plot(*zip(*goals, strict=True), "|", color="C3", markersize=11, markeredgewidth=1.4, label="goal")
        axes.set_yticks(places, rows.what)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.margins(x=0.08)
        axes.set_title(textwrap.fill(parts[name].TITLE, TITLE_WIDTH), loc="left")
        axes.grid(axis="x", linewidth=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def met(row: Mapping[str, Any]) -> str:
    """Whether the whole interval of a ratio keeps the goal; empty where there is none."""
    if not row["goal"]:
        return ""
    sign, goal = row["goal"].split()
    return "yes" if (row["low"] >= float(goal) if sign == ">=" else row["high"] <= float(goal)) else "no"


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "": row["what"],
        "ours": significant(row["ours"]),
        "other": significant(row["other"]),
        "unit": row["unit"],
        "ratio": f"{row['ratio']:.3f}",
        "95% bounds": f"{row['low']:.3f} to {row['high']:.3f}",
        "goal": row["goal"],
        "met": met(row),
        "pairs": str(row["pairs"]),
    }


def _place(row: Mapping[str, str]) -> str:
    versions = ", ".join(f"{name} {row[name]}" for name in PLACE[PLACE.index("python") :])
    return f"{row['device']}, {row['cores']} cores, {versions}; images of 32x32: {row['images']}"


def _unwrapped(doc: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in doc.split("\n\n"))
