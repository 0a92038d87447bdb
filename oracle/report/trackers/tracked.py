"""A study as trackers have it: one run for the whole, with its verdicts, and one for each training, with its curve."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from oracle.analysis.claims.verdict import Verdict
from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.experiment.spec import Experiment
from oracle.hashing import digest
from oracle.plain_text import one_line
from oracle.study.record import Status

MEASURED = ("validation", "test", "final_validation", "final_test", "chosen_epoch", "alive", "weights_remaining")
ROLES = ("candidate", "silo", "chain")


@dataclass(frozen=True)
class Tracked:
    """One run of a tracker.

    Attributes:
        id: 20 hexadecimal digits, the same whenever and wherever it is exported.
        name: for people.
        parameters: what it was made with.
        tags: texts.
        metrics: finite numbers; accuracies in percent.
        curve: metrics after every epoch; empty where they aren't known.
        failed: whether it ended by an error.
    """

    id: str
    name: str
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    curve: tuple[Mapping[str, float], ...] = ()
    failed: bool = False


def tracked_study(results: Results) -> Tracked:
    """Return the run of a whole study.

    Its parameters are the experiment's fields by dotted path, redacted as a publication is. A verdict is a tag, and its first
    number three metrics: ``claim-1``, ``claim-1.estimate``, ``claim-1.low``, ``claim-1.high``; so for ``rival``.

    Args:
        results: of a run folder or a publication.

    Raises:
        InputError: where nothing is recorded yet.
    """
    experiment = results.experiment
    if results.cells.empty:
        raise InputError(f"{experiment.name}: nothing is recorded yet that could be exported")
    tags, metrics = {}, {}
    for verdict in results.verdicts:
        name = _claim(verdict)
        tags |= {name: str(verdict.judgement), f"{name}.evidence": one_line(verdict.evidence)}
        for first in verdict.quantities[:1]:
            tags[f"{name}.quantity"] = f"{first.name} ({first.unit})" if first.unit else first.name
            metrics |= {f"{name}.estimate": first.estimate, f"{name}.low": first.low, f"{name}.high": first.high}
    return Tracked(
        id=_study_id(experiment),
        name=experiment.name,
        parameters=dict(_flat(experiment.redacted(), "")),
        tags={"label": experiment.title, "made_by": results.made_by, **tags},
        metrics=_finite(metrics),
    )


def tracked_trainings(results: Results) -> Iterator[Tracked]:
    """Return the run of each finished training, in the order of cells.csv."""
    study = _study_id(results.experiment)
    for row in results.cells.to_dict("records"):
        roles = [role for role in ROLES if row[role]]
        curve = results.curve(row["id"])
        tags = {"cell": row["id"], "status": str(row["status"]), "roles": " ".join(roles)}
        tags |= {name: _text(row[name]) for name in ("policies", "searches")}
        yield Tracked(
            id=digest([study, row["id"]]),
            name=f"cycle {row['cycle']}, max_lr {row['max_lr']:.4g}, seed {row['seed']}",
            parameters={name: row[name] for name in ("cycle", "seed", "max_lr")},
            tags={name: text for name, text in tags.items() if text},
            metrics=_finite({name: row[name] for name in MEASURED}),
            curve=tuple(
                _finite({"loss": one.loss, "validation": one.validation, "test": one.test}, "epoch.") for one in curve
            ),
            failed=row["status"] == Status.FAILED,
        )


def _study_id(experiment: Experiment) -> str:
    """By all that the study is, whatever computes it: its next trainings come to the same run."""
    return digest({name: field for name, field in experiment.redacted().items() if name != "compute"})


def _claim(verdict: Verdict) -> str:
    number = verdict.claim.partition(".")[0]
    return f"claim-{number}" if number.isdigit() else "rival"


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by dotted path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _finite(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    return {
        f"{prefix}{name}": float(value)
        for name, value in metrics.items()
        if not pd.isna(value) and math.isfinite(float(value))
    }
