"""Snapshot: what a study consists of and what is recorded of it, by one walk along its trajectories."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from oracle.experiment.spec import Experiment
from oracle.plan.counts import StatusCounts
from oracle.plan.steps import Blocked, Pending, Request, Role, Skipped
from oracle.plan.trajectories import Trajectories
from oracle.study.cell import Cell
from oracle.study.data_info import DataInfo
from oracle.study.record import Record, Records, Status
from oracle.study.study import Study


@dataclass(frozen=True)
class Training:
    """One training that a study requests, and what is recorded of it.

    Attributes:
        cell: which training it is.
        roles: as what it is requested, by anyone.
        policies: the baselines of whose trajectories it is, sorted.
        searches: the baselines for whose max_lr it is tried, sorted.
        record: its result; None where it isn't finished.
        failure: why it failed; None where it didn't, or where it has a record.
    """

    cell: Cell
    roles: frozenset[Role]
    policies: tuple[str, ...]
    searches: tuple[str, ...]
    record: Record | None
    failure: str | None

    @property
    def status(self) -> Status:
        """How far it is, by what is recorded alone: a training under way is MISSING."""
        if self.record is not None:
            return self.record.status
        return Status.MISSING if self.failure is None else Status.FAILED


@dataclass(frozen=True)
class Snapshot:
    """A study at one moment.

    Attributes:
        experiment: what is requested.
        data: what is known of its data.
        origin: the experiment file and overrides, as they were given.
        trainings: all that are requested by now, in that order.
        skipped: what the Oracle's search didn't try.
        blocked: trajectories that can't go on.
        later: by cycle, how many trainings may be requested at most, beside those that are.
    """

    experiment: Experiment
    data: DataInfo
    origin: str
    trainings: tuple[Training, ...]
    skipped: tuple[Skipped, ...]
    blocked: tuple[Blocked, ...]
    later: Mapping[int, int]

    @classmethod
    def take(cls, study: Study) -> Self:
        """Return the study as its run folder has it now; writes nothing.

        Raises:
            InputError: where a record can't be trusted.
        """
        return cls.walk(Trajectories.of(study), study.data, study.origin)

    @classmethod
    def walk(cls, trajectories: Trajectories, data: DataInfo, origin: str) -> Self:
        """Return what one walk along trajectories, as far as their records say, finds."""
        requests: dict[str, list[Request]] = {}
        skipped, blocked, later = [], [], defaultdict(int)
        for step in trajectories.steps():
            if isinstance(step, Request):
                requests.setdefault(step.cell.id, []).append(step)
            elif isinstance(step, Skipped):
                skipped.append(step)
            elif isinstance(step, Blocked):
                blocked.append(step)
            elif isinstance(step, Pending):
                for cycle, count in step.later().items():
                    later[cycle] += count
        trainings = tuple(_training(of_cell, trajectories.records) for of_cell in requests.values())
        return cls(trajectories.experiment, data, origin, trainings, tuple(skipped), tuple(blocked), dict(later))

    @property
    def records(self) -> list[Record]:
        """What is recorded of the study."""
        return [training.record for training in self.trainings if training.record is not None]

    def counts(self, running: Collection[str] = ()) -> StatusCounts:
        """How many trainings are how far; running: ids of those under way, as far as they aren't recorded."""
        counts = StatusCounts.empty(self.experiment.prune.cycles, self.later)
        for training in self.trainings:
            status = training.status
            under_way = status is Status.MISSING and training.cell.id in running
            counts.by_cycle[training.cell.cycle][Status.RUNNING if under_way else status] += 1
        return counts

    def failures(self) -> dict[str, list[Cell]]:
        """The trainings that failed, by the reason why."""
        failures = defaultdict(list)
        for training in self.trainings:
            if training.status is Status.FAILED:
                failures[training.failure].append(training.cell)
        return dict(failures)

    @property
    def seconds_each(self) -> float | None:
        """The mean time that a recorded training took; None where none is recorded."""
        records = self.records
        return sum(record.seconds for record in records) / len(records) if records else None


def _training(requests: Sequence[Request], records: Records) -> Training:
    cell = requests[0].cell
    record = records.record(cell.id)
    return Training(
        cell,
        frozenset().union(*(request.roles for request in requests)),
        _baselines(requests, Role.POLICY),
        _baselines(requests, Role.SEARCH),
        record,
        records.failure(cell.id) if record is None else None,
    )


def _baselines(requests: Sequence[Request], role: Role) -> tuple[str, ...]:
    return tuple(sorted({request.baseline for request in requests if role in request.roles}))
