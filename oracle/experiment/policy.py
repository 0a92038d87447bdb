"""The schedules that SILO is compared with: a max_lr over the cycles, and a shape and restart within each."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from oracle.experiment.component import Strict, one_of
from oracle.experiment.grid import Grid
from silo.restart import RESTARTS
from silo.schedule import SCHEDULES
from silo.shape import SHAPES

RESERVED = ("silo", "oracle")
AnyShape, AnyRestart = one_of("kind", SHAPES), one_of("kind", RESTARTS)


def _max_lr(value: object) -> object:
    return {"kind": "constant", "value": value} if isinstance(value, float | int) else value


def _policy_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or name.lower() in RESERVED:
        raise ValueError(f"allowed: a name of letters, digits, . _ - other than {' and '.join(RESERVED)}")
    return name


class Baseline(Strict):
    """One policy.

    max_lr            null: one value, found by the search; else a number, or a schedule over the cycles
    shape, restart    null: the study's own
    search_trainings  for a max_lr that is given: the trainings that it was chosen by; null: not stated
    """

    max_lr: Annotated[one_of("kind", SCHEDULES) | None, BeforeValidator(_max_lr)] = None
    shape: AnyShape | None = None
    restart: AnyRestart | None = None
    search_trainings: Annotated[int, Field(ge=0)] | None = None


class Search(Strict):
    """The search for a baseline's one max_lr, the same for every baseline, over the study's own seeds.

    over  "dense": the best of the grid at cycle 0; "trajectory": a whole chain of cycles for every grid value, the
          best by its mean over the cycles
    grid  null: the Oracle's
    """

    over: Literal["dense", "trajectory"] = "dense"
    grid: Grid | None = None


class Policies(Strict):
    """The baselines by name, and how their max_lr is searched."""

    search: Search = Search()
    baselines: dict[Annotated[str, AfterValidator(_policy_name)], Baseline] = Field({})
