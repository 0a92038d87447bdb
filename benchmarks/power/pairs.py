"""How often `compare` is right about two studies whose truths are known: does the one's optimum grow more than the other's?

`python -m benchmarks.power.pairs [--to DIR] [--studies N]`; four minutes of one core.
"""

import argparse
import math
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.power.draw import draw
from benchmarks.power.measure import LEVEL
from benchmarks.power.truths import COMPARED, KINDS, Truth
from oracle.report.tables.markdown import markdown
from oracle.stats.path import Slope, excess
from oracle.stats.response import responses
from oracle.stats.rules import judge_growth

SIZES = "QDCMN"
PAIRS: dict[str, tuple[dict, dict]] = {
    "still and still": ({}, {}),
    "x2 and x2": ({"growth": 2.0}, {"growth": 2.0}),
    "x4 and x4": ({"growth": 4.0}, {"growth": 4.0}),
    "x2 and x2, 3 seeds": ({"growth": 2.0, "seeds": 3}, {"growth": 2.0, "seeds": 3}),
    "x2 and x2, 6 cycles": ({"growth": 2.0, "cycles": 6}, {"growth": 2.0, "cycles": 6}),
    "x2 and x2, a cliff": ({"growth": 2.0}, {"growth": 2.0, "curve": "cliff"}),
    "x2 and x2, asymmetric": ({"growth": 2.0}, {"growth": 2.0, "curve": "asymmetric"}),
    "still and still, a cliff": ({}, {"curve": "cliff"}),
    "x2 and x2, growing noise": ({"growth": 2.0}, {"growth": 2.0, "noise": "growing"}),
    "x2 and x2, jitters by training": ({"growth": 2.0}, {"growth": 2.0, "jitter": "training"}),
    "still and x2": ({}, {"growth": 2.0}),
    "x2 and x4": ({"growth": 2.0}, {"growth": 4.0}),
    "still and x4": ({}, {"growth": 4.0}),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write pairs.csv and pairs.md; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power.pairs", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("results/power"), metavar="DIR", help="default: results/power")
    parser.add_argument("--studies", type=int, default=200, metavar="N", help="pairs of each kind; default: 200")
    options = parser.parse_args(arguments)
    table = pd.DataFrame(rows(options.studies))
    options.to.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.to / "pairs.csv", index=False, lineterminator="\n")
    (options.to / "pairs.md").write_text(page(table), encoding="utf-8")
    print(page(table))
    return 0


def rows(studies: int, sizes: str = SIZES) -> Iterator[dict]:
    """Return a row a pair of truths and size of study: how often (0 to 1) less, more, and the truth inside the interval.

    Args:
        studies: pairs of each kind.
        sizes: of ``benchmarks.power.truths``, a letter each.
    """
    for size in sizes:
        for words, (one, other) in PAIRS.items():
            first, second = Truth(size, **one), Truth(size, **other)
            real = math.log2(second.growth / first.growth)
            found = [
                excess(theirs, own)
                for own, theirs in zip(_slopes(first, 1, studies), _slopes(second, 2, studies), strict=True)
            ]
            yield {
                "truths": words,
                "kind": size,
                "true_ratio": 2**real,
                "studies": studies,
                "less": float(np.mean([one.high < 0 for one in found])),
                "more": float(np.mean([one.low > 0 for one in found])),
                "held": float(np.mean([one.low <= real <= one.high for one in found])),
                "median_ratio": round(float(2 ** np.median([one.estimate for one in found])), 3),
            }


@cache
def _slopes(truth: Truth, place: int, studies: int) -> list[Slope]:
    """Growth in studies of a truth; those of the first and the second of a pair share no luck."""
    stream = zlib.crc32(repr(truth).encode())
    found = []
    for number in range(studies):
        study, _ = draw(truth, np.random.default_rng([place, stream, number]))
        found.append(judge_growth(study, responses(study), LEVEL).growth)
    return found


def page(table: pd.DataFrame) -> str:
    """Return the table for readers, in percent."""
    wrong = 100 * table.loc[table.true_ratio == 1, ["less", "more"]].to_numpy()
    percents = {name: [f"{100 * one:.1f}%" for one in table[name]] for name in ("less", "more", "held")}
    ratios = {name: [f"{one:.3g}" for one in table[name]] for name in ("true_ratio", "median_ratio")}
    shown = (
        table.assign(**percents, **ratios).drop(columns="studies").rename(columns=lambda name: name.replace("_", " "))
    )
    sizes = KINDS | COMPARED
    kinds = "; ".join(f"{kind}: {sizes[kind].like}" for kind in dict.fromkeys(table.kind))
    shares = {
        "same": f"{wrong.mean():.1f}% to either side, in {wrong.max():.1f}% in the worst row",
        "held": f"{100 * table.held.min():.0f}% to {100 * table.held.max():.0f}%",
        "twice": ", ".join(
            f"{100 * rows.min():.0f}% to {100 * rows.max():.0f}% (kind {kind})"
            for kind, rows in table[table.true_ratio == 2].groupby("kind", sort=False).more
        ),
    }
    return f"""# Two studies compared

Made by `python -m benchmarks.power.pairs`: {table.studies.iloc[0]} pairs of simulated studies a row.
`silo-oracle compare` says by which factor the optimum of the second grows more than that of the first, with an interval that
is to hold in 90%.

- Where both grow alike, a difference is shown, falsely, in {shares["same"]}.
  The aim was 5% over all rows, and 10% in any one.
- The interval holds the truth in {shares["held"]} of pairs.
- A true ratio of 2 is shown in {shares["twice"]}.

**less** (**more**): the share of pairs whose interval lies below (above) 1. **held**: the share whose interval holds the true
ratio. The standard error is 1.5 points at 5%. **kind**: of the size of
{kinds}
([how truths and sizes are defined](README.md)). The studies of a pair share no luck; runs that share trainings do, and differ
by less than their intervals allow for.

{markdown(shown)}
"""


if __name__ == "__main__":
    raise SystemExit(main())
