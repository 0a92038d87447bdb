"""What a study consists of, what is recorded of it, and what the rest would take: `plan`."""

from collections.abc import Sequence

import pandas as pd

from oracle.analysis.cells import cells_table, skipped_table
from oracle.analysis.claims.verdict import in_sample
from oracle.analysis.comparison import comparison_table
from oracle.cli.costs import cost_lines
from oracle.experiment.search import FIRST_SEEDS, SearchKind
from oracle.experiment.spec import Experiment
from oracle.plan.counts import StatusCounts
from oracle.plan.search.rounds import first_values
from oracle.plan.snapshot import Snapshot
from oracle.report.advice import advice
from oracle.study.data_info import DataInfo
from oracle.study.study import Study

MAX_LOOKS = 10**6  # at a shape, which an iteration or two beside its peak shows as well


def plan_text(study: Study, predicted: Sequence[str] = ()) -> str:
    """Return the trainings of a study, what is recorded and missing, the time that the rest takes, and what to change.

    Args:
        study: opened with or without its data.
        predicted: the lines of a calibration (oracle.cli.prediction); none: there was none.
    """
    experiment, snapshot = study.experiment, Snapshot.take(study)
    counts = snapshot.counts()
    steps = experiment.recipe.epochs * experiment.recipe.steps_per_epoch(study.data.training_images)
    lines = [
        *_study_lines(experiment, study.data, counts, steps),
        *([f"data: {study.left_out}"] if study.left_out else []),
        *_search_lines(experiment),
        f"recorded: {counts.recorded}, failed: {counts.failed}, missing: {counts.missing}",
        *cost_lines(study, snapshot, calibrated=bool(predicted)),
        *predicted,
        *advice(_comparison(snapshot), experiment),
    ]
    return "\n".join(lines)


def _comparison(snapshot: Snapshot) -> pd.DataFrame:
    """The one table that advice needs: the whole analysis takes longer than all else that is said here."""
    cells, skipped = cells_table(snapshot.trainings), skipped_table(snapshot.skipped)
    return comparison_table(cells, snapshot.experiment, snapshot.data, skipped)


def _study_lines(experiment: Experiment, data: DataInfo, counts: StatusCounts, steps: int) -> list[str]:
    grid, seeds = experiment.oracle.grid.values(), experiment.oracle.seeds
    lines = [
        f"{experiment.name}: {data.images} images ({data.training_images} train), {data.classes} classes",
        f"{experiment.prune.cycles} cycles x {len(seeds)} seed{'s' if len(seeds) > 1 else ''} x ({len(grid)} grid values and "
        f"SILO's, which may be one of them){_baselines_text(experiment)}: {counts.total_text} trainings of {steps} iterations",
        _resolution_line(experiment, data),
        f"the learning rate reaches {100 * _peak(experiment, data, steps):.3g}% of max_lr",
    ]
    if len(seeds) == 1:
        lines.append("one seed tells no noise from difference: nothing will be decided")
    if in_sample(experiment):
        shared = sorted({*experiment.silo.chosen_on_seeds} & {*seeds})
        which = f"seed{'s' if len(shared) > 1 else ''} {', '.join([*map(str, shared[:5]), *(['...'] if shared[5:] else [])])}"
        lines.append(f"in-sample: SILO's parameters were chosen on {which}, which judge them: only a refutation counts")
    return [*lines, f"grid: {', '.join(f'{value:g}' for value in grid)}"]


def _resolution_line(experiment: Experiment, data: DataInfo) -> str:
    """How fine an accuracy can be measured, beside the tolerance."""
    images, tolerance = data.evaluated_on(experiment.chosen_on), experiment.oracle.tolerance
    coarse = 100 / images / len(experiment.oracle.seeds) > tolerance
    return (
        f"one of {images} {experiment.chosen_on} images is {100 / images:.2g} points of accuracy; the tolerance is "
        f"{tolerance:g}{'; that is too coarse to tell' if coarse else ''}"
    )


def _peak(experiment: Experiment, data: DataInfo, steps: int) -> float:
    """The greatest factor of the shape, in (0, 1]: a warm-up that is cut off never reaches max_lr."""
    recipe = experiment.recipe
    per_epoch = recipe.steps_per_epoch(data.training_images)
    return max(
        recipe.shape.factor(t, per_epoch, recipe.epochs) for t in (*range(1, steps, 1 + steps // MAX_LOOKS), steps)
    )


def _search_lines(experiment: Experiment) -> list[str]:
    search, values, seeds = experiment.oracle.search, len(experiment.oracle.grid.values()), len(experiment.oracle.seeds)
    if search.is_exhaustive:
        return []
    if search.kind is SearchKind.UNTIL_DECIDED:
        rounds = search.rounds(seeds)
        least = len(first_values(experiment.oracle.grid.values())) * rounds[0]
        most, early = values * seeds, experiment.oracle.look_level(ended_early=True)
        return [
            f"the search is {search.kind}: {least} to {most} of these {most} trainings a cycle, beside SILO's own, in at most "
            f"{len(rounds)} rounds; the claims are judged at level {early:.2g} before the last"
        ]
    most = search.budget(values, seeds)
    range_text = f"at most {most}"
    if search.kind is SearchKind.RACING and seeds > FIRST_SEEDS:
        range_text = f"{values * min(seeds, FIRST_SEEDS)} to {most}"
    line = f"the search is {search.kind}: {range_text} of these {values * seeds} trainings a cycle, beside SILO's own"
    if by := experiment.dense_searched_by:
        line += f", but all of cycle 0, which {by}'s search trains anyhow"
    if most <= values and seeds > 1:
        line += "; so few leave most values one seed: expect intervals, but no verdict"
    return [line]


def _baselines_text(experiment: Experiment) -> str:
    if not experiment.baselines:
        return ""
    searched = [name for name, one in experiment.baselines.items() if one.is_searched]
    tested = [name for name, one in experiment.baselines.items() if one.range_test is not None]
    costs = []
    text = f", and {len(experiment.baselines)} baseline{'s' if len(experiment.baselines) > 1 else ''}"
    if searched:
        costs.append(f"{len(searched)} searched by {experiment.search_trainings(searched[0])} trainings each")
    if tested:
        costs.append(f"{len(tested)} by {experiment.search_trainings(tested[0])} range tests each")
    return f"{text} ({', '.join(costs)})" if costs else text
