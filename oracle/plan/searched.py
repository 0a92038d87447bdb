"""The Oracle's cells where it doesn't ask for all of them: batch by batch, as its search wishes (oracle.plan.search)."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from oracle.experiment.spec import DENSE
from oracle.plan.record_view import RecordView
from oracle.plan.search import SEARCHES
from oracle.plan.search.skipped import skipped
from oracle.plan.search.task import SearchState, Task, Trial
from oracle.plan.steps import Pending, ReleaseState, Request, Skipped, Step
from oracle.study.cell import Cell


@dataclass(frozen=True)
class Start:
    """What a seed's cells of a cycle start from: the digest of a state, and the cell that left it (None: the dense network)."""

    digest: str = DENSE
    parent: Cell | None = None


class SearchTrajectory:
    """The Oracle's chain over all seeds, since a value is judged by its mean.

    training: the digest of its trainings; whole_dense: a baseline's search trains the dense network at every value anyhow, and
    so in cycle 0 nothing is saved by a search: it asks for the whole grid.
    """

    def __init__(self, walk: RecordView, training: str, whole_dense: bool) -> None:
        self.walk, self.training, self.whole_dense = walk, training, whole_dense
        self.experiment = walk.experiment
        self.search = SEARCHES[self.experiment.oracle.search.kind]
        self.grid = self.experiment.oracle.grid.values()

    def along_silo(self) -> Iterator[Step]:
        """At every cycle a search on the masks of SILO's own chain, in the seeds in which that came so far."""
        starts, first = dict.fromkeys(self.experiment.oracle.seeds, Start()), ()
        for cycle in range(self.experiment.prune.cycles):
            task = self._task(cycle, tuple(starts), first)
            found = yield from self._searched(task, cycle, starts)
            yield from self._skipped(task, cycle, found)
            first = SearchState.of(task, found).ends
            silo = {seed: self._cell(cycle, task.silo, seed, starts) for seed in starts}
            records = {seed: self.walk.finished(cell) for seed, cell in silo.items()}
            starts = {
                s: Start(record["leaves"], silo[s]) for s, record in records.items() if not isinstance(record, str)
            }
            if not starts:
                return

    def along_oracle(self) -> Iterator[Step]:
        """At every cycle a search, from whose best value all seeds go on, each from its own mask."""
        starts, first = dict.fromkeys(self.experiment.oracle.seeds, Start()), ()
        for cycle in range(self.experiment.prune.cycles):
            task = self._task(cycle, tuple(starts), first)
            for seed in starts:
                own = self._cell(cycle, task.silo, seed, starts)
                yield Request(own, candidate=task.silo in self.grid, silo=True, parent=starts[seed].parent)
            found = yield from self._searched(task, cycle, starts)
            found, best = yield from self._in_every_seed(task, cycle, starts, found)
            yield from self._skipped(task, cycle, found)
            if best is None:
                reason = f"every candidate failed or diverged at cycle {cycle}"
                yield from self.walk.blocked("the Oracle's chain", cycle + 1, reason)
                return
            # SILO's value stays: SILO's own chain may come to the very cell
            losers = [trial for trial in found if trial.max_lr not in (best, task.silo)]
            yield ReleaseState(tuple(self._cell(cycle, *trial, starts) for trial in losers))
            first = SearchState.of(task, found).ends
            winners = {seed: self._cell(cycle, best, seed, starts) for seed in starts}
            starts = {seed: Start(self.walk.finished(cell)["leaves"], cell) for seed, cell in winners.items()}

    def _task(self, cycle: int, seeds: tuple[int, ...], first: tuple[float, ...]) -> Task:
        oracle, silo = self.experiment.oracle, self.experiment.schedule.max_lr(cycle)
        beside_silo = sum(value != silo for value in self.grid) * len(seeds)
        budget = beside_silo if self._is_whole(cycle) else self._budget(seeds)
        return Task(self.grid, seeds, oracle.tolerance, silo, first, budget)

    def _budget(self, seeds: Sequence[int]) -> int:
        return self.experiment.oracle.search.budget(len(self.grid), len(seeds))

    def _is_whole(self, cycle: int) -> bool:
        return self.whole_dense and cycle == 0

    def _searched(
        self, task: Task, cycle: int, starts: Mapping[int, Start]
    ) -> Generator[Step, None, dict[Trial, float | None]]:
        """All that the search asks for, measured."""
        silo = [Trial(task.silo, seed) for seed in starts]
        if self._is_whole(cycle):
            whole = [Trial(value, seed) for value in self.grid for seed in starts]
            yield from self._wanted(whole, cycle, starts)
            return (yield from self._measured(list(dict.fromkeys([*silo, *whole])), task, {}, cycle, starts))
        found = yield from self._measured(silo, task, {}, cycle, starts)
        while batch := self.search(task, found):
            yield from self._wanted(batch, cycle, starts)
            found |= yield from self._measured(batch, task, found, cycle, starts)
        return found

    def _skipped(self, task: Task, cycle: int, found: dict[Trial, float | None]) -> Iterator[Skipped]:
        return (Skipped(cycle, *one) for one in skipped(self.experiment.oracle.search.kind, task, found))

    def _in_every_seed(
        self, task: Task, cycle: int, starts: Mapping[int, Start], found: dict[Trial, float | None]
    ) -> Generator[Step, None, tuple[dict[Trial, float | None], float | None]]:
        """The best value, tried in every seed; None where there is none."""
        while (interval := SearchState.of(task, found).interval) is not None:
            missing = [trial for seed in starts if (trial := Trial(interval.best, seed)) not in found]
            if not missing:
                return found, interval.best
            yield from self._wanted(missing, cycle, starts)
            found = found | (yield from self._measured(missing, task, found, cycle, starts))
        return found, None

    def _wanted(
        self, trials: list[Trial] | tuple[Trial, ...], cycle: int, starts: Mapping[int, Start]
    ) -> Iterator[Step]:
        for trial in trials:
            yield Request(self._cell(cycle, *trial, starts), candidate=True, parent=starts[trial.seed].parent)

    def _measured(
        self,
        trials: list[Trial] | tuple[Trial, ...],
        task: Task,
        found: dict[Trial, float | None],
        cycle: int,
        starts: Mapping[int, Start],
    ) -> Generator[Pending, None, dict[Trial, float | None]]:
        """Their accuracies, once all are finished."""
        measured = {}
        # on the Oracle's masks SILO's value is asked for, too, and the winner in the seeds that it lacks
        beside = len(task.seeds) if self.experiment.oracle.follow == "oracle" else 0
        more = self.walk.later(cycle, self._budget(task.seeds) + 2 * beside)
        left = task.budget - task.trained(found) - sum(trial.max_lr != task.silo for trial in trials)
        more[cycle] = max(0, left) + beside
        for trial in trials:
            cell = self._cell(cycle, *trial, starts)
            while (record := self.walk.finished(cell)) is None:
                yield Pending(cell, more)
            measured[trial] = None if isinstance(record, str) else self.walk.accuracy(record)
        return measured

    def _cell(self, cycle: int, max_lr: float, seed: int, starts: Mapping[int, Start]) -> Cell:
        return Cell(self.training, seed, cycle, max_lr, starts[seed].digest)
