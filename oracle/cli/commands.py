"""What each command does. A command imports in itself what others don't need: each answers as soon as it can."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oracle.cli.screen import files_text, screen_width, show, shown_path
from oracle.experiment.factors import BASE, COMPARE, file_schema, load_levels
from oracle.experiment.overrides import set_option
from oracle.experiment.redaction import redact, redact_override, without_users
from oracle.experiment.spec import Experiment
from oracle.plain_text import one_line
from silo.prune_rate import weights_remaining

if TYPE_CHECKING:
    from oracle.study.study import Study

DONE, FAILED = 0, 1
OPENED = {  # files of a report that a run ends with
    "report.html": "all of it on one page",
    "verdicts.md": "the verdicts, and all that is behind them",
    "max_lr.png": "the Oracle's interval and SILO's max_lr",
    "policies.png": "accuracy of every policy",
    "comparison.md": "SILO against the Oracle, whole",
    "policies.md": "accuracies with their standard deviations",
}


class Requested(NamedTuple):
    """An experiment that was requested, its run folder, and how it was requested."""

    experiment: Experiment
    folder: Path
    origin: str


def _requested(arguments: Namespace) -> dict[str, Requested]:
    """By level of the file's factors: by "" alone where it has none."""
    return {
        level: Requested(experiment, _folder(arguments.out, experiment, level), _origin(arguments, level))
        for level, experiment in load_levels(arguments.file, arguments.set, arguments.level).items()
    }


def _folder(out: Path | None, experiment: Experiment, level: str) -> Path:
    """The run folder; of a file with factors those of all levels lie in one."""
    if not level:
        return out or Path("runs") / experiment.name
    return (out or Path("runs") / experiment.name.removesuffix(f"-{level.replace('/', '-')}")) / level


def _origin(arguments: Namespace, level: str) -> str:
    file = redact(str(arguments.file)).removeprefix(".../")
    overrides = [set_option(redact_override(override)) for override in arguments.set]
    return one_line(" ".join([file, *([f"--level {level}"] if level else []), *overrides]))


def _show_level(level: str) -> None:
    """Show which of several experiments what follows is about."""
    if level:
        show(f"== {level}")


def _plan(arguments: Namespace) -> int:
    from oracle.cli.plan import plan_text
    from oracle.cli.power import HOW, pilot_of, power_lines
    from oracle.run.trial import check_training
    from oracle.study.study import new_study, planned_study

    every, pilot = _requested(arguments), pilot_of(arguments)
    for level, requested in every.items():
        _show_level(level)
        study = (new_study if arguments.calibrate else planned_study)(*requested)
        check_training(study)
        predicted: list[str] = []
        if arguments.calibrate:
            from oracle.cli.prediction import predicted_lines
            from oracle.run.calibration.calibration import calibrate

            speed = calibrate(study)
            predicted = predicted_lines(study, speed) if speed else []
        show(plan_text(study, predicted))
        show("\n".join(power_lines(study.experiment, study.data, pilot)) if pilot else HOW)
    return DONE


def _run(arguments: Namespace) -> int:
    from rich.console import Console

    from oracle.run.run import run_study
    from oracle.study.study import new_study

    every, complete = _requested(arguments), True
    for level, requested in every.items():
        _show_level(level)
        study = new_study(*requested)
        complete &= run_study(study, Console(), arguments.local, arguments.retry_failed, arguments.address)
        _write_report(study)
    if complete and BASE in every:
        _write_comparisons({level: requested.folder for level, requested in every.items()})
    return DONE if complete else FAILED


def _write_comparisons(folders: dict[str, Path]) -> None:
    """Compare the levels of each factor with the base."""
    from oracle.analysis.compare import load_comparison
    from oracle.report.compare import screen_text, write_comparison

    factors = {level.partition("/")[0]: folder.parent for level, folder in folders.items() if level != BASE}
    for factor, folder in factors.items():
        of_factor = [one for level, one in folders.items() if level.startswith(f"{factor}/")]
        comparison = load_comparison([folders[BASE], *of_factor])
        write_comparison(comparison, folder / COMPARE)
        _show_level(factor)
        show(screen_text(comparison))
        show(f"\n{files_text({folder / COMPARE / 'compare.md': 'all tables and figures on one page'})}")


def _status(arguments: Namespace) -> int:
    from oracle.cli.status import status_text
    from oracle.study.study import open_study

    show(status_text(open_study(arguments.folder)))
    return DONE


def _merge(arguments: Namespace) -> int:
    from oracle.cli.merge import merge_text
    from oracle.study.merge import merge, mergeable

    study, others = mergeable(arguments.folder, arguments.others)
    show(merge_text(study, merge(study, others)))
    return DONE


def _report(arguments: Namespace) -> int:
    from oracle.study.study import open_study

    _write_report(open_study(arguments.folder))
    return DONE


def _write_report(study: "Study") -> None:
    from oracle.analysis.results import analyze
    from oracle.plan.snapshot import Snapshot
    from oracle.report.report import write_report
    from oracle.report.screen import tables_text, verdicts_text

    results, folder = analyze(Snapshot.take(study)), study.store.folder / "report"
    write_report(results, folder)
    show(verdicts_text(results))
    show(f"\n{tables_text(results, screen_width())}\n")
    show(files_text({folder / name: what for name, what in OPENED.items()}))


