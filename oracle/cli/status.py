"""How far a run is, and what it does right now: `status`."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oracle.plan.counts import StatusCounts
from oracle.plan.snapshot import Snapshot
from oracle.study.cell import Cell
from oracle.study.environment import mixture
from oracle.study.lock import Activity, activity
from oracle.study.record import Status
from oracle.study.study import Study

COLUMNS = (Status.DONE, Status.DIVERGED, Status.FAILED, Status.RUNNING, Status.MISSING)
REASONS = 5  # of failures, the most frequent ones


def status_text(study: Study) -> str:
    """Return a line a cycle: trainings done, diverged, failed, running, missing; whether a run is at work, and the time left;
    why trainings failed, what is blocked, and whether environments are mixed. Writes nothing.
    """
    driver = activity(study.store)  # first: what is recorded since then is not running
    snapshot = Snapshot.take(study)
    counts = snapshot.counts(driver.running)
    lines = [
        *_counts_lines(counts),
        _driver_line(driver, counts, study.store.folder / "lock"),
        *_time_left(driver, counts, snapshot.seconds_each),
        *_failure_lines(snapshot.failures()),
        *(f"{one.trajectory} is blocked from cycle {one.cycle} on: {one.reason}" for one in snapshot.blocked),
    ]
    return "\n".join(line for line in (*lines, mixture(snapshot.records)) if line)


def duration_text(seconds: float) -> str:
    """Return a time in words, as exact as a prediction deserves."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60}:{minutes % 60:02d} h"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _counts_lines(counts: StatusCounts) -> list[str]:
    lines = ["cycle    done  diverged  failed  running  missing"]
    rows = [(f"{cycle:5d}", of_cycle) for cycle, of_cycle in counts.by_cycle.items()]
    for name, numbers in [*rows, ("  all", sum(counts.by_cycle.values(), Counter()))]:
        done, diverged, failed, running, missing = (numbers[status] for status in COLUMNS)
        lines.append(f"{name}  {done:6d}  {diverged:8d}  {failed:6d}  {running:7d}  {missing:7d}")
    return [*lines, f"recorded: {counts.recorded} of {counts.total_text} trainings"]


def _driver_line(driver: Activity, counts: StatusCounts, lock: Path) -> str:
    if driver.at_work:
        since = f" since {_when(driver.began)}" if driver.began else ""
        return f"a run is at work{since}; it trains {counts.count(Status.RUNNING)} now"
    if driver.cut_off:
        return f"no run is at work: the last one, begun {_when(driver.began)}, was cut off; `silo-oracle run` goes on"
    if driver.damaged:
        return f"no run is at work; of the last one nothing is known: {lock} holds what no run wrote"
    return "no run is at work" + (f"; the last run or merge ended {_when(driver.ended)}" if driver.ended else "")


def _time_left(driver: Activity, counts: StatusCounts, seconds_each: float | None) -> list[str]:
    left, most = counts.count(Status.RUNNING, Status.MISSING), "at most " if counts.at_most else ""
    if not left:
        return []
    if driver.pace is not None:
        return [f"time left: {most}{duration_text(left * driver.pace)}, by the pace of this run"]
    if seconds_each is None:
        return ["time left: known after the first training"]
    whole = duration_text(left * seconds_each)
    return [f"time left: {most}{whole}, divided by the workers (a training took {seconds_each:.2f} s)"]


def _failure_lines(failures: Mapping[str, Sequence[Cell]]) -> list[str]:
    by_reason = sorted(failures.items(), key=lambda item: -len(item[1]))
    lines = [f"failed: {_cells_text(cells)}: {reason}" for reason, cells in by_reason[:REASONS]]
    if others := len(by_reason) - len(lines):
        lines.append(f"failed: {others} other reason{'s' if others > 1 else ''}")
    return lines


def _cells_text(cells: Sequence[Cell]) -> str:
    """How many, and what they have in common, or how far they differ."""
    rates, cycles, seeds = (sorted({getattr(cell, name) for cell in cells}) for name in ("max_lr", "cycle", "seed"))
    parts = [("max_lr", [f"{rate:.4g}" for rate in rates]), ("cycle", cycles), ("seed", seeds)]
    where = "; ".join(f"{name} {_range_text(values)}" for name, values in parts)
    return f"{len(cells)} training{'s' if len(cells) > 1 else ''} ({where})"


def _range_text(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values)) if len(values) <= 3 else f"{values[0]} to {values[-1]}"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
