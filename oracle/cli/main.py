"""The command line: silo-oracle plan | run | status | merge | report | publish | table | fit | tune | export | schedule."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from oracle.error import FieldError, InputError, SweepError
from oracle.experiment.load import load, told
from oracle.experiment.redaction import portable

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0; 1 a training failed or is missing; 2 bad input; 130 interrupted."""
    if arguments is None:  # of this process
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the end of a batch job: as Ctrl-C
    try:
        parsed = _parser().parse_args(arguments)
        return parsed.command(parsed)
    except FieldError as error:
        print(f"silo-oracle: {parsed.file}: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except InputError as error:
        print(f"silo-oracle: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # `silo-oracle ... | head`
        sys.stderr.close()
        return 0
    except (SweepError, OSError) as error:  # of a full disk, say
        print(f"silo-oracle: {error}; what is recorded stays: run again once that is mended", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; what is recorded stays: run again to go on", file=sys.stderr)
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="silo-oracle", description="Judge SILO's max_lr against an Oracle at every pruning cycle.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, what: str, run: Any) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=what, description=what)
        one.set_defaults(command=run)
        return one

    def takes_file(one: argparse.ArgumentParser, out: bool = True) -> None:
        one.add_argument("file", type=Path, metavar="FILE", help="the experiment, such as benchmarks/quickstart.yaml")
        one.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="override a field; repeatable")
        if out:
            one.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: runs/NAME)")

    plan = command("plan", "what a run would train; trains nothing", _plan)
    takes_file(plan)
    told = "train for up to half a minute, recording nothing, and predict the time of the run on this machine"
    plan.add_argument("--calibrate", action="store_true", help=told)
    run = command("run", "train what is missing, then report; safe to interrupt and call again", _run)
    takes_file(run)
    where = run.add_mutually_exclusive_group()
    where.add_argument("--local", action="store_true", help="train in this process, one after another, without Ray")
    where.add_argument("--address", metavar="HOST:PORT", help="train on a running Ray cluster (auto: this machine's)")
    run.add_argument("--retry-failed", action="store_true", help="try trainings again that failed with an error")
    for name, what, function in (
        ("status", "trainings done, running, failed and missing by cycle, and the time left", _status),
        ("report", "tables and plots from what is recorded, into the run folder", _report),
    ):
        command(name, what, function).add_argument("folder", type=Path, metavar="DIR", help="a run folder")
    merge = command("merge", "take into one run folder what others of the same experiment hold", _merge)
    merge.add_argument("folder", type=Path, metavar="DIR", help="the run folder that takes it")
    merge.add_argument("others", type=Path, nargs="+", metavar="OTHER", help="a run folder that is only read")
    publish = command("publish", "what is worth keeping of a run, into results/NAME", _publish)
    publish.add_argument("folder", type=Path, metavar="DIR", help="a run folder")
    publish.add_argument("--to", type=Path, metavar="DIR", help="where to (default: results/NAME)")
    tables = command("table", "the paper's kind of tables from finished runs: csv, markdown, LaTeX", _table)
    tables.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="a run folder, or one that publish made")
    tables.add_argument(
        "--to", type=Path, default=Path("results/tables"), metavar="DIR", help="default: results/tables"
    )
    tables.add_argument("--cycles", type=_numbers, metavar="0,4,...", help="the cycles to show (default: at most 8)")
    tables.add_argument(
        "--published", type=Path, action="append", default=[], metavar="FILE", help="others' figures; repeatable"
    )
    fit = command("fit", "SILO's parameters whose curve lies inside the Oracle's intervals", _fit)
    fit.add_argument("folder", type=Path, metavar="DIR", help="a run folder, or one that publish made")
    fit.add_argument("--to", type=Path, metavar="DIR", help="where to (default: results/NAME-fit)")
    export = command("export", "the records as Optuna studies, which optuna-dashboard shows", _export)
    export.add_argument("folder", type=Path, metavar="DIR", help="a run folder, or one that publish made")
    export.add_argument("--optuna", type=Path, required=True, metavar="FILE", help="a new SQLite file")
    tune = command("tune", "SILO's parameters from the dense network alone, by a few trainings on other seeds", _tune)
    takes_file(tune)
    tune.add_argument("--trainings", type=_count, required=True, metavar="N", help="at most so many")
    told = "none that judges the experiment (default: the two after its greatest)"
    tune.add_argument("--seeds", type=_numbers, default=[], metavar="100,101,...", help=told)
    tune.add_argument("--local", action="store_true", help="train in this process, without Ray")
    takes_file(command("schedule", "SILO's max_lr by cycle", _schedule), out=False)
    return parser


# What a command needs is imported in it: `schedule` and bad input answer at once.


