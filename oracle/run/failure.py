"""Why a training failed, in one line that says what to do where that is known."""

import os
import re
import socket

import torch

from oracle.experiment.compute import Compute

LONGEST = 500  # characters: a reason is a line of a table
# of a path from the root, or from what a variable holds: where it lies says nothing elsewhere
VARIABLE, ROOT, FOLDER = r"\$[A-Z_][A-Z0-9_]*/", r"(?<![\w.:/])/", r"[^\s/:'\",;()]+/"
FOLDERS = re.compile(rf"{VARIABLE}(?:{FOLDER})*|{ROOT}(?:{FOLDER})+")
# as an OSError tells it: there may be spaces in it
QUOTED = re.compile(rf"(['\"])(?:{VARIABLE}|{ROOT})(?:[^'\"]*/)?([^'\"/]*)\1")
PRIVATE = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|^(USER|LOGNAME|HOSTNAME)$", re.IGNORECASE)
TELLING = 8  # characters: a shorter value of another variable is a word that any text may hold

FEWER = (
    "fewer trainings at a time: a smaller compute.workers, or more compute.cpus_per_trial, then `run --retry-failed`"
)


def reason_of(error: BaseException, compute: Compute) -> str:
    """One line: kind and text of the error, and the fix where memory ran out.

    Paths stand without their folders, and what the environment holds (keys, tokens, the user) by the variable's name.
    """
    return " ".join(part for part in (_portable(f"{type(error).__name__}: {error}"), _fix(error, compute)) if part)


def reason_of_loss(told: str) -> str:
    """Why a worker process was lost, by what Ray tells of it: the fix, a Python error's last line, or a few words."""
    if "low on memory" in told:
        return f"because the machine's memory was full: {FEWER}"
    if "Traceback" in told:
        return f"by {_portable(told.strip().splitlines()[-1])}"
    return "because its node died" if "node has died" in told else "because it was killed, or crashed"


def _portable(text: str) -> str:
    text = _by_variable(" ".join(text.split()))
    return FOLDERS.sub("", QUOTED.sub(r"\1\2\1", text))[:LONGEST]


def _by_variable(text: str) -> str:
    held = [("HOSTNAME", socket.gethostname()), *os.environ.items()]
    for name, value in sorted(held, key=lambda item: -len(item[1])):
        value = " ".join(value.split())
        if len(value) >= TELLING and not value.isdecimal():
            text = text.replace(value, f"${name}")
        elif len(value) > 1 and PRIVATE.search(name):
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"${name}", text)
    return text


def _fix(error: BaseException, compute: Compute) -> str:
    # a smaller batch_size would be another experiment
    if isinstance(error, torch.OutOfMemoryError):
        share = f"a larger share than compute.gpus_per_trial: {compute.gpus_per_trial:g}"
        return f"(the GPU's memory is full: give each training {share}, then `run --retry-failed`)"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return f"(the machine's memory is full: {FEWER})"
    return ""
