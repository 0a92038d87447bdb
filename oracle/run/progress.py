"""One live display while a sweep runs; plain lines where there is no terminal."""

import time
from collections import defaultdict
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from oracle.study.cell import Cell
from oracle.study.store import Store

SECONDS_BETWEEN_LINES = 10


class Progress:
    """Cells done and total, the pruning cycle of the last one, the best max_lr in it since this run began, the time left.

    training is that of the study's own cells: a baseline's are counted, but their accuracies are others. total counts every
    cell, recorded those that have a record already.
    """

    def __init__(self, console: Console, store: Store, training: str, total: int, recorded: int) -> None:
        self._console, self._store, self._training = console, store, training
        self._total, self._recorded = total, recorded
        # when the first cell was finished, and how many were recorded then
        self._first: tuple[float, int] | None = None
        self._said = time.monotonic() - SECONDS_BETWEEN_LINES  # the first cell gets a line
        # by cycle and max_lr: how many accuracies there are, and their sum
        self._sums: dict[int, dict[float, tuple[int, float]]] = defaultdict(lambda: defaultdict(lambda: (0, 0.0)))
        self._bar = Bar(
            TextColumn("cells"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"), console=console
        )

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._bar.start()
            self._task = self._bar.add_task("starting", total=self._total, completed=self._recorded)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def finished(self, cell: Cell) -> None:
        """Show that this cell was recorded (or failed: then nothing but the time moves)."""
        record = self._store.record(cell.id)
        if record is None:
            return
        self._recorded = min(self._recorded + 1, self._total)  # a state that is made again adds no record
        if cell.training == self._training and not record.outcome.diverged:
            found, total = self._sums[cell.cycle][cell.max_lr]
            self._sums[cell.cycle][cell.max_lr] = found + 1, total + record.outcome.validation
        self._first = self._first or (time.monotonic(), self._recorded)
        text = " · ".join([f"cycle {cell.cycle}", *self._best(cell.cycle), f"{self._left()} left"])
        if self._console.is_terminal:
            self._bar.update(self._task, completed=self._recorded, description=text)
        elif time.monotonic() - self._said >= SECONDS_BETWEEN_LINES or self._recorded == self._total:
            self._said = time.monotonic()
            self._console.print(f"{self._recorded}/{self._total} cells · {text}", highlight=False)

    def _best(self, cycle: int) -> list[str]:
        means = {max_lr: total / found for max_lr, (found, total) in self._sums[cycle].items()}
        if not means:
            return []
        best = max(means, key=means.get)
        return [f"best of those trained now: max_lr {best:.3g} ({means[best]:.2f}%)"]

    def _left(self) -> str:
        """By the pace since the first cell, so that the workers' start doesn't count."""
        first_at, first = self._first
        if self._recorded == first:
            return "?"
        seconds = (time.monotonic() - first_at) / (self._recorded - first) * (self._total - self._recorded)
        minutes, seconds = divmod(round(seconds), 60)
        return f"{minutes}:{seconds:02d}"
