"""Verdict: what an experiment says of one claim, with its numbers; and what all claims have in common."""

from dataclasses import dataclass
from enum import StrEnum

from oracle.experiment.overrides import Override
from oracle.experiment.spec import Experiment

MIN_CYCLES = 3  # cycles that a claim is judged by, at least


class Judgement(StrEnum):
    """What an experiment says of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """What an experiment says of one claim.

    Attributes:
        claim: in words.
        judgement: on this experiment.
        evidence: its numbers, in words.
        remedies: overrides that would tell more.
    """

    claim: str
    judgement: Judgement
    evidence: str
    remedies: tuple[Override, ...] = ()


def in_sample(experiment: Experiment) -> bool:
    """Whether SILO's parameters were chosen on seeds that judge them."""
    return bool(set(experiment.silo.chosen_on_seeds) & set(experiment.oracle.seeds))
