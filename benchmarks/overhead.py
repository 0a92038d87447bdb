"""What a sweep costs beside its trainings: cells that sleep for a known time, through the very Ray path of `silo-oracle run`.

    python benchmarks/overhead.py [--to results/overhead]      # 10 minutes, on a machine that does nothing else

A row is a sweep in a driver of its own. Of its start-up nothing counts: the clock starts once every worker has begun its
first cell, and ends with the last record. Each cell writes all that a training writes: attempts, a record with its curve.

efficiency   time slept / (workers x time on the clock)
overhead_ms  of a cell: (workers x time on the clock - time slept) / cells
driver_mb    peak of the driver's resident memory
"""

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from oracle.experiment.load import validate
from oracle.experiment.spec import Experiment
from oracle.plan.trajectories import Trajectories
from oracle.report.tables.markdown import markdown
from oracle.run.progress import Progress
from oracle.run.ray.sweep import train_on_ray
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.data_info import DataInfo
from oracle.study.record import Layer, Record
from oracle.study.store import Event, Store
from silo.outcome import Epoch, Outcome

# cells, seconds each, workers
ROWS = [(cells, seconds, n) for cells, seconds in ((100, 2.0), (1000, 0.05)) for n in (1, 2, 4)]
ROWS.append((10_000, 0.05, 4))
DATA = DataInfo("no data", None, 10.0, 10, 200, 100, 50, 50)
EPOCHS, LAYERS = 20, 12  # how long a record is


class Sleeper:
    """Stands for a worker: each training takes so many seconds, and no processor."""

    def __init__(self, store: Store, seconds: float) -> None:
        self.store, self.seconds, self.lanes = store, seconds, 1

    def run(self, *jobs: Job) -> None:
        """Sleep, and record what real trainings would."""
        for job in jobs:
            self._run(job)

    def _run(self, job: Job) -> None:
        cell, who = job.cell, os.getpid()
        self.store.log_attempt(cell=cell.id, event=Event.STARTED, worker=who)
        time.sleep(self.seconds)
        accuracies = dict.fromkeys(("validation", "test", "final_validation", "final_test"), 90.0)
        curve = (Epoch(loss=0.1, validation=90.0, test=90.0),) * EPOCHS
        self.store.write_record(
            Record(
                id=cell.id,
                cell=cell,
                outcome=Outcome(diverged=False, chosen_epoch=1, steps=EPOCHS, curve=curve, **accuracies),
                alive=100 * LAYERS,
                prunable=100 * LAYERS,
                layers=tuple(Layer(f"layers.{layer}.weight", 100, 100) for layer in range(LAYERS)),
                leaves="none",
                environment={"device": "none"},
                stepping="none",
                seconds=self.seconds,
            )
        )
        self.store.log_attempt(cell=cell.id, event=Event.RECORDED, worker=who)


class Sleepers:
    """Begins a worker, as oracle.run.worker_factory.WorkerFactory does."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds

    def __call__(self, dataset: None) -> Sleeper:
        """No data is needed."""
        return Sleeper(Store(self.folder), self.seconds)


def independent(cells: int, workers: int) -> Experiment:
    """An experiment of so many cells, none of which waits for another: 10 grid values, SILO's among them; one cycle."""
    return validate(
        {
            "name": "overhead",
            "data": "digits",
            "model": "mlp",
            "train": {"epochs": EPOCHS, "batch_size": 64, "momentum": 0.9, "weight_decay": 0.0, "shape": "constant"},
            "prune": {"criterion": "random", "scope": "global", "rate": 0.2, "cycles": 1, "restart": "reinit"},
            "silo": {"epsilon": 0.1, "delta": 0.0, "beta": 5.0, "delay": 1},
            "oracle": {"grid": [0.1 * value for value in range(1, 11)], "seeds": cells // 10},
            "compute": {"workers": workers},
        },
        "overhead",
    )


def sweep(cells: int, seconds: float, workers: int, folder: Path) -> None:
    """One sweep, in this process."""
    experiment, store = independent(cells, workers), Store(folder)
    trajectories = Trajectories(experiment, DATA, store)
    with Progress(Console(file=io.StringIO()), trajectories, cells, 0) as progress:
        train_on_ray(ReadyQueue(trajectories), Sleepers(folder, seconds), None, experiment.compute, store, progress)


def measured(cells: int, seconds: float, workers: int) -> dict[str, Any]:
    """One row of the table; the sweep runs in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--row", *map(str, (cells, seconds, workers)), folder]
        driver = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        attempts = Store(Path(folder)).attempts()
    first: dict[int, float] = {}
    for entry in attempts:
        first[entry["worker"]] = min(first.get(entry["worker"], entry["at"]), entry["at"])
    began, ended = max(first.values()), max(entry["at"] for entry in attempts)
    recorded = [entry["at"] for entry in attempts if entry["event"] == "recorded"]
    assert (len(first), len(recorded)) == (workers, cells), "not every worker worked, or not every cell was recorded"
    # a cell under way when the clock starts counts with the rest of it
    slept = [min(seconds, at - began) for at in recorded if at > began]
    paid, useful = workers * (ended - began), sum(slept)
    return {
        "cells": cells,
        "seconds": seconds,
        "workers": workers,
        "wall_s": round(ended - began, 2),
        "efficiency": round(useful / paid, 4),
        "overhead_ms": round(1000 * (paid - useful) / len(slept), 1),
        "start_s": round(began - driver["began"], 1),
        "driver_mb": round(driver["peak_mb"]),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """All rows, or, in a driver of its own, one sweep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("results/overhead"), metavar="DIR")
    parser.add_argument("--row", nargs=4, metavar=("CELLS", "SECONDS", "WORKERS", "DIR"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.row:
        cells, seconds, workers, folder = asked.row
        began = time.time()
        sweep(int(cells), float(seconds), int(workers), Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"began": began, "peak_mb": peak}))
        return
    rows = []
    for row in ROWS:
        rows.append(measured(*row))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    asked.to.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.to / "overhead.csv", index=False)
    versions = ", ".join(f"{name} {version(name)}" for name in ("ray", "torch"))
    where = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {versions}"
    told = __doc__[__doc__.index("A row is") :].replace("\nefficiency", "\n```\nefficiency")
    made = f"Made by `python benchmarks/overhead.py` on {where}."
    text = f"# Overhead of a sweep\n\n{made} {told}```\n\n{markdown(table.astype(str))}\n"
    (asked.to / "README.md").write_text(text)


if __name__ == "__main__":
    main()
