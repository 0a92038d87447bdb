"""A study: an experiment over its data in its run folder. Opens, claims and checks the folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oracle.error import FieldError, InputError
from oracle.experiment.load import recorded_experiment
from oracle.experiment.spec import Experiment
from oracle.study.data_info import DataInfo, location_of
from oracle.study.lock import locked
from oracle.study.store import Store

if TYPE_CHECKING:
    from silo.data.images import Dataset

OTHER_OUT = "use another --out, or the experiment that the folder was made with"
FIELDS = {"origin", "experiment", "data", "training"}  # of study.json, and "imported" where anything is


@dataclass(frozen=True)
class Study:
    """An experiment over its data in its run folder.

    Attributes:
        experiment: what is requested.
        data: what is known of its data.
        store: the run folder.
        origin: the experiment file and overrides, as they were given; empty: it is run in Python.
        dataset: the data itself, where it was loaded.
    """

    experiment: Experiment
    data: DataInfo
    store: Store
    origin: str
    dataset: "Dataset | None" = None

    @property
    def left_out(self) -> str:
        """What the data's source found and didn't read, in words; empty where that is nothing, or the data isn't loaded."""
        return "" if self.dataset is None else self.dataset.left_out


def describe_study(experiment: Experiment, data: DataInfo, origin: str) -> dict[str, Any]:
    """Return what study.json holds: the experiment, its data, the identity of its trainings, and what reading it needs of the
    parts that it imports; no path of this machine.
    """
    held = {
        "origin": origin,
        "experiment": experiment.redacted(),
        "data": data.to_json(),
        "training": experiment.training(data.digest),
    }
    imported = experiment.imported
    return held | {"imported": imported.model_dump(mode="json")} if imported.code else held


def new_study(experiment: Experiment, folder: Path, origin: str = "") -> Study:
    """Return the study of an experiment, its data loaded; writes nothing.

    Raises:
        InputError: where the folder belongs to another experiment, or the data can't be read.
    """
    from oracle.study.data import describe_data, load_dataset  # torch

    dataset = load_dataset(experiment)
    return _checked(experiment, describe_data(experiment, dataset), folder, origin, dataset)


def planned_study(experiment: Experiment, folder: Path, origin: str = "") -> Study:
    """Return the study without loading the data, where that is possible: the run folder knows it, or everyone does.

    Without a run folder its cells have no true ids, since the data's digest isn't known; nothing is recorded there, either.

    Raises:
        InputError: where the folder belongs to another experiment.
    """
    from oracle.study.data import known_data  # torch

    store, data = Store(folder), None
    held = _held(store)
    if held is None:
        if not store.recorded():  # else the data's digest shows whose these are
            data = known_data(experiment)
    elif (recorded := _data_of(held, folder)).location == location_of(experiment):
        data = recorded
    return new_study(experiment, folder, origin) if data is None else _checked(experiment, data, folder, origin)


def open_study(folder: Path) -> Study:
    """Return the study that a run folder holds, without its data; nothing that its experiment names is imported.

    Raises:
        InputError: where the folder holds none.
    """
    held = _held(Store(folder))
    if held is None:
        why = "it has no study.json"
        if Store(folder).recorded():
            why += "; `silo-oracle run` with its experiment file makes it again"
        elif levels := sorted(str(path.parent) for name in ("*", "*/*") for path in folder.glob(f"{name}/study.json")):
            why += f"; one is {levels[0]}"
        raise InputError(f"{folder} must be a folder that `run` filled, got no run folder ({why})")
    experiment, data = recorded_experiment(held, str(folder / "study.json")), _data_of(held, folder)
    # a study.json that was edited: the records would not be found
    _check_identity(folder, held, experiment.training(data.digest))
    return Study(experiment, data, Store(folder), held["origin"])


@contextmanager
def claimed(study: Study) -> Iterator[None]:
    """Hold the run folder as its one driver, with the study written down and what killed writers left swept up.

    Raises:
        InputError: where another driver is at work there.
    """
    store = study.store
    with locked(store):
        try:
            store.sweep_up()
            store.write_study(describe_study(study.experiment, study.data, study.origin))
            yield
        finally:
            store.sweep_up()


