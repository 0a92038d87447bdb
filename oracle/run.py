"""Run what a study misses."""

from rich.console import Console

from oracle.frontier import Frontier
from oracle.problem import device
from oracle.progress import Progress
from oracle.study import Study, claimed
from oracle.sweep import sweep_here, sweep_on_ray


def run_study(study: Study, console: Console, local: bool, retry_failed: bool) -> bool:
    """Train every missing cell; True where nothing failed and no worker was lost for good.

    Raises InputError, before anything is written, where this machine lacks what the experiment asks.
    """
    device(study.experiment)
    with claimed(study):
        if retry_failed:
            study.store.forget_failures()
        frontier = Frontier(study.chains)
        recorded, total = frontier.recorded, study.total
        if not frontier.has_work:
            console.print(f"nothing to train: {recorded} of {total} cells are recorded", highlight=False)
            return frontier.failed == 0
        console.print(f"training {total - recorded} of {total} cells", highlight=False)
        with Progress(console, study.store, total, recorded) as progress:
            arguments = (frontier, study.experiment, study.data["digest"], study.store, progress)
            lost = sweep_here(*arguments) if local else sweep_on_ray(*arguments)
        for error in sorted(set(lost or [])):
            console.print(f"a worker was lost again and again: {error}", highlight=False)
        return frontier.failed == 0 and not lost
