"""How likely the published studies were to decide: what `plan` says of studies of their size, as a table.

    python -m benchmarks.planned [--to results/planned]      # a minute of one core

By the noise and curvature of their own trainings, as `plan --pilot` takes them, which says what such a study can decide if
it is made again; and, where it was said before the judging seeds were run, by that of the trainings that chose epsilon.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from oracle.analysis.power import STUDIES, Pilot, powers
from oracle.analysis.results import Results, load_results
from oracle.error import InputError
from oracle.experiment.search import SearchKind
from oracle.report.tables.markdown import markdown
from oracle.stats.judgement import Judgement

RESULTS = Path("results")
# noise and curvature, in points, that the heads of the experiment files state
BEFORE = {
    "cifar10-cnn": (0.6, 0.55),
    "mnist1d-cnn-factors/base": (1.9, 4.0),
    "mnist1d-cnn-factors/epochs/x4": (0.45, 1.8),
}
TRUTHS = ("right", "still", "off")  # in the order of oracle.analysis.power.scenarios
TITLES = (
    "If SILO is right: the best max_lr is SILO's in every cycle",
    "If nothing moves: it stays where SILO begins",
    "If SILO is off: it is a third of SILO's, or three times it, to the side that the grid covers more of",
)


def main() -> None:
    """Write planned.csv and README.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=RESULTS / "planned", metavar="FOLDER")
    folder = parser.parse_args().to
    table = pd.DataFrame(row for name in judged_runs(RESULTS) for row in rows(name, load_results(RESULTS / name)))
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "planned.csv", index=False, lineterminator="\n")
    (folder / "README.md").write_text(page(table), encoding="utf-8")
    print(page(table))


def judged_runs(results: Path) -> list[str]:
    """Return the published runs whose whole grid was trained, by name."""
    found = sorted(results.glob("**/experiment.json"))
    search = [json.loads(path.read_text(encoding="utf-8"))["experiment"]["oracle"]["search"] for path in found]
    whole = [path.parent for path, one in zip(found, search, strict=True) if one["kind"] == SearchKind.EXHAUSTIVE]
    return [str(folder.relative_to(results)) for folder in whole]


def rows(name: str, results: Results, studies: int = STUDIES) -> Iterator[dict]:
    """Return, for each origin of the noise, thing that may be true and claim, how often it is judged how.

    Args:
        name: of the run.
        results: of it.
        studies: simulated for each thing that may be true.
    """
    origins = {"its own trainings": lambda: Pilot.of(RESULTS / name)}
    if name in BEFORE:
        origins |= {"said before": lambda: Pilot.stated(*BEFORE[name])}
    for origin, pilot in origins.items():
        try:
            known = pilot()
        except InputError:  # it can't tell its noise
            continue
        noise = float(np.median(known.noise_chosen))
        found = powers(results.experiment, results.data, known, studies, search_studies=0)
        for truth, power in zip(TRUTHS, found, strict=True):
            for claim, shares in power.shares.items():
                right = power.scenario.right[claim]
                wrong = next(one for one in (Judgement.CONFIRMED, Judgement.REFUTED) if one is not right)
                yield {
                    "run": name,
                    "noise of": origin,
                    "noise": float(f"{noise:.3g}"),
                    "bend below": float(f"{known.left:.3g}"),
                    "bend above": float(f"{known.right:.3g}"),
                    "if": truth,
                    "optimum": f"x{power.scenario.truth.optimum[0] / power.scenario.truth.silo[0]:.2g} of SILO's",
                    "beyond the grid": f"{power.scenario.beyond} of {results.experiment.prune.cycles} cycles",
                    "claim": claim,
                    "right verdict": str(right),
                    "right": shares[right],
                    "wrong": shares[wrong],
                    "studies": studies,
                }


def page(table: pd.DataFrame) -> str:
    """Return the tables for readers, one for each thing that may be true: percent of studies with the right verdict."""
    parts = [_part(table[table["if"] == truth], title) for truth, title in zip(TRUTHS, TITLES, strict=True)]
    return f"""# How likely the published studies were to decide

Made by `python -m benchmarks.planned`: {table.studies.iloc[0]} simulated studies of each, judged by the rules that
judge the real ones, as `silo-oracle plan` does ([how](../../oracle/README.md#plan)). So a share is known to within 10 points.
Claim 2 isn't simulated.

**How to read a cell.** "no 15%, wrong 3%": the claim is false; 15% of studies refute it, 3% confirm it, and 82% decide
nothing. "yes": the claim is true. Whether the rival is true hangs on the curvature: *yes* means that no constant would do.

**Noise of.** *its own trainings*: what such a study shows if it is made again (`plan --pilot`). *said before*: of the trainings
that chose epsilon, as the head of the experiment file has it, before any judging seed was run. Noise is a training's standard
deviation (the median over cycles), bend the points lost a doubling below and above the best. Curves are parabolas, alike in
all cycles: a real study shows somewhat less.

{"".join(parts).rstrip()}
"""


def _part(table: pd.DataFrame, title: str) -> str:
    cells = [
        f"{judged} {100 * right:.0f}%{f', wrong {100 * wrong:.0f}%' if wrong else ''}"
        for judged, right, wrong in zip(
            table["right verdict"].map({"confirmed": "yes", "refuted": "no"}), table.right, table.wrong, strict=True
        )
    ]
    bends = table["bend below"].map("{:g}".format) + ", " + table["bend above"].map("{:g}".format)
    shown = table.assign(cell=cells, bend=bends, noise=table.noise.map("{:g}".format))
    index = ["run", "noise of", "noise", "bend"]
    if (table["if"] == "off").all():
        index += ["optimum", "beyond the grid"]
    wide = shown.pivot_table(index=index, columns="claim", values="cell", aggfunc="first", sort=False).reset_index()
    return f"## {title}\n\n{markdown(wide.astype(str))}\n"


if __name__ == "__main__":
    main()
