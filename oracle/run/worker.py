"""Train one cell and make its record durable: the same in a Ray worker and in this process."""

from collections.abc import Sequence
from functools import cached_property

import torch

from oracle.experiment.spec import Experiment
from oracle.run.checkpoint import EpochCheckpoint
from oracle.run.failure_reason import reason_of
from oracle.run.problem import device, flops_of, problems
from oracle.run.ready_queue import Job
from oracle.study.ballast import ROOM, Ballast
from oracle.study.cell import Cell
from oracle.study.environment import current_environment
from oracle.study.record import Layer, Record
from oracle.study.states import read_state, write_state
from oracle.study.store import Event, Store
from silo.cycle import Candidate, CycleResult, run_lanes, start_of
from silo.data.images import Dataset
from silo.flops import ForwardFlops
from silo.graph import CaptureError, GraphStepper
from silo.lane import EAGER, EagerStepper, Stepper
from silo.state import State
from silo.stepping import stepper_on

TRIES = 3  # of a training that raises an error: a busy file system or a full GPU may be another's fault


class Worker:
    """Trains jobs and makes their records durable; holds the data between them.

    Args:
        experiment: whose trainings it runs.
        dataset: its data.
        data_digest: the data's digest.
        store: the run folder.

    Attributes:
        lanes: how many jobs it takes at once, at most.

    Raises:
        FieldError: where this machine lacks the device.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, data_digest: str, store: Store) -> None:
        self.store = store
        self.compute = experiment.compute
        self.device = device(experiment)
        self.ballast = Ballast(store.folder)
        self._largest_state = 0
        self.problems = problems(experiment, dataset, data_digest, self.device)
        self.dataset = dataset
        self.stepper = self._make_stepper(experiment)
        lanes = self.compute.lanes
        self.lanes = lanes if self.device.type == "cpu" and lanes != "auto" else self.stepper.at_once

    def _make_stepper(self, experiment: Experiment) -> Stepper:
        if self.device.type == "cpu":
            return EAGER
        problem, seed = next(iter(self.problems.values())), experiment.oracle.seeds[0]
        start = start_of(problem, seed, 0, Candidate(max_lr=0.0, start=State()))
        at_once = None if self.compute.lanes == "auto" else self.compute.lanes
        return stepper_on(start, problem.data(seed), problem.recipe, at_once, min(1.0, self.compute.gpus_per_trial))

    def run(self, *jobs: Job) -> None:
        """Train jobs of one seed and cycle, and record what came of each; one that raises an error again and again
        becomes a recorded failure. A cell that another worker recorded meanwhile isn't trained.

        Raises:
            OSError: where the run folder can't be written; if it can be known, before the training.
            InputError: where a start state is damaged.
            torch.AcceleratorError: where this process can't use its device any more.
        """
        missing = [job for job in jobs if not self._recorded(job)]
        if not missing:
            return
        self.ballast.hold(len(missing) * (self._largest_state + ROOM))
        if isinstance(self.stepper, GraphStepper):
            self._run_together(missing)
        else:
            for job in missing:
                self._run_alone(job, self.stepper)

    def _recorded(self, job: Job) -> bool:
        cell_id = job.cell.id
        recorded = self.store.record(cell_id) is not None and (self.store.has_state(cell_id) or not job.keeps_state)
        if recorded:
            self.store.log_attempt(cell=cell_id, event=Event.SKIPPED)
        return recorded

    def _run_together(self, jobs: Sequence[Job]) -> None:
        """Train jobs side by side; where that fails in halves, and in the end one by one."""
        error = self._try(jobs, self.stepper)
        if error is None:
            return
        self.fall_back(error)
        if not isinstance(self.stepper, GraphStepper):
            for job in jobs:
                self._run_alone(job, self.stepper)
        elif len(jobs) > 1:
            half = len(jobs) // 2
            self._run_together(jobs[:half])
            self._run_together(jobs[half:])
        else:
            self._run_alone(jobs[0], EagerStepper(because=f"captured, it failed by {type(error).__name__}"))

    def fall_back(self, error: Exception) -> None:
        """Step otherwise from now on: eager after a CaptureError, which is no pack's fault; else with graphs begun anew, since
        what failed may be half of one, and with half as many lanes where memory is short.
        """
        if isinstance(error, CaptureError):
            self.stepper = EagerStepper(because=f"it can't be captured ({error})")
            self.lanes = self.stepper.at_once
        else:
            lanes = self.stepper.at_once
            self.stepper = self.stepper.anew(max(1, lanes // 2) if isinstance(error, torch.OutOfMemoryError) else lanes)
        self._give_memory_back()

    def _run_alone(self, job: Job, stepper: Stepper) -> None:
        for tried in range(1, TRIES + 1):
            error = self._try([job], stepper)
            if error is None:
                return
            self._give_memory_back()
            if tried == TRIES - 1:  # the last try goes without what may be the cause
                self.store.drop_checkpoint(job.cell.id)
        self.store.write_failure(job.cell.id, reason_of(error, self.compute))

    def _give_memory_back(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _try(self, jobs: Sequence[Job], stepper: Stepper) -> Exception | None:
        """Train and record; why that failed, or None."""
        for job in jobs:
            self.store.log_attempt(cell=job.cell.id, event=Event.STARTED)
        here = current_environment(self.device)
        checkpoints = [EpochCheckpoint(self.store, job.cell.id, here, len(jobs)) for job in jobs]
        one = jobs[0].cell
        candidates = [
            Candidate(job.cell.max_lr, self._start(job), checkpoint, self.problems[job.cell.training])
            for job, checkpoint in zip(jobs, checkpoints, strict=True)
        ]
        try:
            results = run_lanes(self.problems[one.training], one.seed, one.cycle, candidates, stepper)
        except torch.AcceleratorError:
            raise
        except Exception as error:
            reason = reason_of(error, self.compute)
            for job in jobs:
                self.store.log_attempt(cell=job.cell.id, event=Event.FAILED, reason=reason)
            # its frames would hold the lanes, their graphs and the memory
            error.__traceback__ = error.__context__ = error.__cause__ = None
            return error
        seconds = [checkpoint.seconds for checkpoint in checkpoints]

        def write() -> None:
            for job, result, took in zip(jobs, results, seconds, strict=True):
                self._write(job, result, took, str(stepper))

        self.ballast.spent_on(write)
        return None

    def _write(self, job: Job, result: CycleResult, seconds: float, stepper: str) -> None:
        if job.keeps_state and result.leaves is not None:
            size = write_state(self.store, job.cell.id, result.leaves)
            self._largest_state = max(self._largest_state, size)
        first = self.store.write_record(self._record(job.cell, result, seconds, stepper))
        self.store.log_attempt(cell=job.cell.id, event=Event.RECORDED if first else Event.SUPERSEDED)

    def _start(self, job: Job) -> State:
        if job.parent_id is None:
            return State()
        return read_state(self.store, job.parent_id, job.cell.start, self._prunable)

    @cached_property
    def _prunable(self) -> dict[str, torch.nn.Parameter]:
        """The prunable weights, of which names and shapes are all that's needed: the same in every training."""
        problem = next(iter(self.problems.values()))
        with torch.device("meta"):
            return problem.pruning.prunable(problem.build())

    @cached_property
    def _flops(self) -> ForwardFlops | None:
        """What the network computes, the same in every training; counted after the first, which imports what that takes."""
        return flops_of(next(iter(self.problems.values())), self.dataset)

    def _record(self, cell: Cell, result: CycleResult, seconds: float, stepper: str) -> Record:
        return Record(
            id=cell.id,
            cell=cell,
            outcome=result.outcome,
            alive=result.alive,
            prunable=result.prunable,
            layers=tuple(Layer(name, *counts) for name, counts in result.layers.items()),
            leaves=result.leaves and result.leaves.digest(),
            environment=current_environment(self.device),
            stepping=stepper,
            seconds=round(seconds, 4),
            flops=self._flops and self._flops.masked(result.layers),
        )
