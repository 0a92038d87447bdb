"""What a merge took, and how far the study is now."""

from collections.abc import Sequence

from oracle.experiment.overrides import asking
from oracle.plan.counts import tally
from oracle.study.environment import mixture
from oracle.study.merge import Taken
from oracle.study.study import Study


def merged_text(study: Study, taken: Sequence[Taken]) -> str:
    """Some lines for each folder; then the study's."""
    counts = tally(study.chains)
    lines = [line for one in taken for line in _of_one(study, one)]
    lines.append(f"{study.store.folder}: {counts.recorded} of {counts.total_told} trainings are recorded")
    if missing := counts.count("missing", "failed"):
        lines[-1] += f"; `silo-oracle run` trains the other {missing}"
    return "\n".join(line for line in (*lines, mixture(counts.records)) if line)


def _of_one(study: Study, one: Taken) -> list[str]:
    parts = {"record": one.records, "state": one.states, "checkpoint": one.checkpoints, "log": one.logs}
    told = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in parts.items())
    lines = [f"{one.folder}: took {told}"]
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
        more = f"{one.folder}: asks for more than {study.store.folder} does"
        lines.append(
            f"{more}; `silo-oracle run` with {asking(*one.beyond)} uses its records, and trains what that misses"
        )
    return lines
