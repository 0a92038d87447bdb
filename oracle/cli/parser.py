"""The arguments of the command line. Nothing slow is imported: help and mistyped commands answer at once."""

import argparse
import math
import re
from pathlib import Path
from textwrap import fill
from typing import NoReturn

from oracle.error import InputError
from oracle.utf8 import as_utf8
from silo import __version__

EXAMPLES = {
    "plan": "plan mine.yaml --pilot results/digits-mlp",
    "run": "run mine.yaml --set oracle.seeds=5",
    "status": "status runs/mine",
    "report": "report runs/mine",
    "merge": "merge runs/mine other/mine",
    "publish": "publish runs/mine --to results/mine",
    "table": "table runs/mine results/digits-mlp --cycles 0,4,9",
    "compare": "compare runs/epochs-30 runs/epochs-60 --to results/epochs",
    "fit": "fit results/digits-mlp",
    "export": "export runs/mine --mlflow sqlite:///mlflow.db",
    "tune": "tune mine.yaml --trainings 12",
    "schedule": "schedule mine.yaml",
    "schema": "schema > experiment.schema.json",
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with exit code 2, as any other bad input."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError, where argparse would print the usage and exit."""
        raise InputError(f"{message}; see {self.prog} --help")


def make_parser() -> Parser:
    """Return the parser; its result has the name of the command in ``command``."""
    parser = Parser(prog="silo-oracle", description="Judge SILO's max_lr against an Oracle at every pruning cycle.")
    parser.add_argument("--version", action="version", version=f"silo-oracle {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser, dest="command")

    def command(name: str, what: str) -> argparse.ArgumentParser:
        epilog = f"example: silo-oracle {EXAMPLES[name]}\nexplained in oracle/README.md#{name}"
        kept = argparse.RawDescriptionHelpFormatter  # the epilog has two lines
        return commands.add_parser(name, help=what, description=fill(what, 80), epilog=epilog, formatter_class=kept)

    _add_plan(command("plan", "what a run would train; trains nothing"))
    _add_run(command("run", "train what is missing, then report; safe to interrupt and call again"))
    _add_run_folder(command("status", "trainings done, running, failed and missing by cycle, and the time left"))
    _add_run_folder(command("report", "tables and plots from what is recorded, into the run folder"))
    _add_merge(command("merge", "take into one run folder what others of the same experiment hold"))
    _add_publish(command("publish", "what is worth keeping of a run, into results/NAME"))
    _add_table(command("table", "the paper's kind of tables from finished runs: csv, markdown, LaTeX"))
    _add_compare(
        command("compare", "several runs side by side: in what they differ, optima, growth, verdicts, accuracies")
    )
    _add_fit(command("fit", "SILO's parameters whose curve lies inside the Oracle's intervals"))
    _add_export(command("export", "the records for Optuna's dashboard, MLflow, or Weights & Biases"))
    _add_tune(command("tune", "SILO's parameters from the dense network alone, by a few trainings on other seeds"))
    _add_file(command("schedule", "SILO's max_lr by cycle"), out="")
    command("schema", "the JSON schema of experiment files, by which an editor completes and checks them")
    return parser


def _add_file(parser: argparse.ArgumentParser, out: str = "runs/NAME") -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the experiment, such as benchmarks/digits-mlp.yaml")
    parser.add_argument(
        "--set", action="append", type=as_utf8, default=[], metavar="A.B=VALUE", help="override a field; repeatable"
    )
    what = "of a file with factors: this level alone, such as epochs/x2, or base; repeatable"
    parser.add_argument("--level", action="append", type=as_utf8, default=[], metavar="FACTOR/LEVEL", help=what)
    if out:
        parser.add_argument("--out", type=Path, metavar="DIR", help=f"the run folder (default: {out})")


def _add_run_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a run folder")


def _add_finished(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a run folder, or one that publish made")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    what = "train for up to half a minute, recording nothing, and predict the time of the run on this machine"
    parser.add_argument("--calibrate", action="store_true", help=what)
    power = parser.add_argument_group(
        "power", "how likely each verdict is, and how many seeds make it 80%: by simulation"
    )
    what = "a finished run like this one, or one that publish made: its noise and curvature are taken"
    power.add_argument("--pilot", type=Path, metavar="DIR", help=what)
    what = "or, with --curvature: the standard deviation of one training's accuracy"
    power.add_argument("--noise", type=_above_0, metavar="POINTS", help=what)
    what = "points of accuracy lost a doubling away from the best max_lr; four times as many two away"
    power.add_argument("--curvature", type=_at_least_0, metavar="POINTS", help=what)


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    _add_where(parser)


def _add_where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--local", action="store_true", help="train in this process, one after another, without Ray")
    where.add_argument("--address", metavar="HOST:PORT", help="train on a running Ray cluster (auto: this machine's)")
    parser.add_argument("--retry-failed", action="store_true", help="try trainings again that failed with an error")


def _add_merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the run folder that takes it")
    parser.add_argument("others", type=Path, nargs="+", metavar="OTHER", help="a run folder that is only read")


def _add_publish(parser: argparse.ArgumentParser) -> None:
    _add_run_folder(parser)
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to (default: results/NAME)")


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="a run folder, or one that publish made")
    parser.add_argument(
        "--to", type=Path, default=Path("results/tables"), metavar="DIR", help="default: results/tables"
    )
    parser.add_argument("--cycles", type=_numbers, metavar="0,4,...", help="the cycles to show (default: at most 8)")
    parser.add_argument(
        "--published", type=Path, action="append", default=[], metavar="FILE", help="others' figures; repeatable"
    )


def _add_compare(parser: argparse.ArgumentParser) -> None:
    what = "a run folder, or one that publish made; two at least"
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help=what)
    parser.add_argument(
        "--to", type=Path, default=Path("results/compare"), metavar="FOLDER", help="default: results/compare"
    )


def _add_fit(parser: argparse.ArgumentParser) -> None:
    _add_finished(parser)
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to (default: results/NAME-fit)")


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_finished(parser)
    to = parser.add_mutually_exclusive_group(required=True)
    what = "a new SQLite file of Optuna studies, one a cycle, a trial a training"
    to.add_argument("--optuna", type=Path, metavar="FILE", help=what)
    what = "a tracking store, such as sqlite:///mlflow.db: a run of the study, and under it one of each training"
    to.add_argument("--mlflow", type=as_utf8, metavar="URI", help=what)
    to.add_argument("--wandb", type=Path, metavar="DIR", help="a new folder of offline runs, for wandb sync")


def _add_tune(parser: argparse.ArgumentParser) -> None:
    _add_file(parser, out="runs/NAME-dense")
    parser.add_argument("--trainings", type=_count, required=True, metavar="N", help="at most so many")
    what = "none that judges the experiment, now or later (default: 10000,10001, beyond any number of seeds)"
    parser.add_argument("--seeds", type=_numbers, default=[], metavar="100,101,...", help=what)
    _add_where(parser)


def _numbers(text: str) -> list[int]:
    if not all(_is_whole(part.strip()) for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"must be numbers such as 0,4,9, got {text}")
    return [int(part) for part in text.split(",")]


def _count(text: str) -> int:
    if not _is_whole(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text}")
    return int(text)


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,18}", text) is not None


def _above_0(text: str) -> float:
    number = _number(text)
    if number is None or number <= 0:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return number


def _at_least_0(text: str) -> float:
    number = _number(text)
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"must be a number of at least 0, got {text}")
    return number


def _number(text: str) -> float | None:
    """A finite number; None where the text is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
