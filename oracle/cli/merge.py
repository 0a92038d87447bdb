"""What a merge took, and how far the study is now."""

from collections.abc import Sequence

from oracle.plan.snapshot import Snapshot
from oracle.report.advice import set_options
from oracle.study.environment import mixture
from oracle.study.merge import Merged
from oracle.study.study import Study


def merge_text(study: Study, merged: Sequence[Merged]) -> str:
    """Return some lines for each folder that was merged; then the study's."""
    snapshot = Snapshot.take(study)
    counts = snapshot.counts()
    lines = [line for one in merged for line in _folder_lines(study, one)]
    lines.append(f"{study.store.folder}: {counts.recorded} of {counts.total_text} trainings are recorded")
    if missing := counts.missing + counts.failed:
        lines[-1] += f"; `silo-oracle run` trains the other {missing}"
    return "\n".join(line for line in (*lines, mixture(snapshot.records)) if line)


def _folder_lines(study: Study, one: Merged) -> list[str]:
    parts = {"record": one.records, "state": one.states, "checkpoint": one.checkpoints, "log": one.logs}
    taken = ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in parts.items())
    lines = [f"{one.folder}: took {taken}"]
    if one.both:
        lines.append(f"{one.folder}: {one.both} of its records were there already")
    if one.differing:
        why = (
            f"{one.from_elsewhere} of these come from another environment"
            if one.from_elsewhere
            else "in one environment"
        )
        lines[-1] += f"; {one.differing} differ in their numbers ({why}): those that were there stand"
    if one.beyond:
        more = f"{one.folder}: requests more than {study.store.folder} does"
        options = set_options(*one.beyond)
        lines.append(f"{more}; `silo-oracle run` with {options} uses its records, and trains what that misses")
    return lines
