"""Environments: what a training's numbers depend on beside its cell, and where one study mixes several of them."""

import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from oracle.hashing import digest
from oracle.plain_text import one_line
from oracle.study.record import Record

if TYPE_CHECKING:
    import torch

Environment = Mapping[str, Any]
UNKNOWN = "not said"


def current_environment(device: "torch.device") -> dict[str, Any]:
    """Return the environment of this process: the kind of its device, and versions."""
    # here: whoever reads records needs none
    import numpy as np
    import torch

    cpu = f"CPU, {torch.backends.cpu.get_cpu_capability()}"
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def comparable(environment: Environment) -> dict[str, str]:
    """Return what of an environment may change a number: of Python not the patch version, since torch and numpy do the
    arithmetic.
    """
    fields = {name: str(value) for name, value in environment.items()}
    if "python" in fields:
        fields["python"] = ".".join(fields["python"].split(".")[:2])
    return fields


def difference(here: Environment, records: Iterable[Record]) -> str:
    """Say what of this environment differs from that of records, and from how many; empty where nothing does."""
    own = comparable(here)
    others = {name: counts for name, counts in _counts(records).items() if set(counts) - {own.get(name, UNKNOWN)}}
    return "; ".join(
        f"{name} is {own.get(name, UNKNOWN)} here, {_listed_counts(counts, besides=own.get(name, UNKNOWN))}"
        for name, counts in others.items()
    )


def mixture(records: Iterable[Record]) -> str:
    """Say, in two sentences, what differs among the environments of a study's records, and where it matters; empty where
    nothing does.

    What is compared are trainings of one cycle and seed; the means over the seeds take one of each.
    """
    records = list(records)
    differing = {name: counts for name, counts in _counts(records).items() if len(counts) > 1}
    if not differing:
        return ""
    what = "; ".join(f"{name} is {_listed_counts(counts)}" for name, counts in differing.items())
    groups: dict[tuple[int, int], set[str]] = defaultdict(set)
    for record in records:
        groups[record.cell.cycle, record.cell.seed].add(digest(comparable(record.environment)))
    mixed = [group for group, environments in groups.items() if len(environments) > 1]
    first = f"The records come from several environments: {what}."
    if not mixed:
        return f"{first} None are compared across them: those of one cycle and seed come from one."
    cycles, seeds = (_listed(sorted({group[part] for group in mixed})) for part in (0, 1))
    where = f"{len(mixed)} of {len(groups)} pairs of a cycle and a seed (cycles {cycles}; seeds {seeds})"
    return f"{first} In {where} trainings are compared across them: what differs may be the environment's doing."


def _counts(records: Iterable[Record]) -> dict[str, Counter[str]]:
    """How many records have which value of each field."""
    environments = [comparable(record.environment) for record in records]
    names = sorted({name for one in environments for name in one})
    return {name: Counter(one.get(name, UNKNOWN) for one in environments) for name in names}


def _listed_counts(counts: Counter[str], besides: str | None = None) -> str:
    """Every value with how many records have it, the most frequent first."""
    listed = sorted(
        ((value, n) for value, n in counts.items() if value != besides), key=lambda pair: (-pair[1], pair[0])
    )
    return ", ".join(f"{one_line(value)} in {n} record{'s' if n > 1 else ''}" for value, n in listed)


def _listed(numbers: list[int]) -> str:
    """Numbers, runs of them as from-to."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
