"""How far a run is, and what it does right now: `status`."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from oracle.plan.counts import StatusCounts, tally
from oracle.study.activity import Activity, activity
from oracle.study.cell import Cell
from oracle.study.environment import mixture
from oracle.study.study import Study

KINDS = ("done", "diverged", "failed", "running", "missing")
REASONS = 5  # of failures, the most frequent ones


def status_text(study: Study) -> str:
    """A line a cycle: trainings done, diverged, failed, running, missing; whether a run is at work, and the time left; why
    trainings failed, what is blocked, and whether environments are mixed. Writes nothing.
    """
    driver = activity(study.store)  # first: what is recorded since then is not running
    counts = tally(study.chains, driver.running)
    most = "at most " * counts.at_most
    lines = ["cycle    done  diverged  failed  running  missing"]
    rows = [(f"{cycle:5d}", of) for cycle, of in counts.by_cycle.items()]
    for name, of in [*rows, ("  all", sum(counts.by_cycle.values(), Counter()))]:
        done, diverged, failed, running, missing = (of[kind] for kind in KINDS)
        lines.append(f"{name}  {done:6d}  {diverged:8d}  {failed:6d}  {running:7d}  {missing:7d}")
    lines.append(f"recorded: {counts.recorded} of {counts.total_told} trainings")
    lines += [_at_work(driver, counts), *_time_left(driver, counts, most), *_failures(counts)]
    lines += [f"{chain.chain} is blocked from cycle {chain.cycle} on: {chain.reason}" for chain in counts.blocked]
    return "\n".join(line for line in (*lines, mixture(counts.records)) if line)


def clock(seconds: float) -> str:
    """A time in words, as exact as a prediction deserves."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d} h"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _at_work(driver: Activity, counts: StatusCounts) -> str:
    if driver.at_work:
        since = f" since {_when(driver.began)}" if driver.began else ""
        return f"a run is at work{since}; it trains {counts.count('running')} now"
    if driver.cut_off:
        return f"no run is at work: the last one, begun {_when(driver.began)}, was cut off; `silo-oracle run` goes on"
    return "no run is at work" + (f"; the last run or merge ended {_when(driver.ended)}" if driver.ended else "")


def _time_left(driver: Activity, counts: StatusCounts, most: str) -> list[str]:
    left, each = counts.count("running", "missing"), counts.seconds_each
    if not left:
        return []
    if driver.pace is not None:
        return [f"time left: {most}{clock(left * driver.pace)}, by the pace of this run"]
    if each is None:
        return ["time left: known after the first training"]
    return [f"time left: {most}{clock(left * each)}, divided by the workers (a training took {each:.2f} s)"]


def _failures(counts: StatusCounts) -> list[str]:
    by_reason = sorted(counts.failed.items(), key=lambda item: -len(item[1]))
    lines = [f"failed: {_told(cells)}: {reason}" for reason, cells in by_reason[:REASONS]]
    if others := len(by_reason) - len(lines):
        lines.append(f"failed: {others} other reason{'s' * (others > 1)}")
    return lines


def _told(cells: Sequence[Cell]) -> str:
    """How many, and what they have in common, or how far they differ."""
    rates, cycles, seeds = (sorted({getattr(c, name) for c in cells}) for name in ("max_lr", "cycle", "seed"))
    parts = [("max_lr", [f"{rate:.4g}" for rate in rates]), ("cycle", cycles), ("seed", seeds)]
    where = "; ".join(f"{name} {_range(values)}" for name, values in parts)
    return f"{len(cells)} training{'s' * (len(cells) > 1)} ({where})"


def _range(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values)) if len(values) <= 3 else f"{values[0]} to {values[-1]}"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
