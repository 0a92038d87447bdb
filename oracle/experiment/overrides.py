"""What an experiment would have to ask, by ``--set``, to ask for more: for other grid values, or for what another one asks."""

import json
from collections.abc import Iterable
from typing import Any

from oracle.experiment.spec import Experiment

Override = tuple[str, Any]


def asking(*overrides: Override) -> str:
    """Overrides as one types them."""
    return " ".join(f"--set '{field}={json.dumps(value)}'" for field, value in overrides)


WHOLE_GRID = asking(("oracle.search", "exhaustive"))


def grid_with(experiment: Experiment, values: Iterable[float]) -> Override:
    """The override that adds values to the grid."""
    grid = experiment.oracle.grid
    field = "oracle.grid.extra" if grid.points else "oracle.grid"  # a grid may be a plain list
    return field, sorted({*grid.extra, *values})


def asked_beyond(experiment: Experiment, other: Experiment) -> list[Override]:
    """The overrides by which an experiment asks, beside its own trainings, for those of another one of the same identity.

    Of SILO's parameters and the search, of which there is one, they are the other one's.
    """
    overrides: list[Override] = []
    own_grid, own_seeds = set(experiment.oracle.grid.values()), experiment.oracle.seeds
    if values := set(other.oracle.grid.values()) - own_grid:
        overrides.append(grid_with(experiment, values))
    if seeds := [seed for seed in other.oracle.seeds if seed not in own_seeds]:
        overrides.append(("oracle.seeds", [*own_seeds, *seeds]))
    if other.prune.cycles > experiment.prune.cycles:
        overrides.append(("prune.cycles", other.prune.cycles))
    if other.oracle.follow != experiment.oracle.follow:
        overrides.append(("oracle.follow", other.oracle.follow))
    if other.oracle.search != experiment.oracle.search:
        overrides.append(("oracle.search", other.oracle.search.model_dump(mode="json", exclude_none=True)))
    overrides += [
        (f"silo.{field}", value)
        for field in ("epsilon", "delta", "beta", "delay")
        if (value := getattr(other.silo, field)) != getattr(experiment.silo, field)
    ]
    if other.baselines and other.policies.search != experiment.policies.search:
        overrides.append(("policies.search", other.policies.search.model_dump(mode="json", exclude_none=True)))
    overrides += [
        (f"policies.baselines.{name}", baseline.model_dump(mode="json", exclude_none=True))
        for name, baseline in other.baselines.items()
        if name not in experiment.baselines
    ]
    return overrides
