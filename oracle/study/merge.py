"""Take into one run folder what others of the same experiment hold, filled on machines that know nothing of each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oracle.error import InputError
from oracle.experiment.overrides import Override, asked_beyond
from oracle.study.environment import comparable
from oracle.study.store import Record, Store
from oracle.study.study import Study, claimed, first_difference, open_study


@dataclass
class Taken:
    """What came from one folder.

    records, states, checkpoints, logs  files that were taken
    both       cells that both folders have recorded: the record that was there stands
    differing  how many of these differ in their numbers, and from_elsewhere, how many of those in their environments, too
    beyond     the overrides by which the experiment would ask for all that the other folder's asks for
    """

    folder: Path
    beyond: list[Override]
    records: int = 0
    states: int = 0
    checkpoints: int = 0
    logs: int = 0
    both: int = 0
    differing: int = 0
    from_elsewhere: int = 0


def mergeable(folder: Path, others: Sequence[Path]) -> tuple[Study, list[Study]]:
    """The studies of a run folder and of those to be merged into it; writes nothing.

    Raises InputError where one is no run folder or of another experiment, where two are one or lie in each other, and where a
    record can't be trusted.
    """
    study, into = open_study(folder), folder.resolve()
    studies = []
    for other in others:
        there = other.resolve()
        same = there.exists() and there.samefile(into)
        if same or there.is_relative_to(into) or into.is_relative_to(there):
            same = "is" if same else "lies in, or holds,"
            raise InputError(
                f"{other}: {same} the folder {folder} that it would be merged into; another folder is allowed"
            )
        studies.append(open_study(other))
        _one_experiment(study, studies[-1])
    for one in (study, *studies):
        for cell_id in one.store.recorded():
            one.store.whole_record(cell_id)
    return study, studies


def merge(study: Study, others: Sequence[Study]) -> list[Taken]:
    """Take over records, and what trainings left or have under way; the study's experiment stands, and so does every record.

    The other folders are only read; a run may be at work there. Raises InputError, before anything is written, where one is at
    work here. Whenever it is killed, merging again completes it; merging what was merged changes nothing.
    """
    with claimed(study):
        return [_take(study, other) for other in others]


def _one_experiment(study: Study, other: Study) -> None:
    ours, theirs = (
        {
            **one.experiment.training(one.data["digest"]),
            "policies.baselines": {
                name: one.experiment.baselines[name].model_dump(mode="json")
                for name in study.experiment.baselines
                if name in other.experiment.baselines
            },
        }
        for one in (study, other)
    )
    if difference := first_difference(theirs, ours):
        field, there, here = difference
        raise InputError(
            f"{other.store.folder}: belongs to another experiment than {study.store.folder}: {field} is {there} there and "
            f"{here} here; run folders of one experiment are allowed"
        )


def _take(study: Study, other: Study) -> Taken:
    into, source = study.store, other.store
    taken = Taken(source.folder, asked_beyond(study.experiment, other.experiment))
    for cell_id in source.recorded():
        record = source.whole_record(cell_id)
        # the record before its state: a state without its record might be that of another environment's training
        if into.whole_record(cell_id) is None and into.write_record(record):
            taken.records += 1
        else:
            _compare(into.whole_record(cell_id), record, taken)
        if not into.has_state(cell_id) and into.record(cell_id)["leaves"] == record["leaves"]:
            taken.states += into.take(source, f"states/{cell_id}.pt")
    recorded = set(into.recorded())
    held = set(into.names("checkpoints"))
    for name in source.names("checkpoints"):
        if name not in held and Path(name).stem not in recorded:
            taken.checkpoints += into.take(source, f"checkpoints/{name}")
    for name in source.names("attempts"):
        log = f"attempts/{name}"
        if _size(into, log) < _size(source, log):  # it only grows: the shorter one is a beginning of the longer
            taken.logs += into.take(source, log, first=False)
    return taken


def _compare(standing: Record, record: Record, taken: Taken) -> None:
    taken.both += 1
    ours, theirs = (
        {name: held for name, held in one.items() if name not in ("seconds", "environment")}
        for one in (standing, record)
    )
    if ours != theirs:
        taken.differing += 1
        taken.from_elsewhere += comparable(standing["environment"]) != comparable(record["environment"])


def _size(store: Store, name: str) -> int:
    try:
        return (store.folder / name).stat().st_size
    except FileNotFoundError:
        return 0
