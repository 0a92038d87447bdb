"""A sweep with 1, 2 and 4 workers: how much of their time is training, and how much faster several are than one.

The experiment digits-mlp, shortened, by the very `silo-oracle run`, each time in a driver and a Ray of its own, in turns. The
clock starts once every worker has begun its first training, and ends with the last record. Training is what a record calls
its seconds: making the network, training, evaluating and pruning it; not: writing its record, Ray, waiting for a training
that must come before. Workers beyond the cores share them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.measure import Row
from oracle.study.store import Store

TITLE = "A sweep with 1, 2 and 4 workers"
FILE = Path(__file__).parents[1] / "digits-mlp.yaml"
SHORTENED = ("prune.cycles=4", "oracle.seeds=2")
WORKERS = (1, 2, 4)
ROUNDS = 6  # of all of them


@dataclass(frozen=True)
class Sweep:
    """One sweep on the clock.

    Attributes:
        workers: How many workers it had.
        wall: Seconds from start to end.
        trained: Seconds of training in them, summed over workers.
        trainings: Trainings done in them.
    """

    workers: int
    wall: float
    trained: float
    trainings: float

    @property
    def rate(self) -> float:
        """Trainings a second."""
        return self.trainings / self.wall


def measure(path: Path | None, shortened: Sequence[str] = SHORTENED, rounds: int = ROUNDS) -> list[Row]:
    """For every number of workers, the share of their time that is training; for several, their rate beside one's.

    The path is not used: the images are scikit-learn's digits.
    """
    turns = [{workers: swept(workers, shortened) for workers in WORKERS} for _ in range(rounds)]
    rows = []
    for workers in WORKERS:
        shares = [(turn[workers].trained, workers * turn[workers].wall) for turn in turns]
        goal = ">= 0.85" if workers == 2 else ""
        rows.append(Row.of("workers", f"{workers} at work: training / all their time", "s", shares, goal))
    for workers in WORKERS[1:]:
        rates = [(turn[workers].rate, turn[1].rate) for turn in turns]
        rows.append(Row.of("workers", f"{workers} workers / 1", "trainings/s", rates))
    return rows


def swept(workers: int, shortened: Sequence[str]) -> Sweep:
    """Run one sweep; raises CalledProcessError where it fails."""
    overrides = [part for one in (*shortened, f"compute.workers={workers}") for part in ("--set", one)]
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        command = [sys.executable, "-m", "oracle.cli", "run", str(FILE), "--out", folder, *overrides]
        # they find the suite, installed or not; and they start as a user's would, with no thread of torch's named
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return on_the_clock(Path(folder), workers)


def on_the_clock(folder: Path, workers: int) -> Sweep:
    """What a finished run folder says; a training under way when the clock starts counts with the rest of it."""
    logs = [
        [json.loads(line) for line in log.read_text().splitlines()] for log in (folder / "attempts").glob("*.jsonl")
    ]
    assert len(logs) == workers, f"{len(logs)} of {workers} workers trained"
    began = max(min(entry["at"] for entry in log) for log in logs)
    recorded = {entry["cell"]: entry["at"] for log in logs for entry in log if entry["event"] == "recorded"}
    store, ended = Store(folder), max(recorded.values())
    whole = {cell: store.record(cell).seconds for cell in recorded}
    within = {cell: max(0.0, min(whole[cell], at - began)) for cell, at in recorded.items()}
    trainings = sum(within[cell] / whole[cell] for cell in recorded)
    return Sweep(workers, ended - began, sum(within.values()), trainings)
