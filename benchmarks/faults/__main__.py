"""Disturb every command by signals and full disks, damage every kind of file, and see that nothing is lost or believed.

`python -m benchmarks.faults [--tries N] [--every K] [--seed N] [--workers N] [--to DIR]`; ten minutes on two cores.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from benchmarks.faults.commands import COMMANDS, make_home
from benchmarks.faults.damage import WAYS, Damages, damage, targets
from benchmarks.faults.report import write
from benchmarks.faults.tries import FULL, Outcome, attempt, can_mount, plan, undisturbed
from benchmarks.speed.place import place


def disturbed(template: Path, folder: Path, tries: int, seed: int, workers: int) -> list[Outcome]:
    """Return what became of every try of the plan; without full disks, where none can be made."""
    planned = plan(tries, seed)
    if not can_mount(folder):
        print("no small file system can be mounted here, which root can: no full disks are tried", flush=True)
        planned = [one for one in planned if one.kind != FULL]
    with ThreadPoolExecutor(workers) as pool:
        calm = dict(
            zip(COMMANDS, pool.map(lambda command: undisturbed(command, template, folder), COMMANDS), strict=True)
        )
        outcomes = []
        for outcome in pool.map(lambda one: attempt(one, calm[one.command], template, folder), planned):
            outcomes.append(outcome)
            if not outcome.well:
                print(outcome, flush=True)
        return outcomes


def damaged(template: Path, folder: Path, every: int, seed: int) -> list[Damages]:
    """Return what became of every file damaged in every way."""
    results = []
    for target in targets(template / "whole", folder):
        results += [damage(target, way, every, seed) for way in WAYS]
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the results; the exit code: 0 where all ended well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--tries", type=int, default=3, metavar="N", help="of a kind, for each command; default: 3")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="damage every K-th byte; default: 1")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is random; default: 0")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="commands at once; default: 2")
    parser.add_argument("--to", type=Path, default=Path("results/chaos"), metavar="DIR", help="default: results/chaos")
    options = parser.parse_args(arguments)
    began, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        template = make_home(folder / "template")
        damages = damaged(template, folder, options.every, options.seed)
        print(f"{sum(one.tried for one in damages)} damaged files in {time.monotonic() - began:.0f} s", flush=True)
        outcomes = disturbed(template, folder, options.tries, options.seed, options.workers)
    where = place(torch.device("cpu"))
    made = {
        "made by": f"`python -m benchmarks.faults --tries {options.tries} --every {options.every} --seed {options.seed} "
        f"--workers {options.workers}`",
        "device": f"{where.pop('device')}, {where.pop('cores')} cores",
        "versions": ", ".join(f"{name} {version}" for name, version in where.items()),
        "load average": f"{load:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end",
        "wall time": f"{time.monotonic() - began:.0f} s",
    }
    table = write(outcomes, damages, made, options.every, options.to)
    print(table.to_string())
    return 0 if (table.tried == table.ended_well).all() else 1


if __name__ == "__main__":
    sys.exit(main())
