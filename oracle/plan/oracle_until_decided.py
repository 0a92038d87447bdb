"""The Oracle's trajectory where it searches all cycles together, in rounds, until the verdicts are decided."""

from collections.abc import Generator, Iterator, Mapping

from oracle.plan.look import measured
from oracle.plan.record_view import RecordView, Unusable
from oracle.plan.search.rounds import rounds
from oracle.plan.search.task import Trial
from oracle.plan.steps import Pending, Request, Role, Skipped, Start, Step
from oracle.stats.measurements import Measurements
from oracle.study.cell import Cell
from oracle.study.data_info import DataInfo
from oracle.study.record import Record

CANDIDATE = frozenset({Role.CANDIDATE})


class RoundsTrajectory:
    """The trajectory over all cycles and seeds, on the masks of SILO's own trajectories.

    A round is the same values in the same seeds in every cycle, as far as SILO came in these seeds. It is requested as
    SILO's trajectories go on, and looked at once all of it, and they, have ended.

    Args:
        view: the experiment and its records by now.
        training: the digest of its trainings.
        data: its chance level and image counts.
    """

    def __init__(self, view: RecordView, training: str, data: DataInfo) -> None:
        self.view, self.training, self.data = view, training, data
        self.experiment = view.experiment
        self.oracle = view.experiment.oracle
        self.grid = self.oracle.grid.values()
        self.cycles = range(view.experiment.prune.cycles)
        self.requested: dict[int, list[Trial]] = {cycle: [] for cycle in self.cycles}  # beside SILO's own
        beside = {cycle: sum(value != self._silo(cycle) for value in self.grid) for cycle in self.cycles}
        self.most = {cycle: count * len(self.oracle.seeds) for cycle, count in beside.items()}

    def steps(self) -> Iterator[Step]:
        """Request round after round, as far as the records say; then what was skipped."""
        oracle = self.oracle
        search = rounds(self.grid, oracle.search.rounds(len(oracle.seeds)), oracle.levels)
        study: Measurements | None = None  # sending None is what starts a generator
        while True:
            try:
                one = search.send(study)
            except StopIteration as end:
                yield from self._skipped(end.value)
                return
            yield from self._request_along_silo(one.values, oracle.seeds[: one.seeds])
            results = yield from self._results()
            study = measured(results, self.experiment, self.data)

    def _request_along_silo(self, values: tuple[float, ...], seeds: tuple[int, ...]) -> Iterator[Step]:
        """Request values in some seeds at every cycle, as soon as SILO came there in all of these seeds."""
        starts = dict.fromkeys(seeds, Start())
        for cycle in self.cycles:
            silo, before = self._silo(cycle), set(self.requested[cycle])
            for seed in starts:
                for value in values:
                    trial = Trial(value, seed)
                    if value != silo and trial not in before:
                        self.requested[cycle].append(trial)
                        yield Request(self._cell(cycle, trial, starts), CANDIDATE, parent=starts[seed].parent)
            starts = yield from self._next(cycle, starts)

    def _next(self, cycle: int, starts: Mapping[int, Start]) -> Generator[Pending, None, dict[int, Start]]:
        """Wait for SILO's trainings of a cycle, and return what the next one starts from, in the seeds that come to it."""
        found = {}
        for seed in starts:
            cell = self._cell(cycle, Trial(self._silo(cycle), seed), starts)
            result = yield from self.view.wait_for(cell, self._later)
            if not isinstance(result, Unusable):
                found[seed] = Start(result.leaves, cell)
        return found

    def _results(self) -> Generator[Pending, None, dict[int, dict[Trial, Record | None]]]:
        """Wait for all that was requested, and SILO's own trainings in all seeds, and return them by cycle."""
        results: dict[int, dict[Trial, Record | None]] = {}
        starts = dict.fromkeys(self.oracle.seeds, Start())
        for cycle in self.cycles:
            if not starts:
                break
            results[cycle] = {}
            for trial in [*(Trial(self._silo(cycle), seed) for seed in starts), *self.requested[cycle]]:
                cell = self._cell(cycle, trial, starts)
                yield from self.view.wait_for(cell, self._later)
                results[cycle][trial] = self.view.records.record(cell.id)
            starts = yield from self._next(cycle, starts)
        return results

    def _skipped(self, why: str) -> Iterator[Skipped]:
        """What wasn't tried, in the seeds that SILO came to; all was ready when the search ended."""
        starts = dict.fromkeys(self.oracle.seeds, Start())
        for cycle in self.cycles:
            requested, silo = set(self.requested[cycle]), self._silo(cycle)
            for value in self.grid:
                untried = tuple(seed for seed in starts if value != silo and Trial(value, seed) not in requested)
                if untried:
                    yield Skipped(cycle, value, untried, why)
            starts = yield from self._next(cycle, starts)

    def _later(self) -> dict[int, int]:
        """How many more trainings each cycle may take: up to the whole grid in all seeds."""
        return {cycle: self.most[cycle] - len(requested) for cycle, requested in self.requested.items()}

    def _silo(self, cycle: int) -> float:
        return self.experiment.schedule.max_lr(cycle)

    def _cell(self, cycle: int, trial: Trial, starts: Mapping[int, Start]) -> Cell:
        return Cell(self.training, trial.seed, cycle, trial.max_lr, starts[trial.seed].digest)
