"""How far one driver reaches: the very searcher and queue of a run, with up to 1,000 pretended workers in its own process.

    python benchmarks/driver.py [--to results/overhead]      # a minute

Nothing is trained and no Ray is started: a worker is a handle that takes what it is assigned, and its record is written
before the clock goes on. So it is what the suite's own part of a driver costs; Tune's, 5 to 8 ms a result, comes on top.

assigned_per_s  trainings that the driver could hand out a second, were it alone the limit
ms              median and 99th percentile of the time from a result to the worker's next assignment
mb              what the driver's memory grew by, from before the queue and the workers were there to the end
"""

import argparse
import io
import platform
import resource
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from benchmarks.overhead import DATA, Sleeper, independent
from oracle.plan.trajectories import Trajectories
from oracle.report.tables.markdown import markdown
from oracle.run.progress import Progress
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.store import Store

CELLS = 10_000
WORKERS = (10, 100, 1000)


class Handle:
    """Stands for a worker's actor: keeps what it is assigned."""

    def __init__(self) -> None:
        self.assign, self.jobs, self.last = self, [], False

    def remote(self, jobs: Sequence[Job], last: bool = False) -> None:
        """Take the next assignment, as ``actor.assign.remote`` does."""
        self.jobs, self.last = list(jobs), last


def driven(workers: int, cells: int, folder: Path) -> dict[str, Any]:
    """One row of the table: all cells handed out to so many workers, one training each at a time."""
    from oracle.run.ray.searcher import ReadyQueueSearcher

    before, store = _memory(), Store(folder)
    trajectories = Trajectories(independent(cells, workers), DATA, store)
    worker = Sleeper(store, 0.0)
    with Progress(Console(file=io.StringIO()), trajectories, cells, 0) as progress:
        searcher = ReadyQueueSearcher(ReadyQueue(trajectories), store, progress, lambda: workers)
        handles = {f"trial {number}": Handle() for number in range(workers)}
        for trial in handles:
            searcher.suggest(trial)
        waiting, times, assigned = deque(), [], 0
        for trial, handle in handles.items():
            searcher.on_trial_result(trial, {"worker": handle, "lanes": 1})
            waiting.append(trial)
        while waiting:
            trial = waiting.popleft()
            jobs = handles[trial].jobs
            if not jobs:
                continue
            worker.run(*jobs)  # the record, which a real worker writes where it is
            began = time.perf_counter()
            searcher.on_trial_result(trial, {"cells": [job.cell.id for job in jobs]})
            times.append(time.perf_counter() - began)
            assigned += len(jobs)
            waiting.append(trial)
        if searcher.error is not None:
            raise searcher.error
    assert assigned == cells, "not every training was handed out"
    return {
        "workers": workers,
        "cells": cells,
        "assigned_per_s": round(assigned / sum(times)),
        "ms": f"{1e3 * statistics.median(times):.2f}, {1e3 * statistics.quantiles(times, n=100)[98]:.2f}",
        "mb": round(_memory() - before),
    }


def _memory() -> float:
    """This process's resident memory, MB; its peak where the system doesn't tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """All rows, into DIR/driver.csv and DIR/driver.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("results/overhead"), metavar="DIR")
    parser.add_argument("--cells", type=int, default=CELLS)
    requested = parser.parse_args(arguments)
    rows = []
    # each in a process of its own: what an earlier one left free would hide what the next one takes
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(processes.submit(driven, workers, requested.cells, Path(folder)).result())
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    requested.to.mkdir(parents=True, exist_ok=True)
    table.to_csv(requested.to / "driver.csv", index=False)
    made = f"Made by `python benchmarks/driver.py` on {platform.machine()}, Python {platform.python_version()}."
    text = __doc__[__doc__.index("Nothing is") :].replace("\nassigned_per_s", "\n```\nassigned_per_s")
    (requested.to / "driver.md").write_text(f"# One driver\n\n{made} {text}```\n\n{markdown(table.astype(str))}\n")


if __name__ == "__main__":
    main()
