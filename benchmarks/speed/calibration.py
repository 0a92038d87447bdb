"""What `plan --calibrate` predicts against what `run` then takes, for small sweeps of the kinds of experiments in benchmarks/.

    python benchmarks/speed/calibration.py [--cifar data/cifar10-jpeg] [--workers 2] [--repeats 3] [--to results/speed]

A row is a prediction and, right after it, the run that it was made for, each in a process of its own.

predicted_s  what `plan --calibrate` printed
sweep_s      from the start of Ray until it is gone: what is predicted (as the run folder's lock has it)
ratio        predicted_s / sweep_s
run_s        the whole command: with its imports, the data and the report
others       percent of the cores that other programs took while it was calibrated, where the plan says so
load         the machine's, over the minute before the run's end: undisturbed it is no more than the workers
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from oracle.study.environment import current_environment

HERE = Path(__file__).parents[1]
# what is changed: cycles, epochs, seeds, values and images are fewer, so that each takes about a minute on two cores
DIGITS = {
    "MLP, digits": ("digits-mlp.yaml", ["prune.cycles=6", "oracle.seeds=2"]),
    "small CNN, digits": (
        "digits-mlp.yaml",
        ["model={name: small-cnn}", "prune.cycles=4", "oracle.seeds=1", "policies.baselines={cosine: {shape: cosine}}"],
    ),
}
CIFAR = {
    "small CNN, CIFAR-10": (
        "cifar10-policies.yaml",
        [
            "prune.cycles=2",
            "oracle.seeds=1",
            "data.limit={train: 4000, test: 2000}",
            "train.epochs=3",
            "train.shape.drops={2ep: 0.1}",
            "policies.baselines={lr-rewinding: {restart: keep}, cosine: {shape: cosine}}",
        ],
    ),
    "ResNet-20, CIFAR-10": (
        "paper/resnet20-cifar10.yaml",
        [
            "prune.cycles=2",
            "oracle.seeds=1",
            "oracle.grid=[0.01, 0.03, 0.1]",
            "data.source=folder",
            "data.limit={train: 2500, test: 500}",
            "train.epochs=2",
            "train.shape.drops={1ep: 0.1}",
            "compute.gpus_per_trial=0",
            "policies.baselines={cosine: {shape: cosine}}",
        ],
    ),
}


def command(name: str, file: Path, changes: Sequence[str], out: Path, *more: str) -> tuple[str, float]:
    """Run a command of ours; returns what it prints, and the seconds that it takes."""
    sets = [word for change in changes for word in ("--set", change)]
    began = time.perf_counter()
    printed = subprocess.run(
        [sys.executable, "-m", "oracle.cli", name, file, *sets, "--out", out, *more],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return printed, time.perf_counter() - began


def measured(file: Path, changes: Sequence[str]) -> dict[str, Any]:
    """Calibrate, then run, an experiment file with these changes; returns what a row says of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        plan, _ = command("plan", file, changes, out, "--calibrate")
        _, run_s = command("run", file, changes, out)
        sweep = json.loads((out / "lock").read_text())
    predicted = float(re.search(r"^predicted: ([\d.]+) s", plan, re.MULTILINE)[1])
    trainings = int(re.search(r" for (\d+) trainings", plan)[1])
    others = re.search(r"(\d+)% of the cores", plan)
    sweep_s = sweep["ended"] - sweep["at"]
    return {
        "trainings": trainings,
        "predicted_s": predicted,
        "sweep_s": round(sweep_s, 1),
        "ratio": round(predicted / sweep_s, 3),
        "run_s": round(run_s, 1),
        "others": int(others[1]) if others else 0,
        "load": round(os.getloadavg()[0], 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every experiment in turn, as often as the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("results/speed"), metavar="DIR")
    parser.add_argument("--cifar", type=Path, metavar="DIR", help="CIFAR-10 as image files; without it digits alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", metavar="NAME", help="the experiments with this in their name")
    options = parser.parse_args(arguments)
    cifar = CIFAR if options.cifar else {}
    experiments = DIGITS | {
        name: (file, [*changes, f"data.path={options.cifar}"]) for name, (file, changes) in cifar.items()
    }
    here = current_environment(torch.device("cpu"))
    versions = f"Python {here['python']}, torch {here['torch']}, ray {version('ray')}"
    where = {"workers": options.workers, "device": here["device"], "cores": os.cpu_count(), "versions": versions}
    options.to.mkdir(parents=True, exist_ok=True)
    rows = []
    for _ in range(options.repeats):
        for name, (file, changes) in experiments.items():
            if options.only not in name:
                continue
            row = measured(HERE / file, [*changes, f"compute.workers={options.workers}"])
            rows.append({"experiment": name, **row, **where})
            print(rows[-1], flush=True)
            table = pd.DataFrame(rows).sort_values("experiment", kind="stable")
            table.to_csv(options.to / "calibration.csv", index=False)


if __name__ == "__main__":
    main()
