"""What became of all tries, as a page, a table and bars."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.faults.commands import COMMANDS
from benchmarks.faults.damage import WAYS, Damages
from benchmarks.faults.tries import KINDS, Outcome
from oracle.report.figures.style import BLUE, GREY, VERMILLION, WIDE, save, styled
from oracle.report.tables.markdown import markdown

BAD = ("lost", "left_behind", "wrongly_accepted", "unclear", "tracebacks")
READ = """Every command began with a home of its own: a small finished study, and what the same command had made of an earlier
one. It was disturbed once; then the same command was run again, and all files of the home were compared with those of an
undisturbed one (without locks, logs of attempts and, where it trains, seconds).

| column | how many |
|---|---|
| tried | disturbances, or damaged files |
| met | those that met the command at work: it wasn't over before, nor was there room enough; of a damaged file: all |
| ended_well | all is as it must be: none of the following |
| lost | what was there was neither the old nor the new, whole; or the same command failed, or differed, afterwards |
| left_behind | files were left beside (after SIGKILL: after the same command again, too) |
| wrongly_accepted | a damaged file was read, and its values were others than those written |
| unclear | another exit code than it must be (0 not on a full disk), not one line, no end within 5 s of a signal |
| tracebacks | Python's own words reached the user |

Signals come at a random time, imports included; a full disk is a file system with so much room left (0 to all that the command
writes), a file size limit RLIMIT_FSIZE. Of a record, a state, a checkpoint and study.json every {every} byte had one bit
flipped, or the file was cut off there: what was read was refused in one line that names the file (a checkpoint: not used, the
training starts over), or compared bit by bit with what had been written."""


def counts(outcomes: Sequence[Outcome], damages: Sequence[Damages]) -> pd.DataFrame:
    """Return a row for each fault and command, or file, with counts."""
    rows = []
    for kind in KINDS:
        for command in COMMANDS:
            of_both = [one for one in outcomes if (one.what.kind, one.what.command) == (kind, command)]
            if not of_both:
                continue
            row = {"fault": kind, "what": command, "tried": len(of_both), "met": sum(one.met for one in of_both)}
            row |= {"ended_well": sum(one.well for one in of_both), "lost": sum(bool(one.lost) for one in of_both)}
            row |= {"left_behind": sum(bool(one.left) for one in of_both), "wrongly_accepted": 0}
            row |= {name: sum(bool(getattr(one, name)) for one in of_both) for name in ("unclear", "tracebacks")}
            rows.append(row)
    for way in WAYS:
        for one in (one for one in damages if one.way == way):
            bad = len(one.accepted) + len(one.tracebacks) + len(one.unclear)
            row = {"fault": way, "what": one.file, "tried": one.tried, "met": one.tried, "ended_well": one.tried - bad}
            row |= {"lost": 0, "left_behind": 0, "wrongly_accepted": len(one.accepted)}
            rows.append(row | {"unclear": len(one.unclear), "tracebacks": len(one.tracebacks)})
    return pd.DataFrame(rows)


def write(
    outcomes: Sequence[Outcome], damages: Sequence[Damages], made: Mapping[str, object], every: int, folder: Path
) -> pd.DataFrame:
    """Write faults.md, faults.csv, faults.png, faults.svg and faults.pdf; return the counts."""
    folder.mkdir(parents=True, exist_ok=True)
    table = counts(outcomes, damages)
    table.to_csv(folder / "faults.csv", index=False, lineterminator="\n")
    (folder / "faults.md").write_text(_page(table, outcomes, damages, made, every), encoding="utf-8", newline="\n")
    save(figure(table), folder, "faults")
    return table


def _page(
    table: pd.DataFrame,
    outcomes: Sequence[Outcome],
    damages: Sequence[Damages],
    made: Mapping[str, object],
    every: int,
) -> str:
    totals = table.groupby("fault", sort=False).sum(numeric_only=True).reset_index()
    totals.insert(1, "what", "all")
    parts = [
        "# Faults of machines",
        "\n".join(f"- {name}: {value}" for name, value in made.items()),
        READ.format(every="" if every == 1 else f"{every}th").replace("every  byte", "every byte"),
        "## All commands and files together",
        markdown(totals.astype(str)).rstrip("\n"),
        "![How many of each fault ended well](faults.png)",
        "## One by one",
        markdown(table.astype(str)).rstrip("\n"),
    ]
    if found := [*_found(outcomes), *_damages_found(damages)]:
        parts += ["## What did not end well", "\n".join(found)]
    return "\n\n".join(parts) + "\n"


def _found(outcomes: Sequence[Outcome]) -> list[str]:
    lines = []
    for one in outcomes:
        if one.well:
            continue
        faults = {name: asdict(one)[name] for name in ("lost", "left", "unclear", "tracebacks") if getattr(one, name)}
        faults |= {name: [_last_line(text) for text in texts] for name, texts in faults.items()}
        lines.append(f"- {one.what.kind}, {one.what.command}, at {one.what.share:.3f}: `{json.dumps(faults)[:600]}`")
    return lines


def _damages_found(damages: Sequence[Damages]) -> list[str]:
    lines = []
    for one in damages:
        if one.accepted:
            first = ", ".join(map(str, one.accepted[:20]))
            lines.append(f"- {one.way}, {one.file}: wrongly accepted {len(one.accepted)} times, at bytes {first}, ...")
        lines += [f"- {one.way}, {one.file}: `{text[:200]}`" for text in [*one.tracebacks[:5], *one.unclear[:5]]]
    return lines


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][-300:]


@styled
def figure(table: pd.DataFrame) -> Figure:
    """Return bars: a panel for the disturbed commands and one for the damaged files, in shares of what was tried."""
    figure = Figure(figsize=(WIDE, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, width_ratios=(3, 2))
    disturbed = table.fault.isin(KINDS)
    for axes, rows, title in (
        (panels[0], table[disturbed].groupby("what", sort=False), "disturbed commands"),
        (panels[1], table[~disturbed].groupby("what", sort=False), "damaged files"),
    ):
        sums = rows.sum(numeric_only=True)
        bad = sums.tried - sums.ended_well
        places = np.arange(len(sums))
        axes.barh(places, 100 * sums.ended_well / sums.tried, color=BLUE, label="ended well")
        axes.barh(
            places, 100 * bad / sums.tried, left=100 * sums.ended_well / sums.tried, color=VERMILLION, label="didn't"
        )
        for place, (_, row) in zip(places, sums.iterrows(), strict=True):
            axes.text(2, place, _caption(row), va="center", color="white", fontsize=6.5)
        axes.set_yticks(places, sums.index)
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.set_xlabel("% of those tried")
        axes.set_title(title)
        axes.spines[["top", "right"]].set_color(GREY)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _caption(row: pd.Series) -> str:
    bad = [f"{row[name]} {name.replace('_', ' ')}" for name in BAD if row[name]]
    return f"{row.ended_well:,} of {row.tried:,}" + (f"; {', '.join(bad)}" if bad else "")
