"""Figures that somebody published, from a file that names their source, to stand beside ours in the accuracy table."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from oracle.error import InputError
from oracle.experiment.component import Strict
from oracle.experiment.load import read, validate
from oracle.experiment.message import must_be_one_of

APART = 0.02  # the most that weights remaining as published and as ours may differ, as a share of ours


def _figure(given: Any) -> tuple[float, float | None]:
    mean, std = given if isinstance(given, tuple) and len(given) == 2 else (given, 0.0)
    if not all(type(number) in (int, float) and 0 <= number <= 100 for number in (mean, std)):
        raise ValueError("allowed: percent, from 0 to 100, or [mean, standard deviation]")
    return float(mean), float(std) if isinstance(given, tuple) else None


def _not_empty(given: Any) -> Any:
    if not given or (isinstance(given, str) and not given.strip()):
        raise ValueError("allowed: not empty")
    return given


Text = Annotated[str, AfterValidator(_not_empty)]
Weights = Annotated[float, Field(gt=0, le=100)]
Figure = Annotated[tuple[float, float | None], BeforeValidator(_figure)]
Figures = Annotated[dict[Weights, Figure], AfterValidator(_not_empty)]


class Published(Strict):
    """source: where the figures stand, shown with them; experiment: the name of the one they stand beside;
    accuracy: policy -> weights remaining (percent) -> test accuracy (percent), or [mean, standard deviation].
    """

    model_config = ConfigDict(title="published figures")  # as errors call it

    source: Text
    experiment: str
    accuracy: Annotated[dict[Text, Figures], AfterValidator(_not_empty)]


def read_published(path: Path, experiments: Mapping[str, pd.DataFrame]) -> tuple[str, pd.DataFrame]:
    """The name of the experiment that a file's figures belong to, and the figures, a row each.

    experiments: name -> its accuracies (as in paper_table), of which cycle and weights_remaining say where a figure
    belongs: to the cycle whose weights remaining, rounded to the digits given, are the file's, and at most 2% apart.
    Columns: policy, cycle, weights_remaining (ours), test, test_std (NaN: not given), source. Raises InputError.
    """
    tree = read(path, Published)
    published = validate(tree, str(path), Published)
    if published.experiment not in experiments:
        raise InputError(f"{path}: experiment {must_be_one_of(experiments, published.experiment)}")
    frame = experiments[published.experiment]
    weights = frame.dropna(subset="weights_remaining").groupby("cycle").weights_remaining.max()
    rows: list[dict[str, Any]] = []
    for policy, figures in published.accuracy.items():
        given: dict[int, float] = {}
        for remaining, (mean, std) in figures.items():
            where = f"{path}: accuracy.{policy}.{remaining:g}"
            cycle = _cycle(remaining, weights, where)
            if cycle in given:
                raise InputError(f"{where}: cycle {cycle} again, as {given[cycle]:g} is; one figure a cycle is allowed")
            given[cycle] = remaining
            rows.append({"policy": policy, "cycle": cycle, "weights_remaining": weights[cycle], "test": mean})
            rows[-1] |= {"test_std": std, "source": " ".join(published.source.split())}
    columns = ["policy", "cycle", "weights_remaining", "test", "test_std", "source"]
    return published.experiment, pd.DataFrame(rows, columns=columns).astype({"cycle": int, "test_std": float})


def digits(number: float) -> int:
    """How many decimals the shortest way to write a number has: 1 of 51.2, none of 51.0."""
    return max(0, -Decimal(repr(float(number))).normalize().as_tuple().exponent)


def _cycle(remaining: float, weights: pd.Series, where: str) -> int:
    apart = ((weights - remaining) / weights).abs().sort_values(kind="stable")
    same = [cycle for cycle in apart.index[apart <= APART] if round(weights[cycle], digits(remaining)) == remaining]
    if not same:
        near = ", ".join(f"{weights[cycle]:.3g} (cycle {cycle})" for cycle in sorted(apart.index[:2]))
        raise InputError(f"{where}: no cycle has so many weights remaining; allowed, nearest: {near or 'none'}")
    return same[0]
