"""Run what a study misses."""

from rich.console import Console

from oracle.sweep.environment import difference, environment
from oracle.sweep.frontier import Frontier
from oracle.sweep.problem import device
from oracle.sweep.progress import Progress
from oracle.sweep.study import Study, claimed
from oracle.sweep.sweep import sweep_here, sweep_on_ray
from oracle.sweep.tally import tally


def run_study(study: Study, console: Console, local: bool, retry_failed: bool) -> bool:
    """Train every missing cell; True where none failed and none is missing then.

    Raises InputError, before anything is written, where this machine lacks what the experiment asks.
    """
    here = environment(device(study.experiment))
    with claimed(study):
        if retry_failed:
            study.store.forget_failures()
        before = tally(study.chains)
        if before.count("missing") == 0:
            console.print(f"nothing to train: {before.recorded} of {before.total} cells are recorded", highlight=False)
            return before.count("failed") == 0
        console.print(f"training {before.count('missing')} of {before.total} cells", highlight=False)
        if other := difference(here, before.records):
            console.print(
                f"this machine's environment differs from that of the records there: {other}", highlight=False
            )
        frontier = Frontier(study.chains)
        with Progress(console, study.store, study.chains.training, before.total, before.recorded) as progress:
            arguments = (frontier, study.experiment, study.data["digest"], study.store, progress)
            errors = sweep_here(*arguments) if local else sweep_on_ray(*arguments)
        for error in sorted(set(errors)):
            console.print(f"a worker was lost again and again: {error}", highlight=False)
        # now the total is exact: where chains came to the same cells, it is smaller than before
        after = tally(study.chains)
        console.print(f"{after.recorded} of {after.total} cells are recorded", highlight=False)
        return after.count("failed", "missing") == 0
