"""A fit in words and as a plot, and the block of it to paste into an experiment file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from oracle.analysis.claims.verdict import cycles_text
from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.fit.curve import beyond, fit
from oracle.fit.holdout import HoldoutResult, hold_out
from oracle.fit.target import Fitness, Target, best_constant, targets
from oracle.report.figures.fit import plot_fit
from oracle.report.figures.style import ENDINGS, save
from oracle.report.tables import escape
from oracle.report.tables.markdown import markdown
from oracle.report.tables.screen import plain_table
from oracle.stats.judged import MIN_CYCLES
from oracle.study.beside import strangers, written_beside
from silo.schedule import SiloSchedule

HEAD = "SILO's parameters for "
FILES = {"fit.md", *(f"fit.{ending}" for ending in ENDINGS)}
TOUCHING = 1e-6  # decades


@dataclass(frozen=True)
class Markup:
    """How the parts of a text are written.

    Attributes:
        words: writes others' words.
        table: writes a table of strings.
        block: writes lines of YAML.
        warning: writes a sentence that is not to be overlooked.
    """

    words: Callable[[str], str]
    table: Callable[[pd.DataFrame], str]
    block: Callable[[str], str]
    warning: Callable[[str], str]


MARKDOWN = Markup(escape.markdown, markdown, lambda text: f"```yaml\n{text}\n```", lambda text: f"**{text}**")


def plain_markup(width: int) -> Markup:
    """Return how a screen of so many characters a line shows the parts."""
    return Markup(str, lambda display: f"{plain_table(display, width)}\n", str, str)


def write_fit(results: Results, source: str, folder: Path, width: int) -> str:
    """Fit, and write fit.md and its figure into a folder.

    Args:
        results: of the Oracle that is fitted to.
        source: where they were read from, for the text.
        folder: new, empty, or that of an older fit.
        width: characters a line of the screen.

    Returns:
        The text of fit.md as a screen shows it.

    Raises:
        InputError: where fewer than three cycles are informative with an interval that has an end, or the folder holds
            something else, or can't be made.
    """
    if folder.exists():
        _check_fit(folder)
    known = targets(results.comparison)
    if len(known) < MIN_CYCLES:
        raise InputError(
            f"{source} must have at least {MIN_CYCLES} informative cycles whose interval has an end, got {len(known)}"
        )
    with written_beside(folder, FILES) as new:  # first: where it can't be, nothing needs to be fitted
        new.mkdir()
        return _fill(results, known, source, new, plain_markup(width))


def _fill(results: Results, known: Sequence[Target], source: str, folder: Path, screen: Markup) -> str:
    experiment = results.experiment
    curve = fit(experiment.schedule, known, experiment.oracle.grid.values(), experiment.prune.cycles)
    held = hold_out(results.cells, results.comparison, experiment, results.data)
    text = _text(results, curve, held, source, MARKDOWN)
    save(plot_fit(results.comparison, curve, experiment.title), folder, "fit")
    (folder / "fit.md").write_text(text + "\n\n![the fitted curve over the intervals](fit.png)\n", encoding="utf-8")
    return _text(results, curve, held, source, screen)


def _check_fit(folder: Path) -> None:
    """Only what an earlier fit wrote may be replaced: nobody else's file goes."""
    found = folder.is_dir() and [*folder.iterdir()]
    text = folder / "fit.md"
    if found == [] or (found and not strangers(folder, FILES) and _is_a_fit(text)):
        return
    raise InputError(f"{folder} must be a new or empty folder, or that of an older fit, got something else")


def _is_a_fit(file: Path) -> bool:
    return file.is_file() and file.read_bytes().startswith(HEAD.encode())


def _text(results: Results, curve: SiloSchedule, held: Sequence[HoldoutResult], source: str, markup: Markup) -> str:
    experiment, known = results.experiment, targets(results.comparison)
    chosen = f"fitted to the Oracle's intervals of {experiment.name}"
    lines = [
        f"{HEAD}{markup.words(experiment.title)}, fitted to {markup.words(source)}",
        "",
        *_inside_lines(experiment.schedule, curve, known),
        "",
        *_caveats(results, curve, known, markup),
        "Held out: fitted on one part, judged on the other, in turns; inside in so many of the intervals that were judged by.",
        "",
        markup.table(_table(held)),
        "",
    ]
    if not experiment.oracle.search.is_exhaustive:
        lines += ["No seeds are held out: a search tried the values in different ones.", ""]
    lines += [
        "To paste into an experiment file:",
        "",
        markup.block(block(curve, chosen, experiment.oracle.seeds, int(results.cells.candidate.sum()))),
    ]
    return "\n".join(lines)


