"""Measure how fast the suite trains, part by part, each a ratio of two ways that are measured in turns in one run.

Results go into the table and plot of --to; a part's rows replace those of its last run, and no others.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from benchmarks.speed import gpu, layouts, plain, released, report, workers
from benchmarks.speed.images import cifar10
from benchmarks.speed.place import place
from silo.data.error import DataError

PARTS = {"released": released, "plain": plain, "workers": workers, "gpu": gpu, "layouts": layouts}
ON_A_GPU = ("gpu", "layouts")  # to ask for the first is to ask for both


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; returns the exit code: 2, with one line on stderr, for a part or images that don't exist."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        epilog="A quarter of an hour on four cores. Nothing else should run meanwhile; `taskset` chooses the cores.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all that can be measured here by default"
    )
    parser.add_argument("--data", type=Path, help="CIFAR-10 as train/CLASS/*.jpg; without it images are made up")
    parser.add_argument("--to", type=Path, default=Path("results/speed"), metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        if unknown := [name for name in options.parts if name not in PARTS]:
            raise DataError(f"PART must be one of {', '.join(PARTS)}, got {unknown[0]!r}")
        if (missing := [name for name in options.parts if name in ON_A_GPU]) and not torch.cuda.is_available():
            raise DataError(f"PART {missing[0]} must have a CUDA GPU, got none visible here")
        cifar10(options.data, 100)
    except DataError as error:
        print(f"benchmarks.speed: {error}", file=sys.stderr)
        return 2
    images = "made up" if options.data is None else "CIFAR-10 (JPEG)"
    requested = {*options.parts, *(ON_A_GPU if "gpu" in options.parts else ())}
    possible = [name for name in PARTS if name not in ON_A_GPU or torch.cuda.is_available()]
    for name in [name for name in PARTS if name in requested] or possible:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        where = {**place(torch.device("cuda" if name in ON_A_GPU else "cpu")), "images": images}
        more = {"kept": options.to / "layouts.jsonl"} if name == "layouts" else {}
        rows = [{**asdict(row), **where} for row in PARTS[name].measure(options.data, **more)]
        table = report.replaced(report.read(options.to), pd.DataFrame(rows), PARTS)
        report.write(table, options.to, PARTS)
        print(report.text(table[table.part == name], PARTS), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
