"""Take into one run folder what others of the same experiment hold, filled on machines that know nothing of each other."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle.error import InputError
from oracle.experiment.overrides import Override, requested_beyond
from oracle.study.environment import comparable
from oracle.study.record import Record
from oracle.study.store import Store
from oracle.study.study import Study, claimed, first_difference, open_study


@dataclass
class Merged:
    """What came from one folder.

    Attributes:
        folder: the other run folder.
        beyond: the overrides by which the experiment would request all that the other folder's requests.
        records: how many records were taken; states, checkpoints, logs: how many such files.
        both: trainings that both folders have recorded: the record that was there stands.
        differing: how many of these differ in their numbers.
        from_elsewhere: how many of the differing ones come from different environments, too.
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
    """Return the studies of a run folder and of those to be merged into it; writes nothing.

    Raises:
        InputError: where one is no run folder or of another experiment, where two are one or lie in each other, and where a
            record can't be trusted.
    """
    study, into = open_study(folder), Path(os.path.realpath(folder))
    studies = []
    for other in others:
        there = Path(os.path.realpath(other))  # of a link to itself, too
        same = there.exists() and there.samefile(into)
        if same or there.is_relative_to(into) or into.is_relative_to(there):
            where = "is" if same else "lies in, or holds,"
            raise InputError(
                f"{other} must be a folder apart from the one it is merged into, got one that {where} {folder}"
            )
        studies.append(open_study(other))
        _check_one_experiment(study, studies[-1])
    for one in (study, *studies):
        for cell_id in one.store.recorded():
            one.store.whole_record(cell_id)
        one.store.check_files("states", "checkpoints", "attempts")
    return study, studies


def merge(study: Study, others: Sequence[Study]) -> list[Merged]:
    """Take over records, and what trainings left or have under way; the study's experiment stands, and so does every record.

    The other folders are only read; a run may be at work there. Whenever it is killed, merging again completes it; merging
    what was merged changes nothing.

    Raises:
        InputError: before anything is written, where a run is at work in the study's folder.
    """
    with claimed(study):
        return [_take(study, other) for other in others]


def _check_one_experiment(study: Study, other: Study) -> None:
    shared = [name for name in study.experiment.baselines if name in other.experiment.baselines]
    cycles = min(study.experiment.prune.cycles, other.experiment.prune.cycles)
    ours, theirs = (_in_common(one, shared, cycles) for one in (study, other))
    if difference := first_difference(theirs, ours):
        field, there, here = difference
        raise InputError(
            f"{other.store.folder} must hold the same experiment as {study.store.folder}, got another one: {field} is "
            f"{there} there and {here} here"
        )


def _in_common(study: Study, baselines: Sequence[str], cycles: int) -> dict[str, Any]:
    """What must be equal in two folders: the trainings, and the baselines that both have (an imported schedule's code is no
    part of a training, but its max_lr is what they train at).
    """
    experiment = study.experiment
    schedules = {name: experiment.baseline_schedule(name) for name in baselines}
    return {
        **experiment.training(study.data.digest),
        "policies.baselines": {name: experiment.baselines[name].model_dump(mode="json") for name in baselines},
        "policies.max_lr": {name: one and [one.max_lr(m) for m in range(cycles)] for name, one in schedules.items()},
    }


def _take(study: Study, other: Study) -> Merged:
    into, source = study.store, other.store
    merged = Merged(source.folder, requested_beyond(study.experiment, other.experiment))
    for cell_id in source.recorded():
        record = source.whole_record(cell_id)
        # the record before its state: a state without its record might be that of another environment's training
        if into.whole_record(cell_id) is None and into.write_record(record):
            merged.records += 1
        else:
            _compare(into.whole_record(cell_id), record, merged)
        if not into.has_state(cell_id) and into.record(cell_id).leaves == record.leaves:
            merged.states += into.take(source, f"states/{cell_id}.pt")
    recorded = set(into.recorded())
    held = set(into.names("checkpoints"))
    for name in source.names("checkpoints"):
        if name not in held and Path(name).stem not in recorded:
            merged.checkpoints += into.take(source, f"checkpoints/{name}")
    for name in source.names("attempts"):
        log = f"attempts/{name}"
        if _size(into, log) < _size(source, log):  # it only grows: the shorter one is a beginning of the longer
            merged.logs += into.take(source, log, first=False)
    return merged


def _compare(standing: Record, record: Record, merged: Merged) -> None:
    merged.both += 1
    if not record.same_result(standing):
        merged.differing += 1
        merged.from_elsewhere += comparable(standing.environment) != comparable(record.environment)


def _size(store: Store, name: str) -> int:
    try:
        return (store.folder / name).stat().st_size
    except FileNotFoundError:
        return 0
