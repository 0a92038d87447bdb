"""Verdict: what an experiment says of one claim, with its numbers; and what all claims have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from oracle.experiment.overrides import Override
from oracle.experiment.spec import Experiment
from oracle.stats.held_out import Estimate
from oracle.stats.judgement import Judgement


@dataclass(frozen=True)
class Quantity:
    """One number of a verdict.

    Attributes:
        name: what it is, in words.
        estimate: in ``unit``.
        low: the truth lies below it with probability ``level``; -inf: nothing bounds it.
        high: the truth lies above it with probability ``level``; inf: nothing bounds it.
        unit: "points", "x" (a factor) or "" (a pure number).
        detectable: the smallest such effect that this study shows eight times in ten; NaN: not said.
    """

    name: str
    estimate: float
    low: float
    high: float
    unit: str
    detectable: float


@dataclass(frozen=True)
class Verdict:
    """What an experiment says of one claim.

    Attributes:
        claim: in words.
        judgement: on this experiment.
        evidence: its estimate and interval, in words.
        details: further sentences, each of a question of its own.
        quantities: its numbers, for a table.
        seeds: how many seeds would decide it, at today's estimate and noise; infinite: no number; None: it is decided, or
            nothing is known.
        remedies: overrides that would tell more.
    """

    claim: str
    judgement: Judgement
    evidence: str
    details: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    seeds: float | None = None
    remedies: tuple[Override, ...] = ()


def undecided(claim: str, reason: str, *remedies: Override) -> Verdict:
    """Return the verdict where something stands in the way of any."""
    return Verdict(claim, Judgement.UNDECIDED, reason, remedies=remedies)


def so_far(verdict: Verdict, missing: str) -> Verdict:
    """Return what a verdict looks like while trainings are missing: undecided."""
    evidence = f"{missing} So far it looks {verdict.judgement}. {verdict.evidence}"
    return replace(verdict, judgement=Judgement.UNDECIDED, evidence=evidence, seeds=None)


def in_sample(experiment: Experiment) -> bool:
    """Whether SILO's parameters were chosen on seeds that judge them."""
    return bool(set(experiment.silo.chosen_on_seeds) & set(experiment.oracle.seeds))


def points(name: str, one: Estimate, level: float) -> Quantity:
    """Return a difference of accuracies as a number of a verdict."""
    return Quantity(name, one.value, one.lower(level), one.upper(level), "points", one.detectable(level))


def points_text(one: Estimate, level: float) -> str:
    """Return a difference of accuracies with its interval: "+0.21 points (-0.10 to +0.52)"."""
    return f"{one.value:+.2f} points ({one.lower(level):+.2f} to {one.upper(level):+.2f})"


def cycles_text(cycles: Sequence[int]) -> str:
    """Return "cycle 3" or "cycles 3, 5"."""
    return f"cycle{'s' if len(cycles) > 1 else ''} {', '.join(map(str, cycles))}"
