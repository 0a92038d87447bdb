"""What a study consists of and how far it is: `plan` and `status`."""

from collections import Counter

from oracle.chain import Blocked, Wanted
from oracle.comparison import cells_table, comparison_table, proposals
from oracle.study import Study


def plan_text(study: Study) -> str:
    """Cells by kind, what is done and missing, iterations, and the time by what the recorded trainings took."""
    experiment, store = study.experiment, study.store
    grid, seeds = experiment.oracle.grid.values(), experiment.oracle.seeds
    wanted = {step.cell.id for step in study.chains.steps() if isinstance(step, Wanted)}
    records = [record for cell_id in wanted if (record := store.record(cell_id))]
    missing = study.total - len(records)
    lines = [
        f"{experiment.name}: {study.data['images']} images, {study.data['classes']} classes",
        f"{experiment.prune.cycles} cycles x {len(seeds)} seeds x ({len(grid)} grid values and SILO's): {study.total} trainings",
        f"grid: {', '.join(f'{value:g}' for value in grid)}",
        f"recorded: {len(records)}, missing: {missing}",
    ]
    if records:
        seconds = sum(record["seconds"] for record in records) / len(records)
        steps = max(record["outcome"]["steps"] for record in records)
        lines.append(
            f"a training took {seconds:.2f} s ({steps} iterations): {_clock(seconds * missing)} of training are missing, "
            "to be divided by the number of workers"
        )
    else:
        lines.append("no training is recorded yet: the time of a training is known after the first")
    comparison = comparison_table(cells_table(study.chains), experiment, study.data["chance"])
    if values := proposals(comparison, experiment):
        extra = ", ".join(f"{value:g}" for value in (*experiment.oracle.grid.extra, *values))
        lines.append(f"some intervals are open: --set 'oracle.grid.extra=[{extra}]' would widen the grid")
    return "\n".join(lines)


def status_text(study: Study) -> str:
    """A line a cycle: trainings done, diverged, failed, missing; and what is blocked."""
    experiment = study.experiment
    steps = list(study.chains.steps())
    wanted = {step.cell.id: step.cell for step in steps if isinstance(step, Wanted)}
    counts: dict[int, Counter[str]] = {cycle: Counter() for cycle in range(experiment.prune.cycles)}
    for cell in wanted.values():
        if record := study.store.record(cell.id):
            counts[cell.cycle]["diverged" if record["outcome"]["diverged"] else "done"] += 1
        elif study.store.failure(cell.id) is not None:
            counts[cell.cycle]["failed"] += 1
    lines = ["cycle    done  diverged  failed  missing"]
    for cycle, count in counts.items():
        missing = study.total_at(cycle) - sum(count.values())
        lines.append(f"{cycle:5d}  {count['done']:6d}  {count['diverged']:8d}  {count['failed']:6d}  {missing:7d}")
    lines += [f"{s.chain} is blocked from cycle {s.cycle} on: {s.reason}" for s in steps if isinstance(s, Blocked)]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60}:{minutes % 60:02d} h"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else f"{seconds:.0f} s"
    )
