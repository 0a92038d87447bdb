"""How likely each verdict is before anything is trained: the rules on simulated studies of an experiment's own size.

A study is simulated as ``oracle.stats.simulated`` says, with the experiment's grid, cycles, seeds, tolerance, level, SILO and
split, and a training's noise and the response's curvature as a pilot has them. Every cycle is informative, all curves are
alike, and the whole grid is trained: a study whose curves differ from cycle to cycle shows somewhat less. Claim 2 hangs on what
the other schedules reach, and isn't simulated.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from oracle.analysis.claims.verdict import in_sample
from oracle.analysis.results import load_results
from oracle.error import InputError
from oracle.experiment.spec import Experiment
from oracle.stats.held_out import best_constant, best_of_each_cycle, best_two_levels
from oracle.stats.judged import MIN_CYCLES
from oracle.stats.judgement import Judgement
from oracle.stats.path import POWER, slope_along
from oracle.stats.response import responses
from oracle.stats.rules import PRACTICAL, judge_position, judge_rival, judge_slope, silo_form
from oracle.stats.simulated import Truth
from oracle.study.data_info import DataInfo
from oracle.study.measurements import overlap
from silo.prune_rate import weights_remaining

CLAIMS = ("claim 1", "claim 3", "rival")
OFF = 3.0  # factor by which SILO is wrong in one of the truths
STUDIES = 100  # simulated for each truth; a share is then known to within 10 percent points
SEARCH_STUDIES = 40  # for each further number of seeds
MOST_SEEDS = 32
ENDLESS = 256  # seeds that stand for any number: more of them hardly change a mean


@dataclass(frozen=True, eq=False)
class Pilot:
    """What simulated studies take over from measured ones.

    Attributes:
        density: (P,) share of the weights that was left where the noise was measured, falling.
        noise_chosen: (P,) standard deviation of one training, in points, on what values are chosen by.
        noise_tested: (P,) the same on test images.
        left: points lost per doubling squared below the optimum.
        right: the same above it.
    """

    density: np.ndarray
    noise_chosen: np.ndarray
    noise_tested: np.ndarray
    left: float
    right: float

    @classmethod
    def stated(cls, noise: float, curvature: float) -> Self:
        """The same noise (points, above 0) in every cycle, and the same curvature (at least 0) on both sides."""
        return cls(np.ones(1), np.full(1, noise), np.full(1, noise), curvature, curvature)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The noise of a finished run, by cycle, and its curvature: the median over its cycles.

        Args:
            folder: a run folder, or what publish made of one.

        Raises:
            InputError: where it is none, isn't finished, or can't tell its noise.
        """
        results = load_results(folder)
        if missing := results.counts.missing:
            raise InputError(f"--pilot must be a finished run, got {folder}, where trainings are missing: {missing}")
        measured, curves = results.findings.measured, results.findings.responses
        if measured is None or curves is None:
            obstacle = results.findings.obstacle.rstrip(".")
            raise InputError(
                f"--pilot must be a run of at least two seeds that can be judged, got {folder}: {obstacle}"
            )
        noise = (measured.noise.sd, measured.noise_tested.sd)
        if min(part.min() for part in noise) <= 0:
            raise InputError(f"--pilot must be a run whose trainings have noise above 0, got {folder}")
        cycles, best = np.arange(len(measured.cycles)), curves.at_best
        sides, known = curves.sides[:, cycles, best], np.isfinite(curves.side_variances[:, cycles, best])
        if not known.any(axis=1).all():
            raise InputError(f"--pilot must be a run with values on both sides of some best max_lr, got {folder}")
        left, right = (float(np.median(side[there])) for side, there in zip(sides, known, strict=True))
        return cls(measured.density, *noise, left, right)

    def noise_at(self, density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the noise (to choose by, on test) at other densities: interpolated by log density, beyond as at the end."""
        at, known = -np.log(density), -np.log(self.density)
        return np.interp(at, known, self.noise_chosen), np.interp(at, known, self.noise_tested)


@dataclass(frozen=True, eq=False)
class Scenario:
    """Something that may be true of an experiment.

    Attributes:
        name: in words, such as "If SILO is right".
        truth: of its studies.
        right: the verdict that would be right, by claim.
        beyond: in how many cycles the optimum lies outside the grid.
    """

    name: str
    truth: Truth
    right: Mapping[str, Judgement]
    beyond: int


@dataclass(frozen=True, eq=False)
class Power:
    """How likely each verdict is where a scenario is true.

    Attributes:
        scenario: what is true.
        shares: of the simulated studies, by claim and judgement.
        seeds: by claim whose right verdict is less likely than 80%: the least number of seeds tried that makes it so; None:
            more than ``MOST_SEEDS``; infinite: no number, since they share images.
    """

    scenario: Scenario
    shares: Mapping[str, Mapping[Judgement, float]]
    seeds: Mapping[str, float | None]


def scenarios(experiment: Experiment, data: DataInfo, pilot: Pilot) -> list[Scenario]:
    """Return what may be true: SILO is right, nothing moves, SILO is off by x3 (to the side that the grid covers more of)."""
    silo = np.array([experiment.schedule.max_lr(cycle) for cycle in range(experiment.prune.cycles)])
    grid = experiment.oracle.grid.values()
    factor = min((OFF, 1 / OFF), key=lambda one: _beyond(silo * one, grid))
    where = f"{OFF:g} times" if factor > 1 else f"1/{OFF:g} of"
    optima = {
        "If SILO is right": silo,
        "If nothing moves": np.full_like(silo, experiment.silo.epsilon),
        f"If SILO is off by x{OFF:g} (the best is {where} its max_lr)": silo * factor,
    }
    density = np.array([weights_remaining(experiment.prune.rate, cycle) for cycle in range(len(silo))])
    chosen, tested = pilot.noise_at(density)
    found = []
    for name, optimum in optima.items():
        truth = Truth(
            density=density,
            values=np.array(grid),
            silo=silo,
            optimum=optimum,
            left=pilot.left,
            right=pilot.right,
            noise_chosen=chosen,
            noise_tested=None if experiment.chosen_on == "test" else tested,
            tolerance=experiment.oracle.tolerance,
            overlap_chosen=overlap(experiment, data, experiment.chosen_on),
            overlap_tested=overlap(experiment, data, "test"),
        )
        found.append(Scenario(name, truth, right_judgements(truth), _beyond(optimum, grid)))
    return found


def powers(
    experiment: Experiment,
    data: DataInfo,
    pilot: Pilot,
    studies: int = STUDIES,
    search_studies: int = SEARCH_STUDIES,
) -> list[Power]:
    """Return how likely each verdict is, by scenario: always the same numbers for the same arguments.

    Args:
        experiment: at least ``MIN_CYCLES`` cycles.
        data: how many images a seed trains on and is evaluated on.
        pilot: the noise and curvature.
        studies: simulated for each scenario.
        search_studies: simulated for each scenario and further number of seeds; 0: none is looked for.
    """
    if experiment.prune.cycles < MIN_CYCLES:
        raise ValueError(f"experiment must have at least {MIN_CYCLES} cycles, got {experiment.prune.cycles}")
    found, seeds, level = [], len(experiment.oracle.seeds), experiment.oracle.look_level(ended_early=False)
    for number, scenario in enumerate(scenarios(experiment, data, pilot)):
        simulation = _Simulation(scenario, number, level, in_sample(experiment))
        shares = simulation.shares(seeds, studies, CLAIMS)
        weak = [claim for claim in CLAIMS if shares[claim][scenario.right[claim]] < POWER]
        needed = simulation.seeds_needed(seeds, search_studies, weak) if search_studies else {}
        found.append(Power(scenario, shares, needed))
    return found


def right_judgements(truth: Truth) -> dict[str, Judgement]:
    """Return what the rules would say of each claim if nothing were luck."""
    losses, tolerance = truth.losses(), truth.tolerance
    grid, silo = losses[:, :-1], losses[:, -1]
    moves = np.ptp(np.log2(truth.optimum)) >= PRACTICAL
    accuracies = -grid[..., None]
    behind = [
        silo - np.take_along_axis(grid, choice(accuracies), axis=1)[:, 0]
        for choice in (best_of_each_cycle, best_constant, best_two_levels)
    ]
    beyond = max(one.mean() for one in behind) > tolerance or behind[0].max() > tolerance
    would_do = grid.max(axis=0).min() <= tolerance
    confirmed = (moves, not beyond, not would_do)
    return {
        claim: Judgement.CONFIRMED if yes else Judgement.REFUTED for claim, yes in zip(CLAIMS, confirmed, strict=True)
    }


@dataclass(frozen=True, eq=False)
class _Simulation:
    """Studies of one scenario; stream tells its random numbers from another's."""

    scenario: Scenario
    stream: int
    level: float
    in_sample: bool

    def shares(self, seeds: int, studies: int, claims: Sequence[str]) -> dict[str, dict[Judgement, float]]:
        """Return how often each claim is judged how, with so many seeds."""
        if seeds < 2:
            return {claim: {one: float(one is Judgement.UNDECIDED) for one in Judgement} for claim in claims}
        judged = [self._judged(seeds, study, claims) for study in range(studies)]
        return {
            claim: {one: sum(study[claim] is one for study in judged) / studies for one in Judgement}
            for claim in claims
        }

    def seeds_needed(self, seeds: int, studies: int, claims: Sequence[str]) -> dict[str, float | None]:
        """Return the seeds that make the right verdict of each claim as likely as 80%, see ``Power``."""
        counts = [count for count in _doubled(max(seeds, 1)) if count > seeds]
        needed: dict[str, float | None] = {}
        if counts:
            within = self._enough(counts[-1], studies, claims)
            for count in counts[:-1]:
                enough = self._enough(count, studies, [claim for claim in within if claim not in needed])
                needed |= dict.fromkeys(enough, float(count))
            needed |= {claim: float(counts[-1]) for claim in within if claim not in needed}
        rest = [claim for claim in claims if claim not in needed]
        return {claim: needed.get(claim) for claim in claims} | dict.fromkeys(self._hopeless(studies, rest), math.inf)

    def _hopeless(self, studies: int, claims: Sequence[str]) -> list[str]:
        """Of some claims, those that any number of seeds would decide but for the images that seeds share."""
        truth = self.scenario.truth
        if not (truth.overlap_chosen or truth.overlap_tested):
            return []
        some = self._enough(ENDLESS, studies, claims)
        apart = replace(truth, overlap_chosen=0.0, overlap_tested=0.0)
        alone = replace(self, scenario=replace(self.scenario, truth=apart))
        return alone._enough(ENDLESS, studies, [claim for claim in claims if claim not in some])

    def _enough(self, seeds: int, studies: int, claims: Sequence[str]) -> list[str]:
        """Of some claims, those whose right verdict is likely enough with so many seeds."""
        if not claims:
            return []
        shares = self.shares(seeds, studies, claims)
        return [claim for claim in claims if shares[claim][self.scenario.right[claim]] >= POWER]

    def _judged(self, seeds: int, study: int, claims: Sequence[str]) -> dict[str, Judgement]:
        measured = self.scenario.truth.draw(seeds, np.random.default_rng([self.stream, study]))
        judged = dict.fromkeys(claims, Judgement.UNDECIDED)
        if not measured.noise.df_of_all:
            return judged
        curves = responses(measured) if {"claim 1", "rival"} & set(claims) else None
        if "claim 1" in claims:
            form, own = silo_form(measured)
            along = (
                form if own > 0 else np.log2(measured.density[0] / measured.density) / np.ptp(np.log2(measured.density))
            )
            judged["claim 1"] = judge_slope(slope_along(curves, along, 2 * self.level))
        if "claim 3" in claims:
            judged["claim 3"] = judge_position(measured, self.level).judgement
            if self.in_sample and judged["claim 3"] is Judgement.CONFIRMED:
                judged["claim 3"] = Judgement.UNDECIDED
        if "rival" in claims:
            judged["rival"] = judge_rival(measured, curves, self.level).judgement
        return judged


def _doubled(seeds: int) -> list[int]:
    """Return 2, 4, 8, ... times the seeds, and the most that are tried at last."""
    counts = []
    while 2 * seeds < MOST_SEEDS:
        seeds *= 2
        counts.append(seeds)
    return [*counts, MOST_SEEDS]


def _beyond(optimum: np.ndarray, grid: Sequence[float]) -> int:
    """In how many cycles an optimum lies outside the grid."""
    return int(((optimum < grid[0] * (1 - 1e-9)) | (optimum > grid[-1] * (1 + 1e-9))).sum())