def first_difference(there: Any, here: Any, field: str = "") -> tuple[str, Any, Any] | None:
    """Return the first field in which two trees differ, and its value in either; None where they are the same."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in [*here, *(key for key in there if key not in here)]:
            difference = first_difference(there.get(key), here.get(key), f"{field}.{key}".lstrip("."))
            if difference:
                return difference
        return None
    if there == here:
        return None
    return field, *("not set" if value is None else value for value in (there, here))


def _checked(
    experiment: Experiment, data: DataInfo, folder: Path, origin: str, dataset: "Dataset | None" = None
) -> Study:
    _check_rewinding(experiment, data.training_images)
    _check_shapes(experiment, data.training_images)
    study = Study(experiment, data, Store(folder), origin, dataset)
    held = _held(study.store)
    if held is not None:
        _check_identity(folder, held, experiment.training(data.digest))
    elif folder.exists():
        _check_unclaimed(study)
    return study


def _check_unclaimed(study: Study) -> None:
    """A folder without study.json must be empty, or hold what a run of this experiment left: then it is made again."""
    store, experiment = study.store, study.experiment
    recorded = store.recorded() if store.folder.is_dir() else []
    if not recorded and not (store.folder.is_dir() and store.has_nothing_else()):
        expected = "a new or empty folder or a run folder"
        raise InputError(f"{store.folder} must be {expected}, got something else (no study.json)")
    if recorded:
        trainings = {one.training_digest(study.data.digest) for one in experiment.variants}
        if not any(record.cell.training in trainings for record in filter(None, map(store.record, recorded))):
            raise InputError(
                f"{store.folder} must belong to this experiment, got records of another one (and no study.json); {OTHER_OUT}"
            )


def _check_rewinding(experiment: Experiment, training_images: int) -> None:
    """A restart must rewind to a place within a cycle."""
    steps, last = experiment.recipe.steps_per_epoch(training_images), f"{experiment.train.epochs}ep"
    places = {"prune": experiment.prune.restart}
    places |= {f"policies.baselines.{name}": one.restart for name, one in experiment.baselines.items() if one.restart}
    for place, restart in places.items():
        remembered = restart.make().remember_at(0, steps)
        if remembered is not None and remembered > steps * experiment.train.epochs:
            to = getattr(restart, "to", f"{remembered}it")  # an imported restart may have no such option
            raise FieldError(f"{place}.restart.to must lie within a cycle, up to {last}, got {to}")


def _check_shapes(experiment: Experiment, training_images: int) -> None:
    """A shape of ours must have a factor in cycles of so many iterations; those of the user's own are tried with a step."""
    steps = experiment.recipe.steps_per_epoch(training_images)
    places = {"train": experiment.train.shape}
    places |= {f"policies.baselines.{name}": one.shape for name, one in experiment.baselines.items() if one.shape}
    for place, shape in places.items():
        if ":" not in shape.kind:
            try:
                shape.make().factor(1, steps, experiment.train.epochs)
            except ValueError as error:
                raise FieldError(f"{place}.shape.{error}") from error


def _held(store: Store) -> dict[str, Any] | None:
    held = store.study()
    if held is not None and not (
        FIELDS <= held.keys() <= {*FIELDS, "imported"}
        and isinstance(held["origin"], str)
        and isinstance(held["data"], dict)
    ):
        raise InputError(f"{store.folder / 'study.json'} must be a study that `run` wrote, got something else")
    return held


def _data_of(held: Mapping[str, Any], folder: Path) -> DataInfo:
    try:
        return DataInfo.from_json(held["data"])
    except ValueError as error:
        raise InputError(f"{folder / 'study.json'}: {error}") from error


def _check_identity(folder: Path, held: Mapping[str, Any], requested: dict[str, Any]) -> None:
    """The folder's trainings must be of the identity that is requested."""
    difference = first_difference(held.get("training", {}), requested)
    if difference:
        field, there, here = difference
        message = f"{folder} must belong to this experiment, got another one: {field} is {there} there and {here} here"
        if field.startswith("code."):
            source = field.partition(".")[2]
            raise InputError(f"{message}: the source of {source} has changed; restore it, or run with another --out")
        raise InputError(f"{message}; {OTHER_OUT}")
