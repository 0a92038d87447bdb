"""What a study consists of, what is recorded of it, and what the rest would take: `plan`."""

import pandas as pd

from oracle.analysis.cells import cells_table, skipped_table
from oracle.analysis.comparison import comparison_table, proposals, stopped_short
from oracle.analysis.significance import settling, statistics_table
from oracle.cli.status_text import clock
from oracle.experiment.overrides import WHOLE_GRID, asking, grid_with
from oracle.experiment.spec import Experiment
from oracle.plan.counts import StatusCounts, tally
from oracle.plan.search.racing import FIRST_SEEDS
from oracle.run.calibration.calibration import BUSY_SHARE, TESTED_SHARE, MeasuredSpeed
from oracle.run.calibration.forecast import forecast
from oracle.study.study import Study


def plan_text(study: Study, speed: MeasuredSpeed | None = None) -> str:
    """Cells, what is recorded and missing, iterations, the time at a stated rate, by recorded trainings and as measured here
    (speed), values to add.
    """
    experiment, data, counts = study.experiment, study.data, tally(study.chains)
    grid, seeds = experiment.oracle.grid.values(), experiment.oracle.seeds
    recipe = experiment.recipe
    per_epoch = recipe.steps_per_epoch(data["training_images"])
    steps = recipe.epochs * per_epoch
    peak = max(recipe.shape.factor(t, per_epoch, recipe.epochs) for t in range(1, steps + 1))
    images, tolerance = data[f"{experiment.chosen_on}_images"], experiment.oracle.tolerance
    too_coarse = "; that is too coarse to tell" if 100 / images / len(seeds) > tolerance else ""
    cells = cells_table(study.chains)
    compared = comparison_table(cells, experiment, data, skipped_table(study.chains))
    lines = [
        f"{experiment.name}: {data['images']} images ({data['training_images']} train), {data['classes']} classes",
        f"{experiment.prune.cycles} cycles x {len(seeds)} seed{'s' * (len(seeds) > 1)} x ({len(grid)} grid values and SILO's, "
        f"which may be one of them){_baselines(experiment)}: {counts.total_told} trainings of {steps} iterations",
        f"one of {images} {experiment.chosen_on} images is {100 / images:.2g} points of accuracy; "
        f"the tolerance is {tolerance:g}{too_coarse}",
        f"the learning rate reaches {100 * peak:.3g}% of max_lr",
        *(["one seed tells no noise from difference: nothing will be decided"] if len(seeds) == 1 else []),
        f"grid: {', '.join(f'{value:g}' for value in grid)}",
        *_search(experiment),
        f"recorded: {counts.recorded}, failed: {counts.count('failed')}, missing: {counts.count('missing')}",
        *_time(study, counts, steps, calibrated=speed is not None),
        *(_predicted(study, speed, steps) if speed else []),
    ]
    if told := settling(statistics_table(cells, compared, experiment, data), experiment):
        lines.append(told)
    return "\n".join([*lines, *widening(experiment, compared)])


def _search(experiment: Experiment) -> list[str]:
    search, values, seeds = (
        experiment.oracle.search,
        len(experiment.oracle.grid.values()),
        len(experiment.oracle.seeds),
    )
    if search.kind == "exhaustive":
        return []
    most = search.budget(values, seeds)
    least = f"{values * min(seeds, FIRST_SEEDS)} to " if search.kind == "racing" and seeds > FIRST_SEEDS else "at most "
    by = experiment.dense_searched_by
    whole = f", but all of cycle 0, which {by}'s search trains anyhow" * bool(by)
    few = "; so few leave most values one seed: expect intervals, but no verdict" * (most <= values and seeds > 1)
    told = f"the search is {search.kind}: {least}{most} of these {values * seeds} trainings a cycle, beside SILO's own"
    return [told + whole + few]


