"""Why a training failed, in one line that says what to do where that is known."""

import re

import torch

from oracle.spec.experiment import Compute

LONGEST = 500  # characters: a reason is a line of a table
FOLDERS = re.compile(
    r"(?<![\w.:/])/(?:[^\s/:'\",;()]+/)+"
)  # of a path from the root: where it lies says nothing elsewhere

FEWER = (
    "fewer trainings at a time: a smaller compute.workers, or more compute.cpus_per_trial, then `run --retry-failed`"
)


def reason_of(error: BaseException, compute: Compute) -> str:
    """One line: kind and text of the error, paths without their folders, and the fix where memory ran out."""
    text = FOLDERS.sub("", " ".join(f"{type(error).__name__}: {error}".split()))
    return " ".join(part for part in (text[:LONGEST], _fix(error, compute)) if part)


def reason_of_loss(told: str, times: int) -> str:
    """Why a cell is given up whose worker process was lost so many times; told: what Ray said of the last time."""
    if "low on memory" in told:
        why = f"the machine's memory was full: {FEWER}"
    elif "node has died" in told or "node was terminated" in told:
        why = "its node died"
    elif "Traceback" in told:
        why = last_line(told)
    else:
        why = "it was killed, or crashed"
    return f"its worker process was lost {times} times, at last because {why}"


def last_line(text: str) -> str:
    """Of a traceback, say: kind and text of the error."""
    return FOLDERS.sub("", text.strip().splitlines()[-1].strip())[:LONGEST]


def _fix(error: BaseException, compute: Compute) -> str:
    # a smaller batch_size would be another experiment
    if isinstance(error, torch.OutOfMemoryError):
        share = f"a larger share than compute.gpus_per_trial: {compute.gpus_per_trial:g}"
        return f"(the GPU's memory is full: give each training {share}, then `run --retry-failed`)"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return f"(the machine's memory is full: {FEWER})"
    return ""
