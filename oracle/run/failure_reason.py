"""Why a training failed, in one line that says what to do where that is known."""

import torch

from oracle.experiment.compute import Compute
from oracle.experiment.redaction import redact_text

LONGEST = 500  # characters: a reason is a line of a table
FEWER = (
    "fewer trainings at a time: a smaller compute.workers, or more compute.cpus_per_trial, then `run --retry-failed`"
)


def reason_of(error: BaseException, compute: Compute) -> str:
    """Why a training failed: the error's kind and text, redacted, and the fix where memory ran out.

    Args:
        error: What the training raised.
        compute: What a worker has, which the fix names.
    """
    reason, fix = _redact(f"{type(error).__name__}: {error}"), _fix(error, compute)
    return f"{reason} {fix}" if fix else reason


def reason_of_loss(message: str) -> str:
    """Why a worker process was lost: the fix, the last line of a Python error, or a few words.

    Args:
        message: What Ray says of it.
    """
    if "low on memory" in message:
        return f"because the machine's memory was full: {FEWER}"
    if "Traceback" in message:
        return f"by {_redact(message.strip().splitlines()[-1])}"
    return "because its node died" if "node has died" in message else "because it was killed, or crashed"


def _redact(text: str) -> str:
    return redact_text(text)[:LONGEST]


def _fix(error: BaseException, compute: Compute) -> str:
    # a smaller batch_size would be another experiment
    if isinstance(error, torch.OutOfMemoryError):
        share = f"a larger share than compute.gpus_per_trial: {compute.gpus_per_trial:g}"
        return f"(the GPU's memory is full: give each training {share}, then `run --retry-failed`)"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return f"(the machine's memory is full: {FEWER})"
    return ""
