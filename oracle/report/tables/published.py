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

MAX_DIFFERENCE = 0.02  # between the weights remaining as published and ours, as a share of ours


def _accuracy(value: Any) -> tuple[float, float | None]:
    mean, std = value if isinstance(value, tuple) and len(value) == 2 else (value, 0.0)
    if not all(type(number) in (int, float) and 0 <= number <= 100 for number in (mean, std)):
        raise ValueError("must be a percentage from 0 to 100, or [mean, standard deviation] of such")
    return float(mean), float(std) if isinstance(value, tuple) else None


def _not_empty(value: Any) -> Any:
    if not value or (isinstance(value, str) and not value.strip()):
        raise ValueError("must not be empty")
    return value


Text = Annotated[str, AfterValidator(_not_empty)]
Weights = Annotated[float, Field(gt=0, le=100)]
Accuracy = Annotated[tuple[float, float | None], BeforeValidator(_accuracy)]
PublishedAccuracies = Annotated[dict[Weights, Accuracy], AfterValidator(_not_empty)]


class Published(Strict):
    """A file of published figures.

    Attributes:
        source: where the figures stand; shown with them.
        experiment: the name of the experiment that they stand beside.
        accuracy: policy -> weights remaining (percent) -> test accuracy (percent), or [mean, standard deviation].
    """

    model_config = ConfigDict(title="published figures")  # as errors call it

    source: Text
    experiment: str
    accuracy: Annotated[dict[Text, PublishedAccuracies], AfterValidator(_not_empty)]


def read_published(path: Path, experiments: Mapping[str, pd.DataFrame]) -> tuple[str, pd.DataFrame]:
    """Read a file of published figures.

    Args:
        path: a YAML file of the fields of :class:`Published`.
        experiments: name -> its accuracies (policies of :mod:`oracle.report.tables.paper_table`), of which cycle and
            weights_remaining say where a figure belongs: to the cycle whose weights remaining, rounded to the digits that
            the file gives, are the file's, and at most 2% apart.

    Returns:
        The name of the experiment that the figures belong to, and the figures, a row each, with the columns policy,
        cycle, weights_remaining (ours, percent), test and test_std (percent; NaN: not given), source.

    Raises:
        InputError: the file can't be read, or something in it is wrong.
    """
    tree = read(path, Published)
    published = validate(tree, str(path), Published)
    if published.experiment not in experiments:
        raise InputError(f"{path}: experiment {must_be_one_of(experiments, published.experiment)}")
    policies = experiments[published.experiment]
    weights = policies.dropna(subset="weights_remaining").groupby("cycle").weights_remaining.max()
    source = " ".join(published.source.split())
    rows: list[dict[str, Any]] = []
    for policy, accuracies in published.accuracy.items():
        key_of: dict[int, str] = {}
        for remaining, (mean, std) in accuracies.items():
            key = f"accuracy.{policy}.{remaining:g}"
            cycle = _cycle(remaining, weights, f"{path}: {key}")
            if cycle in key_of:
                raise InputError(f"{path}: {key} must be of another cycle than {key_of[cycle]}, got cycle {cycle}")
            key_of[cycle] = key
            row = {"policy": policy, "cycle": cycle, "weights_remaining": weights[cycle], "test": mean}
            rows.append(row | {"test_std": std, "source": source})
    columns = ["policy", "cycle", "weights_remaining", "test", "test_std", "source"]
    return published.experiment, pd.DataFrame(rows, columns=columns).astype({"cycle": int, "test_std": float})


def decimal_places(number: float) -> int:
    """How many decimals the shortest way to write a number has: 1 of 51.2, none of 51.0."""
    return max(0, -Decimal(repr(float(number))).normalize().as_tuple().exponent)


def _cycle(remaining: float, weights: pd.Series, field: str) -> int:
    """The cycle whose weights remaining (percent, by cycle) are those of a file, as precisely as these are written.

    field: the file and the field, for the message of the InputError that is raised where there is no such cycle.
    """
    difference = ((weights - remaining) / weights).abs().sort_values(kind="stable")
    close = difference.index[difference <= MAX_DIFFERENCE]
    same = [cycle for cycle in close if round(weights[cycle], decimal_places(remaining)) == remaining]
    if not same:
        near = ", ".join(f"{weights[cycle]:.3g} (cycle {cycle})" for cycle in sorted(difference.index[:2]))
        expected = f"the weights remaining (%) of a cycle; nearest: {near or 'none is known'}"
        raise InputError(f"{field} must be {expected}, got {remaining:g}")
    return same[0]
