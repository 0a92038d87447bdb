"""Sizes and powers of every verdict over simulated studies with a known truth.

`python -m benchmarks.power [--to DIR] [--studies N] [--workers N]`; a quarter of an hour on two cores.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.power.cells import cells
from benchmarks.power.report import write
from benchmarks.power.table import tabulate


def main(arguments: Sequence[str] | None = None) -> int:
    """Write README.md, power.csv, power.png, power.svg and power.pdf; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("results/power"), metavar="DIR", help="default: results/power")
    parser.add_argument("--studies", type=int, default=200, metavar="N", help="of each truth; default: 200")
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N", help="processes; they change no number; default: 2"
    )
    options = parser.parse_args(arguments)
    with multiprocessing.Pool(options.workers) as pool:
        table = tabulate(cells(), options.studies, pool.imap)
    write(table, options.studies, options.to)
    print((options.to / "README.md").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
