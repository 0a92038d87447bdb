"""The records as Optuna studies in an SQLite file, so that optuna-dashboard shows them."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.plan.steps import Role
from oracle.study.beside import written_beside
from oracle.study.record import Status

STATES = {
    Status.DONE: TrialState.COMPLETE,
    Status.DIVERGED: TrialState.PRUNED,
    Status.FAILED: TrialState.FAIL,
}
ODD = "?#%"
ROLES = (Role.CANDIDATE, Role.SILO, Role.CHAIN)

optuna.logging.set_verbosity(optuna.logging.WARNING)


def export(results: Results, file: Path) -> list[str]:
    """Write the trainings of grid values, and of SILO's on their masks, as Optuna studies: one for each pruning cycle, since
    what is best is a question of one cycle.

    A trial is a training: its parameter max_lr, its value the accuracy (percent) that values are chosen by; diverged
    trainings are pruned trials, failed ones failed. Its attributes say which training it is; its intermediate values are the
    validation accuracies (percent) by epoch, where they are known.

    Args:
        results: of a run folder or a publication.
        file: a new SQLite file; it has its name once it is whole.

    Returns:
        The names of the studies.

    Raises:
        InputError: where the file is there already, its name would be read as part of an address, nothing is recorded, or
            nothing can be written there.
    """
    if file.exists():
        raise InputError(f"{file} must be a new file, got one that is there already")
    if re.match(r"\w{2,}:/", str(file)):
        raise InputError(f"{file} must be the name of a file, got an address")
    if odd := sorted({*str(file)} & {*ODD}):
        raise InputError(
            f"{file} must be a name without {' '.join(ODD)}, since Optuna reads an address, got {' '.join(odd)}"
        )
    cells = results.cells[results.cells.candidate | results.cells.silo]
    if cells.empty:
        raise InputError(f"{results.experiment.name}: nothing is recorded yet that could be exported")
    try:
        with written_beside(file) as new:
            return _write(results, cells, new)
    except (OSError, optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        raise InputError(f"{file} must be a place where a file can be written, got: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What the system says, or SQLite."""
    while not isinstance(error, OSError) and error.__cause__ is not None:
        error = error.__cause__
    return error.strerror or str(error) if isinstance(error, OSError) else " ".join(str(error).split())


def _write(results: Results, cells: pd.DataFrame, file: Path) -> list[str]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    space = {"max_lr": FloatDistribution(float(cells.max_lr.min()), float(cells.max_lr.max()), log=True)}
    names = []
    for cycle, of_cycle in cells.groupby("cycle"):
        names.append(f"{results.experiment.name}, cycle {cycle:02d}")
        study = optuna.create_study(storage=storage, study_name=names[-1], direction="maximize")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([f"{results.experiment.chosen_on} accuracy (%)"])
        study.set_user_attr("label", results.experiment.title)
        study.set_user_attr("weights_remaining", float(of_cycle.weights_remaining.max()))
        study.add_trials([_trial(row, space, results) for row in of_cycle.to_dict("records")])
    storage.remove_session()
    storage.engine.dispose()
    return names


def _trial(
    row: Mapping[str, Any],
    space: Mapping[str, FloatDistribution],
    results: Results,
) -> FrozenTrial:
    state = STATES[row["status"]]
    attributes = {"seed": int(row["seed"]), "cell": row["id"], "roles": [role.value for role in ROLES if row[role]]}
    measured = {name: row[name] for name in ("validation", "test", "final_test", "weights_remaining")}
    attributes |= {name: float(value) for name, value in measured.items() if not pd.isna(value)}
    return create_trial(
        state=state,
        value=float(row[results.experiment.chosen_on]) if state is TrialState.COMPLETE else None,
        params={"max_lr": float(row["max_lr"])},
        distributions=dict(space),
        user_attrs=attributes,
        intermediate_values={epoch: one.validation for epoch, one in enumerate(results.curve(row["id"]), start=1)},
    )
