"""A study: an experiment over its data in its run folder. Opens, claims and checks the folder."""

import contextlib
import fcntl
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from oracle.error import FieldError, InputError
from oracle.experiment.load import validate
from oracle.experiment.spec import Experiment
from oracle.plan.trajectories import Trajectories
from oracle.run.problem import load_dataset
from oracle.study.data_info import asked, described, known_data
from oracle.study.durable import make_asked_folder
from oracle.study.store import Store
from silo.data.images import Dataset

PATIENCE = 1.0  # seconds that a driver tries to have the lock


@dataclass(frozen=True)
class Study:
    """experiment: what is asked; data: its data's digest, chance level (percent) and size; store: the run folder;
    origin: the experiment file and overrides, as they were given; dataset: the data, where it was loaded.
    """

    experiment: Experiment
    data: dict[str, Any]
    store: Store
    origin: str
    dataset: Dataset | None = None

    @property
    def chains(self) -> Trajectories:
        """The study's cells, as far as the records tell."""
        return Trajectories(self.experiment, self.data["digest"], self.store)

    def described(self) -> dict[str, Any]:
        """What study.json holds: all of this, and the identity of its trainings; no path of this machine."""
        return {
            "origin": self.origin,
            "experiment": self.experiment.redacted(),
            "data": self.data,
            "training": self.experiment.training(self.data["digest"]),
        }


def new_study(experiment: Experiment, folder: Path, origin: str = "") -> Study:
    """The study of an experiment, its data loaded; raises InputError where the folder belongs to another experiment.

    Writes nothing.
    """
    dataset = load_dataset(experiment)
    return _checked(experiment, described(experiment, dataset), folder, origin, dataset)


def planned_study(experiment: Experiment, folder: Path, origin: str = "") -> Study:
    """The same without loading the data, where that is possible: the run folder knows it, or everyone does.

    Without a run folder its cells have no true ids, since the data's digest isn't known; nothing is recorded there, either.
    """
    held, data = _held(Store(folder)), None
    if held is None:
        data = known_data(experiment)
    elif held["data"].get("asked") == asked(experiment):
        data = held["data"]
    return _checked(experiment, data or described(experiment, load_dataset(experiment)), folder, origin)


def _checked(
    experiment: Experiment, data: dict[str, Any], folder: Path, origin: str, dataset: Dataset | None = None
) -> Study:
    _rewinds_within_a_cycle(experiment, data["training_images"])
    study = Study(experiment, data, Store(folder), origin, dataset)
    held = _held(study.store)
    if held is not None:
        _same_training(folder, held, experiment.training(data["digest"]))
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder}: not empty and no run folder (it has no study.json); an empty or new one is allowed"
        )
    return study


def open_study(folder: Path) -> Study:
    """The study that a run folder holds, without its data; raises InputError where it holds none."""
    held = _held(Store(folder))
    if held is None:
        raise InputError(f"{folder}: no run folder (it has no study.json); a folder that `run` filled is allowed")
    experiment = validate(held["experiment"], str(folder / "study.json"))
    # imported code may have changed since: the records would not be found
    _same_training(folder, held, experiment.training(held["data"]["digest"]))
    return Study(experiment, held["data"], Store(folder), held["origin"])


def _rewinds_within_a_cycle(experiment: Experiment, training_images: int) -> None:
    steps, allowed = experiment.recipe.steps_per_epoch(training_images), f"{experiment.train.epochs}ep"
    places = {"prune": experiment.prune.restart}
    places |= {f"policies.baselines.{name}": one.restart for name, one in experiment.baselines.items() if one.restart}
    for place, restart in places.items():
        remembered = restart.make().remember_at(0, steps)
        if remembered is not None and remembered > steps * experiment.train.epochs:
            to = getattr(restart, "to", f"{remembered}it")  # an imported restart may have no such option
            raise FieldError(f"{place}.restart.to: {to}: lies beyond the end of a cycle; up to {allowed} is allowed")


@contextmanager
def claimed(study: Study) -> Iterator[None]:
    """Hold the run folder for one driver at a time, as a sweep with its own id; raises InputError where another has it."""
    folder, store = study.store.folder, study.store
    make_asked_folder(folder)
    with (folder / "lock").open("a") as lock:
        _lock(lock, folder)
        store.sweep = uuid.uuid4().hex[:8]
        sweep = {"sweep": store.sweep, "at": round(time.time(), 3)}
        _note(lock, sweep)
        try:
            store.sweep_up()
            store.write_study(study.described())
            yield
        finally:
            store.sweep_up()
            with contextlib.suppress(OSError):  # a full disk
                _note(lock, {**sweep, "ended": round(time.time(), 3)})


def _note(lock: IO[str], sweep: dict[str, Any]) -> None:
    """For `status`: whose the lock is. A sweep that has no end there was cut off."""
    lock.truncate(0)
    lock.write(json.dumps(sweep))
    lock.flush()


def _lock(lock: IO[str], folder: Path) -> None:
    """`status` tests the lock for a moment, too: so try again for a while."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise InputError(f"{folder}: another run is at work in this folder") from error
            time.sleep(0.05)
        except OSError as error:
            raise InputError(
                f"{folder}: can't be locked ({error.strerror}); a file system with flock is allowed"
            ) from error


def _held(store: Store) -> dict[str, Any] | None:
    held = store.study()
    if held is not None and not (
        isinstance(held, dict)
        and {"origin", "experiment", "data", "training"} <= held.keys()
        and isinstance(held["data"], dict)
    ):
        raise InputError(
            f"{store.folder / 'study.json'}: not an experiment's study; a folder that `run` filled is allowed"
        )
    return held


def _same_training(folder: Path, held: dict[str, Any], asked: dict[str, Any]) -> None:
    difference = first_difference(held.get("training", {}), asked)
    if difference:
        field, there, here = difference
        told = f"{folder}: belongs to another experiment: {field} is {there} there and {here} here"
        if field.startswith("code."):
            source = field.partition(".")[2]
            raise InputError(
                f"{told}: the source of {source} has changed; as it was it is allowed, or another --out to run"
            )
        raise InputError(f"{told}; another --out is allowed, or the experiment it was made with")


def first_difference(there: Any, here: Any, field: str = "") -> tuple[str, Any, Any] | None:
    """The first field in which two trees differ, and its value in either; None where they are the same."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in [*here, *(key for key in there if key not in here)]:
            found = first_difference(there.get(key), here.get(key), f"{field}.{key}".lstrip("."))
            if found:
                return found
        return None
    if there == here:
        return None
    return field, *("not set" if value is None else value for value in (there, here))
