"""``silo-oracle``: runs one command, and turns whatever is wrong into one line and an exit code."""

import errno
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from io import TextIOWrapper

from oracle.cli.interruption import INTERRUPTED, MESSAGE, ended_by_signals
from oracle.cli.parser import make_parser
from oracle.error import FieldError, InputError, SweepError
from oracle.plain_text import ALIKE_ERRORS, one_line, shortened

FAILED, BAD_INPUT = 1, 2
# what only some commands need
INSTALLED_BY = {name: name for name in ("optuna", "mlflow", "wandb", "torch", "torchvision")} | {"ray": "ray[tune]"}
# errors of a place that was named: another one is needed, or the right to it
GIVEN = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
TRAINING = ("run", "tune", "merge")  # commands that fill a run folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: those of the command line; None: this process's, which Ctrl-C and SIGTERM then end.

    Returns:
        The exit code: 0; 1 a training failed or is missing; 2 bad input; 130 interrupted.
    """
    if arguments is None:
        # only files are drawn, whatever backend a notebook's terminal names: one that matplotlib doesn't know ends its import
        os.environ["MPLBACKEND"] = "agg"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a character that the screen hasn't got is no reason to end
            stream.reconfigure(errors=ALIKE_ERRORS if stream is sys.stdout else "backslashreplace")
    try:
        with ended_by_signals() if arguments is None else nullcontext():
            parsed = make_parser().parse_args(arguments)
            return _run(parsed)
    except FieldError as error:
        print(f"silo-oracle: {one_line(str(parsed.file))}: {error}", file=sys.stderr)
        return BAD_INPUT
    except InputError as error:
        print(f"silo-oracle: {error}", file=sys.stderr)
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
    except OSError as error:
        return _cannot(error, parsed.command)
    except SweepError as error:
        print(f"silo-oracle: {error}{_advice(parsed.command)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(MESSAGE, file=sys.stderr)
        return INTERRUPTED


def _run(parsed: Namespace) -> int:
    # imports and tables make millions of objects and hardly any cycle: looking for them takes a tenth of a report's time
    gc.set_threshold(200_000, 20, 100)
    from oracle.cli.commands import COMMANDS  # torch and all that takes seconds to import

    return COMMANDS[parsed.command](parsed)


def _cannot(error: OSError, command: str) -> int:
    """Say what couldn't be read or written, and return the exit code: 2 where it is a name that was given."""
    where = f"{shortened(one_line(str(error.filename)))}: " if error.filename else ""
    given = error.errno in GIVEN and (command not in TRAINING or error.errno == errno.ENAMETOOLONG)
    advice = "" if given else _advice(command)
    print(f"silo-oracle: {where}{one_line(error.strerror or str(error))}{advice}", file=sys.stderr)
    return BAD_INPUT if given else FAILED


def _advice(command: str) -> str:
    return "; what is recorded stays: run again once that is mended" if command in TRAINING else ""
