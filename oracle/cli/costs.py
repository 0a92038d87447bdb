"""What the missing trainings of a study take: time, by which rate, on how many devices; disk; a GPU's memory."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from oracle.cli.status import duration_text
from oracle.experiment.compute import Compute, Rate
from oracle.experiment.search import SearchKind
from oracle.plan.snapshot import Snapshot
from oracle.run.calibration.forecast import PackTime, Waves, forecast, waves
from oracle.run.optional import is_installed
from oracle.study.record import Record
from oracle.study.study import Study

if TYPE_CHECKING:
    from oracle.run.footprint import GpuMemory

ASSUMED_GPU = 80 * 10**9  # bytes of a GPU's memory: those of an H100 or A100


def cost_lines(study: Study, snapshot: Snapshot, calibrated: bool) -> list[str]:
    """Return what is known of the time, on one device and on those of the file, and of disk and GPU memory.

    Args:
        study: Its run folder is only read.
        snapshot: What is recorded of it.
        calibrated: Whether a calibration's lines follow.
    """
    missing, recipe = snapshot.counts().missing, study.experiment.recipe
    steps = recipe.epochs * recipe.steps_per_epoch(study.data.training_images)
    lines = _time_lines(study.experiment.compute.rate, missing, snapshot, steps, calibrated)
    search = study.experiment.oracle.search.kind
    if missing and (search is not SearchKind.ADAPTIVE or is_installed("optuna")):
        lines += _room_lines(study, snapshot.seconds_each, steps)
    return lines


def hours_text(hours: float) -> str:
    """Return hours, as exact as a prediction deserves."""
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"


def bytes_text(size: float) -> str:
    """Return bytes in the unit that suits."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.0f} {unit}" if size >= 10 * least else f"{size / least:.2g} {unit}"
    return f"{size / 1e3:,.0f} kB"


def _time_lines(rate: Rate | None, missing: int, snapshot: Snapshot, steps: int, calibrated: bool) -> list[str]:
    """The time that the missing trainings take on one device, as far as it is known, and by which rate."""
    lines = []
    if rate is not None:
        hours = missing * steps / rate.iterations_per_second / 3600
        at = f"{rate.iterations_per_second:g} iterations a second ({_source(rate)})"
        lines.append(f"missing: {missing * steps:,} iterations: {hours_text(hours)} device-hours at {at}")
    if (seconds := snapshot.seconds_each) is not None:
        left = f"the missing ones take {duration_text(seconds * missing)}, divided by the workers"
        lines.append(
            f"a training took {seconds:.2f} s ({_measured(snapshot.records)}): {left if missing else 'none is missing'}"
        )
    elif rate is None and not calibrated:
        lines.append("no training is recorded yet: the time of one is known after the first")
    return lines


def _source(rate: Rate) -> str:
    """What the file says of its rate; one of which it says nothing is assumed."""
    text = rate.source
    return text if any(word in text.lower() for word in ("measured", "assum")) else f"assumed: {text}"


def _measured(records: Sequence[Record]) -> str:
    """Of what a mean time of records is."""
    devices = sorted({str(record.environment.get("device", "a device not said")) for record in records})
    return f"measured: {len(records)} record{'s' if len(records) > 1 else ''} of this run, on {', '.join(devices)}"


def _room_lines(study: Study, seconds_each: float | None, steps: int) -> list[str]:
    """Wall-clock, disk and GPU memory; seconds_each: the mean time of a recorded training."""
    from oracle.run.footprint import file_sizes, gpu_memory  # torch

    compute, sizes = study.experiment.compute, file_sizes(study)
    memory = gpu_memory(study) if compute.gpus_per_trial else None
    lanes, simulated = _lanes(compute, memory), waves(study, sizes and sizes.states)
    lines = [_wall_line(study, simulated, seconds_each, steps, lanes)]
    if sizes is not None:
        under_way = min(simulated.trainings, (compute.workers or 1) * lanes)
        lines.append(_disk_line(study, simulated, sizes.record, under_way * sizes.checkpoint))
    return lines + ([_memory_line(compute, memory, lanes)] if compute.gpus_per_trial else [])