def _asked(arguments: argparse.Namespace) -> tuple[Any, Path, str]:
    """The experiment, its run folder, and how they were asked for."""
    file = arguments.file
    experiment = load(file, arguments.set)
    origin = [portable(str(file)).removeprefix(".../"), *(f"--set '{told(override)}'" for override in arguments.set)]
    return experiment, arguments.out or Path("runs") / experiment.name, " ".join(origin)


def _plan(arguments: argparse.Namespace) -> int:
    from oracle.cli.plan_text import plan_text
    from oracle.run.calibration.calibration import calibrate
    from oracle.study.study import new_study, planned_study

    if arguments.calibrate:
        study = new_study(*_asked(arguments))
        print(plan_text(study, calibrate(study)))
    else:
        print(plan_text(planned_study(*_asked(arguments))))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from oracle.run.run import run_study
    from oracle.study.study import new_study

    study = new_study(*_asked(arguments))
    complete = run_study(study, Console(), arguments.local, arguments.retry_failed, arguments.address)
    _write_report(study)
    return 0 if complete else FAILED


def _status(arguments: argparse.Namespace) -> int:
    from oracle.cli.status_text import status_text
    from oracle.study.study import open_study

    print(status_text(open_study(arguments.folder)))
    return 0


def _merge(arguments: argparse.Namespace) -> int:
    from oracle.cli.merge_text import merged_text
    from oracle.study.merge import merge, mergeable

    study, others = mergeable(arguments.folder, arguments.others)
    print(merged_text(study, merge(study, others)))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from oracle.study.study import open_study

    _write_report(open_study(arguments.folder))
    return 0


def _write_report(study: Any) -> None:
    from oracle.analysis.results import find
    from oracle.report import report
    from oracle.report.tables.markdown import markdown
    from oracle.report.tables.study_tables import comparison_table

    findings = find(study)
    folder = report.write(study, findings)
    print(markdown(comparison_table(findings.comparison)), end="\n\n")
    if findings.experiment.baselines:
        print(report.policies_of(findings)[0].markdown)
    print(report.verdicts_text(findings, study))
    print(f"Tables and plots: {folder}")


def _publish(arguments: argparse.Namespace) -> int:
    from oracle.analysis.results import find
    from oracle.report import report
    from oracle.study.study import open_study

    study = open_study(arguments.folder)
    folder = arguments.to or Path("results") / study.experiment.name
    findings = find(study)
    report.publish(study, findings, folder)
    print(f"Published: {folder}")
    for note in report.notes(study, findings):
        print(f"Note: {note}")
    return 0


def _table(arguments: argparse.Namespace) -> int:
    from oracle.analysis.results import finished
    from oracle.report.tables.paper import finished_experiments, write_tables

    experiments = finished_experiments([finished(folder) for folder in arguments.folders], arguments.published)
    write_tables(experiments, arguments.to, arguments.cycles)
    print((arguments.to / "tables.md").read_text(encoding="utf-8"))
    print(f"Tables: {arguments.to}")
    return 0


def _numbers(text: str) -> list[int]:
    if not all(part.strip().isdecimal() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"{text}: numbers such as 0,4,9 are allowed")
    return [int(part) for part in text.split(",")]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number above 0 is allowed")
    return int(text)


def _fit(arguments: argparse.Namespace) -> int:
    from oracle.analysis.results import finished
    from oracle.fit.report import write_fit

    findings = finished(arguments.folder)
    folder = arguments.to or Path("results") / f"{findings.experiment.name}-fit"
    print(write_fit(findings, portable(str(arguments.folder)), folder))
    print(f"\nThe same with a plot: {folder}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from oracle.analysis.results import curves, finished
    from oracle.report.optuna_export import export

    findings = finished(arguments.folder)
    names = export(findings, curves(arguments.folder, findings.cells), arguments.optuna)
    print(f"{len(names)} studies, {names[0]} to {names[-1]}: optuna-dashboard sqlite:///{arguments.optuna}")
    return 0


def _tune(arguments: argparse.Namespace) -> int:
    from oracle.analysis.results import find
    from oracle.fit.dense import dense_experiment, dense_text
    from oracle.run.run import run_study
    from oracle.study.study import new_study

    experiment, _, origin = _asked(arguments)
    dense = dense_experiment(experiment, arguments.trainings, tuple(arguments.seeds))
    study = new_study(dense, arguments.out or Path("runs") / dense.name, origin)
    if not run_study(study, Console(), arguments.local, retry_failed=False):
        return FAILED
    findings = find(study)
    print(dense_text(findings.comparison, findings.cells, dense))
    return 0


def _schedule(arguments: argparse.Namespace) -> int:
    experiment = load(arguments.file, arguments.set)
    print("cycle  weights_remaining_%  max_lr")
    for cycle in range(experiment.prune.cycles):
        remaining = 100 * (1 - experiment.prune.rate) ** cycle
        print(f"{cycle:5d}  {remaining:19.2f}  {experiment.schedule.max_lr(cycle):.6f}")
    return 0
