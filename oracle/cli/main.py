"""``silo-oracle``: runs one command, and turns whatever is wrong into one line and an exit code."""

import gc
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from io import TextIOWrapper

from oracle.cli.parser import make_parser
from oracle.error import FieldError, InputError, SweepError
from oracle.plain_text import one_line, shortened

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
INSTALLED_BY = {"ray": "ray[tune]", "optuna": "optuna"}  # what only some commands need
TRAINING = ("run", "tune", "merge")  # commands that fill a run folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: those of the command line; None: this process's.

    Returns:
        The exit code: 0; 1 a training failed or is missing; 2 bad input; 130 interrupted.
    """
    if arguments is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the end of a batch job: as Ctrl-C
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a character that the screen hasn't got is no reason to end
            stream.reconfigure(errors="replace" if stream is sys.stdout else "backslashreplace")
    try:
        parsed = make_parser().parse_args(arguments)
        return _run(parsed)
    except FieldError as error:
        print(f"silo-oracle: {one_line(str(parsed.file))}: {_one_line(error)}", file=sys.stderr)
        return BAD_INPUT
    except InputError as error:
        print(f"silo-oracle: {_one_line(error)}", file=sys.stderr)
        return BAD_INPUT
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in INSTALLED_BY:
            raise
        advice = f"{parsed.command} needs it (pip install '{INSTALLED_BY[package]}')"
        print(f"silo-oracle: {package} must be installed, got none here; {advice}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # `silo-oracle ... | head`
        sys.stderr.close()
        return 0
    except (SweepError, OSError) as error:  # of a full disk, say
        advice = "; what is recorded stays: run again once that is mended" if parsed.command in TRAINING else ""
        print(f"silo-oracle: {_one_line(error)}{advice}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; what is recorded stays: run again to go on", file=sys.stderr)
        return INTERRUPTED


def _run(parsed: Namespace) -> int:
    # imports and tables make millions of objects and hardly any cycle: looking for them takes a tenth of a report's time
    gc.set_threshold(200_000, 20, 100)
    from oracle.cli.commands import COMMANDS  # torch and all that takes seconds to import

    return COMMANDS[parsed.command](parsed)


def _one_line(error: Exception) -> str:
    return shortened(one_line(str(error)))
