"""Workers that are lost: what Tune is to make of it, and to tell the searcher."""

from pathlib import Path
from typing import Any

from ray.air.execution._internal import RayActorManager
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial

from oracle.run.ray.searcher import ReadyCells


class Losses(Callback):
    """Tells the searcher of every worker that is lost: Tune itself tells a Searcher neither when nor why."""

    def __init__(self, searcher: ReadyCells) -> None:
        self._searcher = searcher

    def on_trial_recover(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Before the trial is started again."""
        told = Path(trial.error_file).read_text().rpartition("Failure # ")[2]
        self._searcher.on_worker_lost(trial.trial_id, told)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """After the searcher was told that the trial is complete."""
        self._searcher.on_trial_given_up(trial.trial_id)

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its callbacks


class WhereStuck(Stopper):
    """Stops every trial where no worker can begin: Tune would try for ever."""

    def __init__(self, searcher: ReadyCells) -> None:
        self._searcher = searcher

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Never a single one."""
        return False

    def stop_all(self) -> bool:
        """All of them."""
        return self._searcher.stuck

    def __getstate__(self) -> dict[str, Any]:
        return {}


_failed = RayActorManager._actor_task_failed


def _actor_task_failed(self: RayActorManager, tracked_actor_task: Any, exception: Exception) -> None:
    if isinstance(exception, RayError) and not isinstance(exception, RayTaskError | RayActorError):
        exception = RayActorError(error_msg=str(exception))
    _failed(self, tracked_actor_task, exception)


# Where Ray ends a worker since memory is short, Tune hears of an error that it takes for none of an actor (ray 2.60:
# "Caught unexpected exception"), and the whole sweep would end.
RayActorManager._actor_task_failed = _actor_task_failed