def _publish(arguments: Namespace) -> int:
    from oracle.analysis.results import analyze
    from oracle.plan.snapshot import Snapshot
    from oracle.report.publish import publish
    from oracle.report.text import notes, plain
    from oracle.study.study import open_study

    results = analyze(Snapshot.take(open_study(arguments.folder)))
    folder = arguments.to or Path("results") / results.experiment.name
    publish(results, arguments.folder, folder)
    show(f"Published: {shown_path(folder)}")
    for note in notes(results):
        show(f"Note: {plain(note)}")
    return DONE


def _table(arguments: Namespace) -> int:
    from oracle.analysis.results import load_results
    from oracle.report.screen import finished_text
    from oracle.report.tables.paper import finished_experiments, write_tables

    experiments = finished_experiments([load_results(folder) for folder in arguments.folders], arguments.published)
    write_tables(experiments, arguments.to, arguments.cycles)
    for experiment in experiments:
        show(f"{finished_text(experiment, screen_width(), arguments.cycles)}\n")
    files = {"tables.md": "all tables as Markdown", "tables.tex": "as LaTeX; each has a csv beside it, too"}
    show(files_text({arguments.to / name: what for name, what in files.items()}))
    return DONE


def _compare(arguments: Namespace) -> int:
    from oracle.analysis.compare import load_comparison
    from oracle.report.compare import screen_text, write_comparison

    comparison = load_comparison(arguments.folders)
    write_comparison(comparison, arguments.to)
    show(screen_text(comparison))
    files = {"compare.md": "all tables and figures on one page", "optima.png": "the best max_lr of every run"}
    files |= {"growth.png": "how it grows", "accuracy.png": "accuracy of every policy"}
    show(f"\n{files_text({arguments.to / name: what for name, what in files.items()})}")
    return DONE


def _fit(arguments: Namespace) -> int:
    from oracle.analysis.results import load_results
    from oracle.fit.report import write_fit

    results = load_results(arguments.folder)
    folder = arguments.to or Path("results") / f"{results.experiment.name}-fit"
    show(write_fit(results, redact(str(arguments.folder)), folder, screen_width()))
    show(
        f"\n{files_text({folder / 'fit.md': 'the same on a page', folder / 'fit.png': 'the curve over the intervals'})}"
    )
    return DONE


def _export(arguments: Namespace) -> int:
    from oracle.analysis.results import load_results

    if arguments.optuna is not None:
        from oracle.report.optuna_export import export as to_optuna

        names = to_optuna(load_results(arguments.folder), arguments.optuna)
        show(f"{len(names)} studies, {names[0]} to {names[-1]}: optuna-dashboard sqlite:///{arguments.optuna}")
    elif arguments.mlflow is not None:
        from oracle.report.trackers.to_mlflow import export as to_mlflow

        run, written, there = to_mlflow(load_results(arguments.folder), arguments.mlflow)
        show(f"run {run}, {written} trainings written, {there} were there")
        show(f"to look at it: mlflow ui --backend-store-uri {without_users(arguments.mlflow)}")
    else:
        from oracle.report.trackers.to_wandb import export as to_wandb

        runs = to_wandb(load_results(arguments.folder), arguments.wandb)
        show(f"{runs} offline runs: wandb sync {shown_path(arguments.wandb)}/wandb/offline-run-*")
    return DONE


def _tune(arguments: Namespace) -> int:
    from rich.console import Console

    from oracle.analysis.results import analyze
    from oracle.fit.dense import dense_experiment, dense_text
    from oracle.plan.snapshot import Snapshot
    from oracle.run.run import run_study
    from oracle.study.study import new_study

    every = _requested(arguments)
    dense = {
        level: dense_experiment(requested.experiment, arguments.trainings, tuple(arguments.seeds))
        for level, requested in every.items()
    }
    for level, experiment in dense.items():
        _show_level(level)
        folder = (arguments.out or Path("runs") / experiment.name) / (level if arguments.out else "")
        study = new_study(experiment, folder, every[level].origin)
        if not run_study(study, Console(), arguments.local, arguments.retry_failed, arguments.address):
            show("no parameters are chosen before all of these trainings are recorded")
            return FAILED
        show(dense_text(analyze(Snapshot.take(study))))
    return DONE


def _schedule(arguments: Namespace) -> int:
    for level, experiment in load_levels(arguments.file, arguments.set, arguments.level).items():
        _show_level(level)
        show("cycle  weights_remaining_%  max_lr")
        for cycle in range(experiment.prune.cycles):
            remaining = 100 * weights_remaining(experiment.prune.rate, cycle)
            show(f"{cycle:5d}  {remaining:19.2f}  {experiment.schedule.max_lr(cycle):.6f}")
        if experiment.schedule_text:
            show(experiment.schedule_text)
    return DONE


def _schema(_: Namespace) -> int:
    import json

    print(json.dumps(file_schema(), indent=2))  # as it is: lines of a file aren't broken
    return DONE


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "plan": _plan,
    "run": _run,
    "status": _status,
    "report": _report,
    "merge": _merge,
    "publish": _publish,
    "table": _table,
    "compare": _compare,
    "fit": _fit,
    "export": _export,
    "tune": _tune,
    "schedule": _schedule,
    "schema": _schema,
}
