"""What an experiment says of a claim, in one word."""

from enum import StrEnum


class Judgement(StrEnum):
    """Confirmed, refuted or undecided: on one experiment, by rules that were written before they judged it."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
