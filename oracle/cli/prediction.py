"""How long a run will take here, by what a calibration measured: `plan --calibrate`."""

from oracle.cli.costs import hours_text
from oracle.cli.status import duration_text
from oracle.run.calibration.calibration import BUSY_SHARE, TESTED_SHARE, MeasuredSpeed
from oracle.run.calibration.forecast import forecast
from oracle.study.study import Study


def predicted_lines(study: Study, speed: MeasuredSpeed) -> list[str]:
    """Return what was measured, the time of the run by it and what that assumes, and the rate as a line for the file.

    Args:
        study: its run folder is only read.
        speed: what was measured here.
    """
    experiment, data, workers = study.experiment, study.data, len(speed.worker_starts)
    steps = experiment.recipe.epochs * experiment.recipe.steps_per_epoch(data.training_images)
    time = speed.pack_time(experiment, data)
    whole, share = time.share, experiment.compute.gpus_per_trial or 1
    expected = forecast(study, time, speed.worker_starts, speed.lanes)
    walls = {}
    for tested_share in (0.0, TESTED_SHARE, 1.0):
        simulated = forecast(study, speed.pack_time(experiment, data, tested_share), speed.worker_starts, speed.lanes)
        walls[tested_share] = simulated.wall_seconds + speed.shutdown
    at_a_time = f"{workers} training{'s' if workers > 1 else ''} at a time"
    if speed.lanes > 1:
        at_a_time = f"{workers} worker{'s' if workers > 1 else ''} of {speed.lanes} trainings side by side"
    assumed = "no training diverges"
    if experiment.train.choose == "validation":
        assumed += f", and test is looked at after {TESTED_SHARE:.0%} of the epochs "
        assumed += f"(after the last alone: {_span(walls[0.0])}; "
        assumed += f"after every one: {_span(walls[1.0])})"
    if speed.lanes > 2:
        assumed += f"; what 2 to {speed.lanes - 1} side by side take lies evenly between one and {speed.lanes}"
    if speed.cpu_share < BUSY_SHARE:
        assumed += f"; other programs go on taking {1 - speed.cpu_share:.0%} of the cores, as they did meanwhile"
    side_by_side = ""
    if speed.lanes > 1:
        side_by_side = f"lanes: {speed.lanes}, alone: {_digits(steps / time.alone / share):g}, "
    source = f"measured on {speed.device} by plan --calibrate, {at_a_time}, evaluation included"
    return [
        f"measured here ({speed.device}, {at_a_time}): {_unit(speed.step)} an iteration, {_unit(speed.image)} an image "
        f"evaluated, {_unit(speed.shortest_training)} a training beside: {_unit(whole)} a training"
        + (f" of {speed.lanes}, {_unit(time.alone)} one alone" if speed.lanes > 1 else ""),
        f"predicted: {_span(walls[TESTED_SHARE])} for {expected.trainings} trainings, "
        f"{hours_text(expected.busy_seconds / 3600)} worker-hours; "
        f"{speed.worker_starts[0] + speed.shutdown:.0f} s of it Ray's start and end; loading libraries and data, and the "
        "report, come on top: some seconds",
        f"assumed: {assumed}",
        f"as a line of the file: compute: {{rate: {{iterations_per_second: {_digits(steps / whole / share):g}, "
        f'{side_by_side}source: "{source}"}}}}',
    ]


def _digits(rate: float) -> float:
    """Three digits of it."""
    return float(f"{rate:.3g}")


def _span(seconds: float) -> str:
    return duration_text(seconds) if seconds >= 600 else f"{seconds:.0f} s"


def _unit(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
