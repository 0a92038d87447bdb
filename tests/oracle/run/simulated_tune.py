"""A made-up Tune: asks the searcher for trials and tells it what their workers do. No Ray is started."""

from collections import deque

from synthetic import DATA_INFO, Worker, experiment

from oracle.plan.trajectories import Trajectories
from oracle.run.ray.environment import PRIVATE_RAY, set_environment
from oracle.run.ready_queue import ReadyQueue

set_environment(PRIVATE_RAY)  # ray reads it when it is imported, and other tests start it in this process

KILLED = "(occurred at noon)\nThe actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR"


class Seen:
    """Stands for the display."""

    def __init__(self):
        self.cells = []

    def finished(self, cell, purpose):
        self.cells.append(cell)


class Hands:
    """A worker process: what was assigned to it, and the handle by which that is done."""

    def __init__(self):
        self.tasks, self.introduced = deque(), False
        self.assign = self  # as a handle has it: worker.assign.remote(jobs)

    def remote(self, jobs, last=False):
        self.tasks.append((jobs, last))


class Tune:
    """Holds trials that ``rest`` on the searcher; ``step`` lets one of their workers do its next thing."""

    def __init__(self, searcher, trains):
        self.searcher, self.trains = searcher, trains
        self.trials, self.started, self.finished = {}, 0, False
        self.assigned, self.packs = [], []

    def ask(self):
        """Until the searcher wants no more trials."""
        while not self.finished:
            trial = f"trial {self.started}"
            suggested = self.searcher.suggest(trial)
            if suggested is None:
                return
            if suggested == self.searcher.FINISHED:
                self.finished = True
                return
            self.trials[trial], self.started = Hands(), self.started + 1

    def step(self, trial, idle=0.0):
        """The next step of this trial's worker."""
        hands = self.trials[trial]
        jobs, last = hands.tasks.pop() if hands.tasks else ([], False)
        hands.tasks.clear()
        if last:
            del self.trials[trial]
            return self.searcher.on_trial_complete(trial_id=trial, result={"done": True})
        if not hands.introduced:
            hands.introduced = True
            return self.searcher.on_trial_result(trial, {"worker": hands, "lanes": self.trains.lanes})
        if not jobs:
            return self.searcher.on_trial_result(trial, {"idle": idle})
        self.assigned.extend(jobs)
        self.packs.append([job.cell.id for job in jobs])
        try:
            self.trains.run(*jobs)
        except OSError as error:
            del self.trials[trial]
            return self.searcher.on_trial_complete(trial_id=trial, result={"done": True, "fatal": error})
        return self.searcher.on_trial_result(trial, {"cells": [job.cell.id for job in jobs]})

    def lose(self, trial, message=KILLED):
        """This trial's worker dies; another starts in its place."""
        self.trials[trial] = Hands()
        self.searcher.on_worker_lost(trial, message)

    def run(self, pick=lambda count: 0, until=lambda: False):
        """Until the searcher is done; ``pick`` says whose worker is next."""
        for _ in range(3000):
            self.ask()
            if until() or (self.finished and not self.trials):
                return
            self.step(sorted(self.trials)[pick(len(self.trials))])
        raise AssertionError("the sweep doesn't end")


def tuned(store, max_workers=2, spec=None, **changes):
    from oracle.run.ray.searcher import ReadyQueueSearcher  # where Ray is missing, what else is tested with it goes on

    queue = ReadyQueue(Trajectories(spec or experiment(), DATA_INFO, store))
    return Tune(ReadyQueueSearcher(queue, store, Seen(), lambda: max_workers), Worker(store, **changes))
