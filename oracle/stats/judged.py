"""What the rules say of claims 1 and 3 and the rival at once; and what more trainings may yet decide."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.response import Responses, responses
from oracle.stats.rules import Growth, Position, Rival, judge_growth, judge_position, judge_rival

MIN_CYCLES = 3  # that a claim is judged by, at least
UNLIKELY = 0.2  # chance that a verdict is yet decided, below which it isn't waited for


@dataclass(frozen=True)
class Judged:
    """The findings on the claims that the Oracle's trainings judge.

    Attributes:
        growth: on claim 1.
        position: on claim 3; None where no value was tried in every seed of every cycle.
        rival: on the rival.
    """

    growth: Growth
    position: Position | None
    rival: Rival

    @property
    def judgements(self) -> Sequence[Judgement]:
        """Those of claim 1, of claim 3 and of the rival."""
        position = Judgement.UNDECIDED if self.position is None else self.position.judgement
        return self.growth.judgement, position, self.rival.judgement


def judge_all(measured: Measurements, curves: Responses, level: float) -> Judged:
    """Return what the rules find, each verdict at a level (probability of a false one)."""
    return Judged(
        judge_growth(measured, curves, level),
        judge_position(measured, level),
        judge_rival(measured, curves, level),
    )


def is_judgeable(measured: Measurements) -> bool:
    """Whether there are enough cycles to judge by, and the noise is known."""
    enough = len(measured.cycles) >= MIN_CYCLES
    return bool(enough and measured.noise.df_of_all and measured.noise_tested.df_of_all)


def outlook(measured: Measurements, level: float, last: float, share: float) -> Sequence[Judgement | None]:
    """Return the verdicts on claim 1, claim 3 and the rival; None for one that is undecided and may yet be decided.

    Once all is measured a study has intervals sqrt(share) as wide, and an estimate that has moved by chance. An
    undecided one may be decided then where the same rule decides now at an easier level (``_easier``).

    Args:
        measured: by now.
        level: probability of a false verdict, each, by now.
        last: the same once all is measured.
        share: of the variance of an estimate that will be left, in (0, 1].
    """
    curves = responses(measured)
    verdicts = judge_all(measured, curves, level).judgements
    easier = _easier(last, share)
    if easier is None or easier <= level:
        hopes = (easier is None,) * len(verdicts)
    else:
        hopes = [one is not Judgement.UNDECIDED for one in judge_all(measured, curves, easier).judgements]
    return [
        None if verdict is Judgement.UNDECIDED and hope else verdict
        for verdict, hope in zip(verdicts, hopes, strict=True)
    ]


def _easier(level: float, share: float) -> float | None:
    """The level at which a rule decides today what all trainings decide with probability UNLIKELY; None: any.

    An estimate d standard errors from a border is d / sqrt(share) of the later, smaller ones from it, and moves by
    sqrt((1 - share) / share) of these: it comes to z(level) of them with probability UNLIKELY where d is
    z(level) sqrt(share) - z(UNLIKELY) sqrt(1 - share); z: the normal quantiles (conditional power at today's estimate).
    """
    distance = ndtri(1 - level) * math.sqrt(share) - ndtri(1 - UNLIKELY) * math.sqrt(1 - share)
    return None if distance <= 0 else float(1 - ndtr(distance))
