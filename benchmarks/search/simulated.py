"""A search until-decided on simulated studies: the share of the trainings after which it ends, and whether it errs."""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from oracle.analysis.power import right_judgements
from oracle.experiment.parts import Oracle
from oracle.plan.search.rounds import Round, rounds
from oracle.stats.judged import is_judgeable, judge_all
from oracle.stats.judgement import Judgement
from oracle.stats.measurements import Measurements
from oracle.stats.response import responses
from oracle.stats.simulated import Truth
from silo.schedule import SiloSchedule

OWN = 7 / 3  # SILO's own growth, 1 + delta / epsilon of the released recipe
PRUNED, BETA, DELAY = 0.2, 5, 1  # the released recipe's form
ABOVE = 1.0001  # of the tolerance: a loss that is just beyond it


@dataclass(frozen=True)
class Size:
    """How large a study is, and how noisy.

    Attributes:
        like: the published run that it is like.
        cycles: how many.
        grid: grid values: the lowest, the highest, how many.
        noise: standard deviation of a training, in points.
        bend: points per doubling squared.
        tolerance: in points.
    """

    like: str
    cycles: int
    grid: tuple[float, float, int]
    noise: float
    bend: float
    tolerance: float


SIZES = (
    Size("digits-mlp", 18, (0.02, 1.0, 12), 0.365, 0.15, 0.5),
    Size("digits-cnn", 18, (0.02, 3.0, 12), 0.92, 0.27, 1.0),
    Size("cifar10-policies", 18, (0.02, 1.0, 12), 1.02, 0.70, 1.0),
)


@dataclass(frozen=True)
class Simulated:
    """What came of one simulated study.

    Attributes:
        cost: the share of the whole grid's trainings, SILO's own counted on both sides.
        rounds: how many there were.
        judged: the search's verdicts on claim 1, claim 3 and the rival.
        whole: those of the whole grid at the full level.
        false: whether one of the search's is false.
    """

    cost: float
    rounds: int
    judged: Sequence[Judgement]
    whole: Sequence[Judgement]
    false: bool


def truths(size: Size) -> dict[str, Truth]:
    """Return what may be true of a study of some size, by its name in words."""
    steep = replace(size, bend=4 * size.bend)
    return {
        "still": _truth(size, 1.0),
        "grows x7/3": _truth(size, OWN),
        "grows x4": _truth(size, 4.0),
        "grows x8": _truth(size, 8.0),
        "grows x4, steep": _truth(steep, 4.0),
        "SILO off x6": _truth(size, OWN, off=math.log2(6)),
        "SILO's loss just beyond": _solved(
            lambda off: _truth(size, OWN, off), lambda truth: truth.losses()[:, -1].mean()
        ),
        "a constant's loss just beyond": _solved(
            lambda growth: _truth(size, 2**growth), lambda truth: truth.losses()[:, :-1].max(axis=0).min()
        ),
    }


def simulate(truth: Truth, oracle: Oracle, studies: int) -> Iterator[Simulated]:
    """Yield what comes of so many studies, always the same ones.

    Args:
        truth: they are drawn from.
        oracle: its seeds, search and level.
        studies: how many.
    """
    right = tuple(right_judgements(truth).values())
    stream = zlib.crc32(np.round(truth.losses(), 9).tobytes())
    for number in range(studies):
        study = truth.draw(len(oracle.seeds), np.random.default_rng([stream, number]))
        yield _searched(study, oracle, right)


def _searched(study: Measurements, oracle: Oracle, right: Sequence[Judgement]) -> Simulated:
    counts = oracle.search.rounds(study.seeds)
    search, measured, number = rounds(tuple(study.values), counts, oracle.levels), None, 0
    while True:
        try:
            one = search.send(measured)
        except StopIteration:
            break
        measured, number = _part(study, one), number + 1
        measured = measured if is_judgeable(measured) else None
    judged = judge_all(measured, responses(measured), oracle.levels[number - 1]).judgements
    whole = judge_all(study, responses(study), oracle.level).judgements
    cost = (len(one.values) * one.seeds + study.seeds) / ((len(study.values) + 1) * study.seeds)
    false = any(is_ not in (ought, Judgement.UNDECIDED) for is_, ought in zip(judged, right, strict=True))
    return Simulated(cost, number, judged, whole, false)


def _part(study: Measurements, one: Round) -> Measurements:
    """What a round has of a study."""
    untried = ~np.isin(study.values, one.values)
    chosen, tested = (part[:, :, : one.seeds].copy() for part in (study.chosen, study.tested))
    chosen[:, untried], tested[:, untried] = np.nan, np.nan
    own = {"silo_tested": study.silo_tested[:, : one.seeds]}
    kept = ("cycles", "density", "values", "silo", "tolerance", "chance", "overlap_chosen", "overlap_tested")
    return Measurements(chosen=chosen, tested=tested, **own, **{name: getattr(study, name) for name in kept})


def _truth(size: Size, growth: float, off: float = 0.0) -> Truth:
    """The optimum grows along SILO's form, in the middle of the grid; SILO lies off by so many doublings, and where nothing
    moves it grows all the same.
    """
    low, high, points = size.grid
    form = np.array([SiloSchedule(1.0, 1.0, BETA, DELAY, prune_rate=PRUNED).max_lr(c) - 1 for c in range(size.cycles)])
    middle = math.sqrt(low * high)
    optimum = middle * (1 + (growth - 1) * form) / math.sqrt(growth)
    silo = middle * (1 + ((growth if growth > 1 else OWN) - 1) * form) / math.sqrt(growth)
    noise = np.full(size.cycles, size.noise)
    return Truth(
        (1 - PRUNED) ** np.arange(size.cycles),
        np.geomspace(low, high, points),
        silo * 2**off,
        optimum,
        size.bend,
        size.bend,
        noise,
        noise,
        size.tolerance,
    )


def _solved(made: Callable[[float], Truth], loss: Callable[[Truth], float]) -> Truth:
    """The truth whose loss is just beyond the tolerance."""
    low, high = 0.01, 6.0
    for _ in range(40):
        middle = (low + high) / 2
        truth = made(middle)
        low, high = (middle, high) if loss(truth) < ABOVE * truth.tolerance else (low, middle)
    return made(high)
