"""The Oracle's trajectory where it doesn't try all of the grid: batch by batch, as its search (oracle.plan.search) requests."""

from collections.abc import Generator, Iterator, Mapping, Sequence

from oracle.plan.record_view import RecordView, Unusable
from oracle.plan.search import SEARCHES
from oracle.plan.search.skipped import skipped
from oracle.plan.search.task import SearchState, Task, Trial
from oracle.plan.steps import Pending, ReleaseState, Request, Role, Skipped, Start, Step
from oracle.study.cell import Cell

Measured = dict[Trial, float | None]  # accuracies in percent; None: diverged or failed
Starts = Mapping[int, Start]  # by seed
CANDIDATE = frozenset({Role.CANDIDATE})


class SearchTrajectory:
    """The Oracle's trajectory over all seeds, since a value is judged by its mean.

    Args:
        view: the experiment and its records by now.
        training: the digest of its trainings.
        whole_dense: a baseline's search trains the dense network at every value anyhow, so that a search saves nothing in
            cycle 0: it requests the whole grid.
    """

    def __init__(self, view: RecordView, training: str, whole_dense: bool) -> None:
        self.view, self.training, self.whole_dense = view, training, whole_dense
        self.experiment = view.experiment
        self.search = SEARCHES[self.experiment.oracle.search.kind]
        self.grid = self.experiment.oracle.grid.values()

    def along_silo(self) -> Iterator[Step]:
        """At every cycle a search on the masks of SILO's own trajectory, in the seeds in which that came so far."""
        starts, first = dict.fromkeys(self.experiment.oracle.seeds, Start()), ()
        for cycle in range(self.experiment.prune.cycles):
            task = self._task(cycle, tuple(starts), first)
            accuracies = yield from self._searched(task, cycle, starts)
            yield from self._skipped(task, cycle, accuracies)
            first = SearchState.of(task, accuracies).ends
            silo = {seed: self._cell(cycle, task.silo, seed, starts) for seed in starts}
            results = {seed: self.view.finished(cell) for seed, cell in silo.items()}
            starts = {
                seed: Start(result.leaves, silo[seed])
                for seed, result in results.items()
                if not isinstance(result, Unusable)
            }
            if not starts:
                return

    def along_oracle(self) -> Iterator[Step]:
        """At every cycle a search, from whose best value all seeds go on, each from its own mask."""
        starts, first = dict.fromkeys(self.experiment.oracle.seeds, Start()), ()
        for cycle in range(self.experiment.prune.cycles):
            task = self._task(cycle, tuple(starts), first)
            roles = CANDIDATE | {Role.SILO} if task.silo in self.grid else frozenset({Role.SILO})
            for seed in starts:
                yield Request(self._cell(cycle, task.silo, seed, starts), roles, parent=starts[seed].parent)
            accuracies = yield from self._searched(task, cycle, starts)
            best = yield from self._best_in_every_seed(task, cycle, starts, accuracies)
            yield from self._skipped(task, cycle, accuracies)
            if best is None:
                reason = f"every candidate failed or diverged at cycle {cycle}"
                yield from self.view.blocked("the Oracle's chain", cycle + 1, reason)
                return
            # SILO's value stays: SILO's own trajectory may come to the very cell
            losers = [trial for trial in accuracies if trial.max_lr not in (best, task.silo)]
            yield ReleaseState(tuple(self._cell(cycle, *trial, starts) for trial in losers))
            first = SearchState.of(task, accuracies).ends
            winners = {seed: self._cell(cycle, best, seed, starts) for seed in starts}
            starts = {seed: Start(self.view.finished(cell).leaves, cell) for seed, cell in winners.items()}

    def _task(self, cycle: int, seeds: tuple[int, ...], first: tuple[float, ...]) -> Task:
        oracle, silo = self.experiment.oracle, self.experiment.schedule.max_lr(cycle)
        beside_silo = sum(value != silo for value in self.grid) * len(seeds)
        budget = beside_silo if self._is_whole(cycle) else self._budget(seeds)
        return Task(self.grid, seeds, oracle.tolerance, silo, first, budget)

    def _budget(self, seeds: Sequence[int]) -> int:
        return self.experiment.oracle.search.budget(len(self.grid), len(seeds))

    def _is_whole(self, cycle: int) -> bool:
        return self.whole_dense and cycle == 0

    def _searched(self, task: Task, cycle: int, starts: Starts) -> Generator[Step, None, Measured]:
        """All that the search requests, measured."""
        silo = [Trial(task.silo, seed) for seed in starts]
        if self._is_whole(cycle):
            whole = [Trial(value, seed) for value in self.grid for seed in starts]
            yield from self._requests(whole, cycle, starts)
            return (yield from self._measured(list(dict.fromkeys([*silo, *whole])), task, {}, cycle, starts))
        accuracies = yield from self._measured(silo, task, {}, cycle, starts)
        while batch := self.search(task, accuracies):
            yield from self._requests(batch, cycle, starts)
            accuracies |= yield from self._measured(batch, task, accuracies, cycle, starts)
        return accuracies

    def _skipped(self, task: Task, cycle: int, accuracies: Measured) -> Iterator[Skipped]:
        return (Skipped(cycle, *one) for one in skipped(self.experiment.oracle.search.kind, task, accuracies))

    def _best_in_every_seed(
        self, task: Task, cycle: int, starts: Starts, accuracies: Measured
    ) -> Generator[Step, None, float | None]:
        """The best value, once it was tried in every seed; None where there is none. Adds to the accuracies."""
        while (interval := SearchState.of(task, accuracies).interval) is not None:
            missing = [trial for seed in starts if (trial := Trial(interval.best, seed)) not in accuracies]
            if not missing:
                return interval.best
            yield from self._requests(missing, cycle, starts)
            accuracies |= yield from self._measured(missing, task, accuracies, cycle, starts)
        return None

    def _requests(self, trials: Sequence[Trial], cycle: int, starts: Starts) -> Iterator[Step]:
        for trial in trials:
            yield Request(self._cell(cycle, *trial, starts), CANDIDATE, parent=starts[trial.seed].parent)

    def _measured(
        self, trials: Sequence[Trial], task: Task, accuracies: Measured, cycle: int, starts: Starts
    ) -> Generator[Pending, None, Measured]:
        """The accuracies of trials, once all are finished; those before them say what is left of the budget."""
        measured: Measured = {}
        # on the Oracle's masks SILO's value is requested, too, and the winner in the seeds that it misses
        beside = len(task.seeds) if self.experiment.oracle.follow == "oracle" else 0
        left = task.budget - task.trained(accuracies) - sum(trial.max_lr != task.silo for trial in trials)

        def later() -> Mapping[int, int]:
            own = max(0, left) + beside
            return {**self.view.later(cycle, self._budget(task.seeds) + 2 * beside), cycle: own}

        for trial in trials:
            result = yield from self.view.wait_for(self._cell(cycle, *trial, starts), later)
            measured[trial] = None if isinstance(result, Unusable) else self.view.accuracy(result)
        return measured

    def _cell(self, cycle: int, max_lr: float, seed: int, starts: Starts) -> Cell:
        return Cell(self.training, seed, cycle, max_lr, starts[seed].digest)
