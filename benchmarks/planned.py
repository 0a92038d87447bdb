"""How likely the published studies were to decide: what `plan` says of studies of their size, as a table.

    python -m benchmarks.planned [--to results/planned]      # a minute of one core

By the noise and curvature of their own trainings, as `plan --pilot` takes them, which says what such a study can decide if
it is made again; and, where it was said before the judging seeds were run, by that of the trainings that chose epsilon.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from oracle.analysis.power import STUDIES, Pilot, powers
from oracle.analysis.results import Results, load_results
from oracle.error import InputError
from oracle.report.tables.markdown import markdown
from oracle.stats.judgement import Judgement

RESULTS = Path("results")
# noise and curvature, in points, that the heads of the experiment files state
BEFORE = {
    "cifar10-cnn-h100": (0.6, 0.55),
    "mnist1d-cnn-factors/base": (1.9, 4.0),
    "mnist1d-cnn-factors/epochs/x4": (0.45, 1.8),
}
SHORT = {"If SILO is right": "right", "If nothing moves": "still"}


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
    found = sorted(path.parent for path in results.glob("**/experiment.json"))
    return [str(one.relative_to(results)) for one in found if load_results(one).experiment.oracle.search.is_exhaustive]


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
        for power in powers(results.experiment, results.data, known, studies, search_studies=0):
            for claim, shares in power.shares.items():
                right = power.scenario.right[claim]
                wrong = next(one for one in (Judgement.CONFIRMED, Judgement.REFUTED) if one is not right)
                yield {
                    "run": name,
                    "noise of": origin,
                    "if": SHORT.get(power.scenario.name, "off"),
                    "claim": claim,
                    "right verdict": str(right),
                    "right": shares[right],
                    "wrong": shares[wrong],
                    "studies": studies,
                }


def page(table: pd.DataFrame) -> str:
    """Return the table for readers: a row for each run and origin of the noise, percent of studies with the right verdict."""
    cell = [
        f"{judged}{100 * right:.0f}%{f', wrong {100 * wrong:.0f}%' if wrong else ''}"
        for judged, right, wrong in zip(
            table["right verdict"].map({"confirmed": "yes ", "refuted": "no "}), table.right, table.wrong, strict=True
        )
    ]
    columns = "if " + table["if"].map({"right": "SILO is right", "still": "nothing moves", "off": "off x3"})
    shown = table.assign(cell=cell, column=columns + ": " + table.claim)
    order = list(dict.fromkeys(shown.column))
    wide = shown.pivot_table(index=["run", "noise of"], columns="column", values="cell", aggfunc="first", sort=False)
    return f"""# How likely the published studies were to decide

Made by `python -m benchmarks.planned`: {table.studies.iloc[0]} simulated studies of each, judged by the rules that judge the
real ones, as `silo-oracle plan` does ([how](../../oracle/README.md#plan)). Claim 2 isn't simulated.

Each cell is the right verdict and how often it came: *yes* is confirmed, *no* refuted; *wrong* is the opposite; the rest
stayed undecided. **SILO is right**: the best max_lr is SILO's in every cycle. **Nothing moves**: it stays SILO's first.
**Off x3**: it is a third of SILO's, or three times it. Curves are parabolas, alike in all cycles: a real study shows
somewhat less. **Noise of**: the study's own trainings, as `plan --pilot` takes it, which says what such a study shows if it
is made again; *said before*: that of the trainings that chose epsilon, as the head of the experiment file has it.

{markdown(wide[order].reset_index())}
"""


if __name__ == "__main__":
    main()
