"""What the searcher must know of Tune's trials and Tune doesn't tell it: workers that are lost, and when to stop."""

from pathlib import Path
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial

from oracle.run.ray.searcher import ReadyQueueSearcher


class LostWorkerCallback(Callback):
    """Tells the searcher of every worker that is lost, and why."""

    def __init__(self, searcher: ReadyQueueSearcher) -> None:
        self._searcher = searcher

    def on_trial_recover(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Pass on Ray's message. Tune calls this before it starts the trial again."""
        message = Path(trial.error_file).read_text(encoding="utf-8", errors="replace").rpartition("Failure # ")[2]
        self._searcher.on_worker_lost(trial.trial_id, message)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Say that the trial is given up. Tune calls this after the searcher's on_trial_complete."""
        self._searcher.on_trial_given_up(trial.trial_id)

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its callbacks


class NoWorkerBegins(BaseException):
    """Leaves Tune where no worker can begin; no Exception: Tune would wait 10 to 15 s for workers that are still starting."""


class StopWhenStuck(Stopper):
    """Ends the Tune run where no worker can begin: Tune would try for ever."""

    def __init__(self, searcher: ReadyQueueSearcher) -> None:
        self._searcher = searcher

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Return False: no single trial is stopped."""
        return False

    def stop_all(self) -> bool:
        """Return False. Raises NoWorkerBegins where the searcher is stuck."""
        if self._searcher.stuck:
            raise NoWorkerBegins
        return False

    def __getstate__(self) -> dict[str, Any]:
        return {}
