"""Which trainings a study consists of, cycle after cycle, as far as the records say.

A trajectory is a generator of steps. It requests trainings, yields Pending while it has to wait for a record, and ends after
its last cycle or where it is blocked. It reads only the records, so a run and a report walk the very same trajectories.
"""

from collections.abc import Iterator
from typing import Self

from oracle.experiment.search import SearchKind
from oracle.experiment.spec import Experiment
from oracle.plan.baseline_trajectories import BaselineTrajectories
from oracle.plan.oracle_exhaustive import OracleTrajectory
from oracle.plan.oracle_searched import SearchTrajectory
from oracle.plan.oracle_until_decided import RoundsTrajectory
from oracle.plan.record_view import RecordView
from oracle.plan.silo_trajectory import SiloTrajectories
from oracle.plan.steps import Pending, Step
from oracle.study.data_info import DataInfo
from oracle.study.record import Records
from oracle.study.study import Study


class Trajectories:
    """All trajectories of an experiment.

    Args:
        experiment: the validated file.
        data: its digest, which is part of every training's identity, its chance level and image counts.
        records: what is recorded by now.

    Attributes:
        training: the digest of SILO's and the Oracle's trainings.
        baselines: that of each baseline's, by name.
    """

    def __init__(self, experiment: Experiment, data: DataInfo, records: Records) -> None:
        self.experiment, self.data = experiment, data
        self.records = records
        self.training = experiment.training_digest(data.digest)
        self.baselines = {name: experiment.under(name).training_digest(data.digest) for name in experiment.baselines}
        self._tests = {
            name: experiment.range_tests(name).training_digest(data.digest)
            for name, baseline in experiment.baselines.items()
            if baseline.range_test is not None
        }
        self._view = RecordView(experiment, records)

    @classmethod
    def of(cls, study: Study) -> Self:
        """The trajectories of a study, by the records of its run folder."""
        return cls(study.experiment, study.data, study.store)

    def all(self) -> list[Iterator[Step]]:
        """One generator a trajectory; SILO's own come first, since a state they need must be kept."""
        silo = SiloTrajectories(self._view, self.training).all()
        baselines = [
            BaselineTrajectories(self._view, name, training, self._tests.get(name))
            for name, training in self.baselines.items()
        ]
        return [*silo, *self._oracles(), *(trajectory for one in baselines for trajectory in one.all())]

    def steps(self) -> Iterator[Step]:
        """Everything that the records say by now: each trajectory as far as it goes."""
        for trajectory in self.all():
            for step in trajectory:
                yield step
                if isinstance(step, Pending):
                    break

    def _oracles(self) -> list[Iterator[Step]]:
        """The Oracle's, where its candidates aren't requested along SILO's own trajectory."""
        along_silo = self.experiment.oracle.follow == "silo"
        if self.experiment.oracle.search.is_exhaustive:
            return [] if along_silo else [OracleTrajectory(self._view, self.training).steps()]
        if self.experiment.oracle.search.kind is SearchKind.UNTIL_DECIDED:
            return [RoundsTrajectory(self._view, self.training, self.data).steps()]
        search = SearchTrajectory(self._view, self.training, whole_dense=self.experiment.dense_searched_by is not None)
        return [search.along_silo() if along_silo else search.along_oracle()]
