"""One live display while a study is trained; plain lines where there is no terminal."""

import time
from collections import defaultdict
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from oracle.plan.trajectories import Trajectories
from oracle.study.cell import Cell

SECONDS_BETWEEN_LINES = 10
BAR_WIDTH = 5


class Progress:
    """Shows trainings done and in all, the time left, what the last one was for, and the best max_lr in its cycle so far.

    What it was for is its trajectory, pruning cycle and seed: several trajectories go on side by side, so that the cycle may
    jump from one line to the next. The best is by the mean of what the study chooses values on (validation, or test as
    released), over the trainings that were recorded since this run began. Baselines' trainings are counted, but left out of
    it: their accuracies are others.
    """

    def __init__(self, console: Console, trajectories: Trajectories, total: int, recorded: int) -> None:
        """Show nothing yet.

        Args:
            console: Where to; a terminal gets one line that changes, anything else a line every few seconds.
            trajectories: The study's.
            total: How many trainings the study has, at most.
            recorded: How many of them have a record already.
        """
        self._console, self._records = console, trajectories.records
        self._training, self._chosen_on = trajectories.training, trajectories.experiment.chosen_on
        self._last_cycle = trajectories.experiment.prune.cycles - 1
        self._total, self._recorded = total, recorded
        # when the first training was finished, and how many were recorded then
        self._first: tuple[float, int] | None = None
        self._printed_at = time.monotonic() - SECONDS_BETWEEN_LINES  # the first training gets a line
        # by cycle and max_lr: how many accuracies there are, and their sum
        self._sums: dict[int, dict[float, tuple[int, float]]] = defaultdict(lambda: defaultdict(lambda: (0, 0.0)))
        self._bar = Bar(MofNCompleteColumn(), BarColumn(BAR_WIDTH), _Description(), console=console)

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._bar.start()
            self._task = self._bar.add_task("starting", total=self._total, completed=self._recorded)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def finished(self, cell: Cell, purpose: str) -> None:
        """Show that a training was recorded; of one that failed, show nothing.

        Args:
            cell: The training.
            purpose: What it was for, as ``oracle.plan.steps.Request.purpose`` has it.
        """
        record = self._records.record(cell.id)
        if record is None:
            return
        self._recorded = min(self._recorded + 1, self._total)  # a state that is made again adds no record
        if cell.training == self._training and not record.outcome.diverged:
            count, total = self._sums[cell.cycle][cell.max_lr]
            self._sums[cell.cycle][cell.max_lr] = count + 1, total + getattr(record.outcome, self._chosen_on)
        self._first = self._first or (time.monotonic(), self._recorded)
        where = f"{purpose}, cycle {cell.cycle} of {self._last_cycle}, seed {cell.seed}"
        text = " · ".join([f"{self._time_left()} left", *self._best(cell), where])
        if self._console.is_terminal:
            self._bar.update(self._task, completed=self._recorded, description=text)
        elif time.monotonic() - self._printed_at >= SECONDS_BETWEEN_LINES or self._recorded == self._total:
            self._printed_at = time.monotonic()
            line = f"{self._recorded}/{self._total} trainings · {text}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _best(self, cell: Cell) -> list[str]:
        if cell.training != self._training:
            return []
        means = {max_lr: total / count for max_lr, (count, total) in self._sums[cell.cycle].items()}
        if not means:
            return []
        best = max(means, key=means.get)
        return [f"best {best:.3g}: {means[best]:.1f}%"]

    def _time_left(self) -> str:
        """Return minutes:seconds, by the pace since the first training: so the workers' start doesn't count."""
        first_at, first = self._first
        if self._recorded == first:
            return "?"
        seconds = (time.monotonic() - first_at) / (self._recorded - first) * (self._total - self._recorded)
        minutes, seconds = divmod(round(seconds), 60)
        return f"{minutes}:{seconds:02d}"


class _Description(ProgressColumn):
    """The words of a task; the only column that a narrow terminal cuts, so that the count always stands."""

    def __init__(self) -> None:
        super().__init__(table_column=Column())

    def render(self, task: Task) -> Text:
        return Text(task.description, no_wrap=True, overflow="ellipsis")
