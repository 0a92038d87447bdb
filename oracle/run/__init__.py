"""Doing it: workers that train what is missing, in this process or on Ray.

This package is what ``oracle.run(experiment, folder)`` calls, too: a function of that name would hide it, or be hidden by it.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oracle.experiment.spec import Experiment


class _CallablePackage(ModuleType):
    """The package, which can be called."""

    def __call__(
        self,
        experiment: "Experiment",
        folder: str | Path,
        *,
        local: bool = True,
        address: str | None = None,
        retry_failed: bool = False,
        quiet: bool = False,
    ) -> bool:
        """Train what is missing of an experiment, and record it in its run folder.

        It may be interrupted, and called again: nothing that is recorded is trained twice. Where and in which order trainings
        run changes no number of them.

        Args:
            experiment: as ``oracle.load_experiment`` returns it.
            folder: the run folder, which is made where it is missing, such as ``runs/mine``.
            local: train in this process, one after another; False: on Ray, as many at once as there is room for.
            address: of a running Ray cluster, HOST:PORT or "auto"; None: a Ray of its own. It must be None where local is True.
            retry_failed: try trainings again that failed with an error.
            quiet: print no progress.

        Returns:
            Whether every training is recorded now, and none has failed.

        Raises:
            InputError: before anything is trained: the folder is another experiment's, data can't be read, a record is
                damaged, or this machine lacks what the experiment requests; one line says which.
            SweepError: the run can't go on (a lost device, say); what is recorded stays.
            OSError: the folder can't be written.
        """
        from rich.console import Console

        from oracle.error import InputError
        from oracle.experiment.message import shown
        from oracle.experiment.spec import Experiment
        from oracle.run.run import run_study
        from oracle.study.study import new_study

        if not isinstance(experiment, Experiment) or experiment.is_recorded:
            given = "one read from records" if isinstance(experiment, Experiment) else shown(experiment)
            raise InputError(f"experiment must be what oracle.load_experiment returned, got {given}")
        if local and address is not None:
            raise InputError(f"address must be None where local is True, got {address!r}")
        study = new_study(experiment, Path(folder))
        return run_study(study, Console(quiet=quiet), local, retry_failed, address)


sys.modules[__name__].__class__ = _CallablePackage
