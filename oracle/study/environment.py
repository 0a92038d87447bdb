"""Environments: what a training's numbers depend on beside its cell, and where one study mixes several of them."""

import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from oracle.hashing import digest
from oracle.study.store import Record

Environment = Mapping[str, Any]
NOT_SAID = "not said"
SAME = "those of one cycle and seed come from one"
BLUR = "what differs may be the environment's doing"


def environment(on: torch.device) -> dict[str, Any]:
    """This process's: device kind and versions."""
    kind = torch.cuda.get_device_name(on) if on.type == "cuda" else f"CPU, {torch.backends.cpu.get_cpu_capability()}"
    return {
        "device": kind,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def comparable(of: Environment) -> dict[str, str]:
    """What of an environment may change a number: of Python not the patch version, since torch and numpy do the arithmetic."""
    told = {name: str(value) for name, value in of.items()}
    if "python" in told:
        told["python"] = ".".join(told["python"].split(".")[:2])
    return told


def difference(here: Environment, records: Iterable[Record]) -> str:
    """What of this environment differs from that of records, and from how many; empty where nothing does."""
    own = comparable(here)
    others = {name: values for name, values in _values(records).items() if set(values) - {own.get(name, NOT_SAID)}}
    return "; ".join(
        f"{name} is {own.get(name, NOT_SAID)} here, {_counted(values, besides=own.get(name, NOT_SAID))}"
        for name, values in others.items()
    )


def mixture(records: Iterable[Record]) -> str:
    """In two sentences, what differs among the records of a study, and where it matters; empty where nothing does.

    What is compared are trainings of one cycle and seed; the means over the seeds take one of each.
    """
    records = list(records)
    differing = {name: values for name, values in _values(records).items() if len(values) > 1}
    if not differing:
        return ""
    told = "; ".join(f"{name} is {_counted(values)}" for name, values in differing.items())
    groups: dict[tuple[int, int], set[str]] = defaultdict(set)
    for record in records:
        groups[record["cell"]["cycle"], record["cell"]["seed"]].add(digest(comparable(record["environment"])))
    mixed = [group for group, environments in groups.items() if len(environments) > 1]
    if not mixed:
        return f"The records come from several environments: {told}. None are compared across them: {SAME}."
    cycles, seeds = (_listed(sorted({group[part] for group in mixed})) for part in (0, 1))
    where = f"{len(mixed)} of {len(groups)} pairs of a cycle and a seed (cycles {cycles}; seeds {seeds})"
    return f"The records come from several environments: {told}. In {where} trainings are compared across them: {BLUR}."


def _values(records: Iterable[Record]) -> dict[str, Counter[str]]:
    """How many records have which value of each field."""
    environments = [comparable(record["environment"]) for record in records]
    names = sorted({name for one in environments for name in one})
    return {name: Counter(one.get(name, NOT_SAID) for one in environments) for name in names}


def _counted(values: Counter[str], besides: str | None = None) -> str:
    """Every value with how many records have it, the most frequent first."""
    told = sorted(((value, n) for value, n in values.items() if value != besides), key=lambda of: (-of[1], of[0]))
    return ", ".join(f"{value} in {n} record{'s' * (n > 1)}" for value, n in told)


def _listed(numbers: list[int]) -> str:
    """Numbers, runs of them as from-to."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