def _lanes(compute: Compute, memory: "GpuMemory | None") -> int:
    """How many trainings a worker takes at once; memory: what is known of that on a GPU."""
    from silo.graph import MOST_LANES  # torch

    if compute.lanes != "auto":
        return compute.lanes
    if compute.gpus_per_trial == 0:
        return 1
    if compute.rate is not None and compute.rate.lanes > 1:
        return compute.rate.lanes
    return MOST_LANES if memory is None else memory.lanes(ASSUMED_GPU * min(1.0, compute.gpus_per_trial))


def _wall_line(study: Study, simulated: Waves, seconds_each: float | None, steps: int, lanes: int) -> str:
    """How long the missing trainings take on the workers that the file names, and at least on any number of them."""
    compute, chain = study.experiment.compute, simulated.longest_chain
    time, line = _pack_time(compute, seconds_each, steps), f"{chain} of them wait for each other"
    if time is None:
        return line
    line += f": {hours_text(chain * time.seconds(1) / 3600)} hours on any number of devices"
    if compute.workers is None:
        return line
    starts = [0.0] * min(compute.workers, simulated.trainings)

    def hours(time: PackTime, lanes: int) -> str:
        return hours_text(forecast(study, time, starts, lanes).wall_seconds / 3600)

    line += f", {hours(time, lanes if time.lanes > 1 else 1)} on {compute.workers}"
    if time.lanes > 1:
        return f"{line}, up to {lanes} side by side on each"
    line += ", one training after another on each"
    if compute.gpus_per_trial and lanes > 1:
        best = PackTime(time.alone, time.alone / lanes, lanes)
        line += f"; {hours(best, lanes)} if {lanes} side by side took as long as one (`plan --calibrate` measures it)"
    return line


def _pack_time(compute: Compute, seconds_each: float | None, steps: int) -> PackTime | None:
    """The time of trainings on one worker: by the file's rate, which is a whole device's, else by what is recorded."""
    rate = compute.rate
    if rate is None:
        return None if seconds_each is None else PackTime.in_turn(seconds_each)
    gpus = compute.gpus_per_trial or 1
    share = steps / rate.iterations_per_second / gpus
    alone = rate.lanes * share if rate.alone is None else steps / rate.alone / gpus
    return PackTime(alone, share, rate.lanes)


def _disk_line(study: Study, simulated: Waves, record: int, checkpoints: int) -> str:
    """What the run folder takes in the end, and at most on the way."""
    held = _folder_bytes(study.store.folder)
    records = simulated.trainings * record
    total = held + records + simulated.state_bytes + checkpoints
    now = f"{bytes_text(held)} now, " if held else ""
    return (
        f"disk: at most {bytes_text(total)} in the run folder: {now}{bytes_text(records)} of records and logs, "
        f"{bytes_text(simulated.state_bytes)} of start states, {bytes_text(checkpoints)} of checkpoints of trainings "
        "under way; a report comes on top"
    )


def _folder_bytes(folder: Path) -> int:
    """What a folder holds now; a run that is at work there deletes files meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _memory_line(compute: Compute, memory: "GpuMemory | None", lanes: int) -> str:
    """What a training and a worker take of a GPU."""
    if memory is None:
        return "GPU memory: not known before a GPU has tried the network"
    beside = f"{lanes} side by side"
    if compute.lanes == "auto" and (compute.rate is None or compute.rate.lanes == 1):
        beside += f", as many as {bytes_text(ASSUMED_GPU)} hold (assumed)"
    if (workers := round(1 / compute.gpus_per_trial)) > 1:
        beside += f"; {workers} workers share a GPU"
    return (
        f"GPU memory, by the tensors' sizes, not measured: {bytes_text(memory.training.total)} a training; a worker takes "
        f"{bytes_text(memory.worker(1))} with one, {bytes_text(memory.worker(lanes))} with {beside}"
    )
