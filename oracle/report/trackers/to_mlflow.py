"""A study in MLflow: a parent run with report and verdicts, and a child for each training."""

import logging
import os
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before the import, at which it would begin
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # of a server that isn't there: seconds, not minutes

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.experiment.redaction import without_users
from oracle.plain_text import one_line, shortened
from oracle.report.trackers.report_files import write_files
from oracle.report.trackers.tracked import Tracked, tracked_study, tracked_trainings

ID, PARENT = "silo_oracle.id", "mlflow.parentRunId"
AT_ONCE, LONGEST_PARAMETER, LONGEST_TAG = 100, 6000, 5000  # MLflow's limits of a call, and of texts
PAGE = 1000

for name in ("mlflow", "alembic"):
    logging.getLogger(name).setLevel(logging.WARNING)


def export(results: Results, uri: str) -> tuple[str, int, int]:
    """Write a study into MLflow: an experiment of its name, in it a run of the study, and under this one of each training.

    Exported again, as when more is recorded, the same runs are there: the study's has its new verdicts, at the number of
    trainings as their step, and trainings that are there whole are left alone. An experiment of other fields is another run.

    Args:
        results: of a run folder or a publication.
        uri: of the tracking store, such as ``sqlite:///mlflow.db``, ``http://HOST:5000``.

    Returns:
        The id of the study's run; how many trainings were written; how many were there.

    Raises:
        InputError: where nothing is recorded yet, or the store can't be reached or written.
    """
    study = tracked_study(results)
    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, results.experiment.name)
        run = _study_run(client, experiment, study, results)
        there = _whole(client, experiment, run)
        trainings = [training for training in tracked_trainings(results) if training.id not in there]
        for training in trainings:
            _write(client, experiment, training, {PARENT: run})
        client.set_terminated(run)
        return run, len(trainings), len(there)
    except (MlflowException, SQLAlchemyError, OSError, ValueError) as error:
        reason = shortened(without_users(one_line(str(error).partition("\n")[0])))
        raise InputError(
            f"--mlflow must be a tracking store that can be written, got {without_users(uri)}: {reason}"
        ) from error


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name)
    if found.lifecycle_stage != "active":
        raise ValueError(f"its experiment {name} is deleted; restore it, or purge it")
    return found.experiment_id


def _study_run(client: MlflowClient, experiment: str, study: Tracked, results: Results) -> str:
    """The study's run, made where it is missing, with what it says by now."""
    found = client.search_runs([experiment], f"tags.`{ID}` = '{study.id}'", max_results=1)
    if found:
        run = found[0].info.run_id
    else:
        run = client.create_run(experiment, tags={ID: study.id}, run_name=study.name).info.run_id
        _log(client, run, parameters=_parameters(study))
    _log(client, run, _metrics(study.metrics, len(results.cells)), tags=_tags(study))
    with TemporaryDirectory() as folder:
        files = Path(folder) / "report"
        write_files(results, files)
        client.log_artifacts(run, str(files))
    return run


def _whole(client: MlflowClient, experiment: str, run: str) -> set[str]:
    """The ids of the trainings that are there; what an export that was killed left of one goes."""
    whole, token = set(), None
    while True:
        page = client.search_runs([experiment], f"tags.`{PARENT}` = '{run}'", max_results=PAGE, page_token=token)
        for child in page:
            if child.info.status in ("FINISHED", "FAILED"):
                whole.add(child.data.tags[ID])
            else:
                client.delete_run(child.info.run_id)
        token = page.token
        if not token:
            return whole


def _write(client: MlflowClient, experiment: str, one: Tracked, tags: dict[str, str]) -> None:
    run = client.create_run(experiment, tags={**tags, ID: one.id}, run_name=one.name).info.run_id
    metrics = _metrics(one.metrics, 0)
    for epoch, values in enumerate(one.curve, start=1):
        metrics += _metrics(values, epoch)
    _log(client, run, metrics, _parameters(one), _tags(one))
    client.set_terminated(run, "FAILED" if one.failed else "FINISHED")


def _log(
    client: MlflowClient,
    run: str,
    metrics: Iterable[Metric] = (),
    parameters: Iterable[Param] = (),
    tags: Iterable[RunTag] = (),
) -> None:
    """As many at once as a call may have."""
    rest = iter(metrics), iter(parameters), iter(tags)
    while any(batch := [list(islice(one, AT_ONCE)) for one in rest]):
        client.log_batch(run, *batch)


def _metrics(values: Mapping[str, float], step: int) -> list[Metric]:
    now = int(time() * 1000)
    return [Metric(name, value, now, step) for name, value in values.items()]


def _parameters(one: Tracked) -> list[Param]:
    return [Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in one.parameters.items()]


def _tags(one: Tracked) -> list[RunTag]:
    return [RunTag(name, value[:LONGEST_TAG]) for name, value in one.tags.items()]
