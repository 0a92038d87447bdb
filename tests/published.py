"""The published results, each loaded once by a test process; no test changes what it gets."""

from functools import cache
from pathlib import Path

from oracle.analysis.results import Results, load_results

RESULTS = Path(__file__).parents[1] / "results"


@cache
def published(name: str) -> Results:
    """The results that lie in results/NAME."""
    return load_results(RESULTS / name)
