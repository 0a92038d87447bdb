"""A study as offline runs of Weights & Biases, which ``wandb sync`` sends where one wants them."""

import os
import shutil
from pathlib import Path

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # before the import: nothing is sent from here

import wandb
from wandb.errors import Error

from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.report.trackers.report_files import write_files
from oracle.report.trackers.tracked import Tracked, tracked_study, tracked_trainings
from oracle.study.beside import written_beside

STUDY, TRAINING = "study", "training"  # kinds of runs


def export(results: Results, folder: Path) -> int:
    """Write a study into a new folder, as offline runs of the project of its name: one of the study, with report and verdicts,
    and in its group one of each training, with its curve by epoch.

    The ids of the runs are the same in every export, so that what is synchronized again, as when more is recorded, takes the
    place of what was. Nothing is sent, and no run holds a machine's name, a user or a command line.

    Args:
        results: of a run folder or a publication.
        folder: a new one; it has its name once it is whole.

    Returns:
        How many runs were written.

    Raises:
        InputError: where the folder is there already, nothing is recorded yet, or nothing can be written there.
    """
    if folder.exists():
        raise InputError(f"--wandb must be a new folder, got {folder}, which is there already")
    study = tracked_study(results)
    try:
        with written_beside(folder) as new:
            new.mkdir()
            with _started(study, study, new, STUDY) as run:
                write_files(results, Path(run.dir) / "report")  # no artifact: its files would wait in one's home
                run.save(f"{run.dir}/report/*", base_path=run.dir, policy="now")
            for training in tracked_trainings(results):
                with _started(study, training, new, TRAINING) as run:
                    for epoch, values in enumerate(training.curve, start=1):
                        run.log(dict(values), step=epoch)
            _clear(new)
        return 1 + len(results.cells)
    except (Error, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--wandb must be a folder that can be written, got {folder}: {reason}") from error
    finally:
        wandb.teardown()


def _clear(folder: Path) -> None:
    """What the library wrote for its own developers goes: it names folders, the machine and all that is installed on it."""
    for run in (folder / "wandb").glob("offline-run-*"):
        for name in ("logs", "tmp"):
            shutil.rmtree(run / name, ignore_errors=True)
        (run / "files" / "requirements.txt").write_text("")  # it stays: the run says that it has one
    for link in (folder / "wandb").iterdir():
        if link.is_symlink() or link.is_file():
            link.unlink()


def _started(study: Tracked, one: Tracked, folder: Path, kind: str) -> "wandb.Run":
    settings = wandb.Settings(
        mode="offline",
        console="off",
        silent=True,
        save_code=False,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        host="-",
        username="-",
        program="-",
    )
    run = wandb.init(
        project=study.name,
        group=study.id,
        id=one.id,
        name=one.name,
        job_type=kind,
        config={**one.parameters, **one.tags},
        dir=str(folder),
        reinit="finish_previous",
        settings=settings,
    )
    run.summary.update(dict(one.metrics))
    return run