def _inside_lines(own: SiloSchedule, curve: SiloSchedule, known: Sequence[Target]) -> list[str]:
    """In how many intervals the curve, the experiment's own and the best constant are."""
    fitted, given = Fitness.of(curve, known), Fitness.of(own, known)
    constant, reached = best_constant(known)
    return [
        f"Of {len(known)} informative cycles' intervals the curve is inside",
        "",
        f"- with the fitted parameters: in {fitted.inside}{_margin(fitted)}",
        f"- with the experiment's own: in {given.inside}",
        f"- one constant max_lr, {constant:.4g}: in {reached}",
        *_missed(curve, known),
    ]


def _caveats(results: Results, curve: SiloSchedule, known: Sequence[Target], markup: Markup) -> list[str]:
    """What the intervals didn't ask for, each with an empty line after it."""
    comparison, experiment, lines = results.comparison, results.experiment, []
    if untried := beyond(curve, experiment.oracle.grid.values(), experiment.prune.cycles):
        where = f"in {cycles_text(untried)}"
        warning = f"The curve leaves the range of what was tried {where}: nothing is known of it there."
        lines += [markup.warning(warning), ""]
    opened = comparison.informative.astype(bool) & (comparison.open_low ^ comparison.open_high)
    if number := int(opened.sum()):
        what = f"{number} interval{'s are' if number > 1 else ' is'} open on one side"
        lines += [f"{what}: values beyond what was tried may do as well, but none is fitted to.", ""]
    if curve.delta == 0:
        lines += ["The fitted curve is a constant: these intervals ask for no growth.", ""]
    if endless := int(comparison.informative.astype(bool).sum()) - len(known):
        lines += [f"{endless} more intervals are open on both sides, and ask for nothing.", ""]
    if incomplete := int((comparison.why == "incomplete").sum()):
        cycles = results.experiment.prune.cycles
        lines += [f"{incomplete} of {cycles} cycles are incomplete, and count for nothing.", ""]
    return lines


def _table(held: Sequence[HoldoutResult]) -> pd.DataFrame:
    rows = [
        {
            "Held out": one.what,
            "Judged": str(one.cycles),
            "Fitted": str(one.fitted),
            "The experiment's own": str(one.known),
            "The best constant": str(one.constant),
        }
        for one in held
    ]
    return pd.DataFrame(rows, dtype=str)


def block(curve: SiloSchedule, chosen: str, seeds: Sequence[int], trainings: int) -> str:
    """Return the part ``silo`` of an experiment file: the curve, how it was chosen, on which seeds, by how many trainings."""
    silo = {"epsilon": curve.epsilon, "delta": curve.delta, "beta": curve.beta, "delay": curve.delay, "chosen": chosen}
    silo |= {"chosen_on_seeds": list(seeds), "search_trainings": trainings}
    return yaml.safe_dump({"silo": silo}, sort_keys=False, default_flow_style=None, width=1000).rstrip()


def _margin(fitness: Fitness) -> str:
    """How near the curve comes to an end of those that it is inside of."""
    if touched := sum(0 <= margin < TOUCHING for margin in fitness.margins):
        return f", touching an end of {touched}"
    return f"; the nearest end is {_percent(fitness.least_margin)} away" if fitness.inside else ""


def _missed(curve: SiloSchedule, known: Sequence[Target]) -> list[str]:
    missed = {target.cycle: -target.margin(curve.max_lr(target.cycle)) for target in known}
    cycles = [f"cycle {cycle} (by {_percent(margin)})" for cycle, margin in missed.items() if margin > 0]
    return [f"- the fitted curve is outside at {', '.join(cycles)}"] if cycles else []


def _percent(decades: float) -> str:
    """By how much of max_lr two values so many decades apart differ."""
    percent = 100 * (10**decades - 1)
    return f"{percent:.0f}% of max_lr" if percent >= 1 else "less than 1% of max_lr"