def _baselines(experiment: Experiment) -> str:
    if not experiment.baselines:
        return ""
    searched = [name for name, one in experiment.baselines.items() if one.max_lr is None]
    told = f", and {len(experiment.baselines)} baseline{'s' * (len(experiment.baselines) > 1)}"
    if searched:
        told += f" ({len(searched)} searched by {experiment.search_trainings(searched[0])} trainings each)"
    return told


def _time(study: Study, counts: StatusCounts, steps: int, calibrated: bool) -> list[str]:
    """The time that the missing trainings take on one device, as far as anything tells it."""
    lines, rate, missing = [], study.experiment.compute.rate, counts.count("missing")
    if rate is not None:
        hours = missing * steps / rate.iterations_per_second / 3600
        at = f"{rate.iterations_per_second:g} iterations a second ({rate.source})"
        lines.append(f"missing: {missing * steps:,} iterations: {_hours(hours)} device-hours at {at}")
    if (each := counts.seconds_each) is not None:
        left = f"the missing ones take {clock(each * missing)}, divided by the workers"
        lines.append(f"a training took {each:.2f} s: {left if missing else 'none is missing'}")
    elif rate is None and not calibrated:
        lines.append("no training is recorded yet: the time of one is known after the first")
    return lines


def _predicted(study: Study, speed: MeasuredSpeed, steps: int) -> list[str]:
    """What was measured, the time of the sweep by it and what that assumes, and the rate as a line for the file."""
    experiment, data, workers = study.experiment, study.data, len(speed.worker_starts)
    whole = speed.training_seconds(experiment, data)
    expected = forecast(study, whole, speed.worker_starts)
    walls = {}
    for tested_share in (0.0, TESTED_SHARE, 1.0):
        seconds = speed.training_seconds(experiment, data, tested_share)
        walls[tested_share] = forecast(study, seconds, speed.worker_starts).wall_seconds + speed.shutdown
    at_a_time = f"{workers} training{'s' * (workers > 1)} at a time"
    assumed = "no training diverges"
    if experiment.train.choose == "validation":
        assumed += f", and test is looked at after {TESTED_SHARE:.0%} of the epochs "
        assumed += f"(after the last alone: {_span(walls[0.0])}; "
        assumed += f"after every one: {_span(walls[1.0])})"
    if experiment.compute.gpus_per_trial:
        assumed += "; one training after another in each worker, where a GPU may train several side by side"
    if speed.cpu_share < BUSY_SHARE:
        assumed += f"; other programs go on taking {1 - speed.cpu_share:.0%} of the cores, as they did meanwhile"
    rate = float(f"{steps / whole / (experiment.compute.gpus_per_trial or 1):.3g}")
    source = f"measured on {speed.device}, {at_a_time}, evaluation included"
    return [
        f"measured here ({speed.device}, {at_a_time}): {_unit(speed.step)} an iteration, {_unit(speed.image)} an image "
        f"evaluated, {_unit(speed.shortest_training)} a training beside: {_unit(whole)} a training",
        f"predicted: {_span(walls[TESTED_SHARE])} for {expected.trainings} trainings, "
        f"{_hours(expected.busy_seconds / 3600)} worker-hours; "
        f"{speed.worker_starts[0] + speed.shutdown:.0f} s of it Ray's start and end; loading libraries and data, and the "
        "report, come on top: some seconds",
        f'as a line of the file: compute: {{rate: {{iterations_per_second: {rate:g}, source: "{source}"}}}}',
    ]


def _span(seconds: float) -> str:
    return clock(seconds) if seconds >= 600 else f"{seconds:.0f} s"


def _unit(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def widening(experiment: Experiment, comparison: pd.DataFrame) -> list[str]:
    """What would close the open intervals, by override."""
    told = []
    if values := proposals(comparison, experiment):
        told.append(f"Some intervals are open: {asking(grid_with(experiment, values))} would widen the grid.")
    if stopped_short(comparison, experiment):
        told.append(f"Some intervals are open where the search tried nothing beyond: {WHOLE_GRID} would.")
    return told


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"
