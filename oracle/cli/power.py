"""How likely each verdict is, in words: `plan --pilot` and `plan --noise --curvature`."""

import math
from argparse import Namespace
from collections.abc import Mapping

from oracle.analysis.claims.verdict import in_sample
from oracle.analysis.power import MOST_SEEDS, SEARCH_STUDIES, STUDIES, Pilot, Power, powers
from oracle.error import InputError
from oracle.experiment.spec import Experiment
from oracle.stats.judged import MIN_CYCLES
from oracle.stats.judgement import Judgement
from oracle.stats.path import POWER
from oracle.study.data_info import DataInfo

HOW = "power: --pilot DIR (a finished run), or --noise POINTS --curvature POINTS, shows how likely each verdict is"


def pilot_of(arguments: Namespace) -> Pilot | None:
    """Return the noise and curvature that the command line gives; None where it gives none.

    Raises:
        InputError: where they contradict each other, or the pilot can't tell them.
    """
    stated = {f"--{name}": getattr(arguments, name) for name in ("noise", "curvature")}
    given = [f"{name} {value:g}" for name, value in stated.items() if value is not None]
    if arguments.pilot is not None:
        if given:
            raise InputError(f"--pilot must be given without --noise and --curvature, got {' and '.join(given)}")
        return Pilot.of(arguments.pilot)
    if len(given) == 1:
        raise InputError(f"--noise and --curvature must be given together, got {given[0]} alone")
    return Pilot.stated(arguments.noise, arguments.curvature) if given else None


def power_lines(
    experiment: Experiment,
    data: DataInfo,
    pilot: Pilot,
    studies: int = STUDIES,
    search_studies: int = SEARCH_STUDIES,
) -> list[str]:
    """Return what is simulated, then a line for each thing that may be true.

    Args:
        experiment: of which size the simulated studies are.
        data: how many images a seed trains on and is evaluated on.
        pilot: the noise and curvature.
        studies: simulated for each line.
        search_studies: simulated for each line and further number of seeds.
    """
    seeds, cycles = len(experiment.oracle.seeds), experiment.prune.cycles
    if cycles < MIN_CYCLES:
        return [f"power: none: {cycles} cycles are too few to judge by (at least {MIN_CYCLES})"]
    lines = [
        f"power with {seeds} seed{'s' if seeds > 1 else ''} ({_noise_text(pilot)}; {studies} simulated studies a line, "
        f"the right verdict first; claim 2 isn't simulated{_assumed(experiment)}):"
    ]
    return lines + [f"  {_line(one, experiment)}" for one in powers(experiment, data, pilot, studies, search_studies)]


def _noise_text(pilot: Pilot) -> str:
    chosen, tested = (_range(noise.min(), noise.max()) for noise in (pilot.noise_chosen, pilot.noise_tested))
    noise = chosen if chosen == tested else f"{chosen} to choose by and {tested} on test"
    sides = f"{pilot.left:.2g}" if pilot.left == pilot.right else f"{pilot.left:.2g} below and {pilot.right:.2g} above"
    return f"noise of a training: {noise} points; curvature: {sides} points per doubling squared"


def _range(low: float, high: float) -> str:
    return f"{low:.2g}" if low == high else f"{low:.2g}-{high:.2g}"


def _assumed(experiment: Experiment) -> str:
    text = "" if experiment.oracle.search.is_exhaustive else "; as if the whole grid were trained"
    return f"{text}; in-sample: claim 3 can't be confirmed" if in_sample(experiment) else text


def _line(one: Power, experiment: Experiment) -> str:
    parts = [_claim_text(claim, one) for claim in one.shares]
    line = f"{one.scenario.name}: {'; '.join(parts)}"
    if beyond := one.scenario.beyond:
        grid = experiment.oracle.grid.values()
        line += f". The grid ({grid[0]:g} to {grid[-1]:g}) doesn't cover the best max_lr in {beyond} of "
        line += f"{experiment.prune.cycles} cycles"
    return line


def _claim_text(claim: str, one: Power) -> str:
    shares, right = one.shares[claim], one.scenario.right[claim]
    text = f"{claim} {_shares_text(shares, right)}"
    if claim not in one.seeds:
        return text
    seeds = one.seeds[claim]
    if seeds is None:
        needed = f"more than {MOST_SEEDS} seeds"
    elif math.isinf(seeds):
        needed = "no number of seeds, they share images"
    else:
        needed = f"{seeds:g} seeds"
    return f"{text} ({POWER:.0%}: {needed})"


def _shares_text(shares: Mapping[Judgement, float], right: Judgement) -> str:
    """The right verdict's share, and any other that came up."""
    others = [one for one in Judgement if one is not right and shares[one] > 0]
    return ", ".join(f"{one} in {shares[one]:.0%}" for one in (right, *others))
