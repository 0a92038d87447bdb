"""The schedules that SILO is compared with: a max_lr over the cycles, and a shape and restart within each."""

import operator
import re
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationInfo, model_validator

from oracle.experiment.component import Component, Strict, one_of
from oracle.experiment.grid import AnyGrid
from oracle.experiment.message import InnerFieldError
from oracle.experiment.number import MaxLr, NotNegativeCount
from oracle.experiment.schema import Or
from oracle.experiment.words import LONGEST_NAME
from silo.range_test import RangeTest
from silo.restart import RESTARTS
from silo.schedule import SCHEDULES
from silo.shape import SHAPES

RESERVED = ("silo", "oracle", "all")  # rows of the tables
AnyShape = one_of("kind", SHAPES, later={"cosine": ("warmup",)})
AnyRestart = one_of("kind", RESTARTS, later={"reinit": ("widen",)})


EXAMPLE_RATE = 0.2  # with which a schedule is made once when it is validated; its own is then known


class ScheduleComponent(Component):
    """A schedule, whose constructor may have a ``prune_rate``: the pruning loop has it, which isn't known here."""

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> "ScheduleComponent":
        if info.context is None:
            self._make_once(prune_rate=EXAMPLE_RATE)
        return self


AnySchedule = one_of("kind", SCHEDULES, ScheduleComponent, supplied=("prune_rate",))


def _constant(value: Any) -> Any:
    """A plain number as the schedule that is constant."""
    return {"kind": "constant", "value": value} if isinstance(value, float | int) else value


def _policy_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or name.lower() in RESERVED:
        raise ValueError(f"must be a name of letters, digits, . _ - other than {', '.join(RESERVED)}")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"must be a name of at most {LONGEST_NAME} characters")
    return name


class CycleRangeTest(Strict):
    """A learning rate range test before every cycle, which chooses its max_lr: see :class:`silo.range_test.RangeTest`.

    Args:
        low: The rate before a test's first iteration, at least 1e-30.
        high: The rate of its last iteration, above ``low``, at most 1e9.
    """

    low: MaxLr
    high: MaxLr

    @model_validator(mode="after")
    def _rises(self) -> "CycleRangeTest":
        if self.low >= self.high:
            raise InnerFieldError("low", f"must be below high ({self.high}), got {self.low}")
        return self

    def make(self) -> RangeTest:
        """Return silo's object."""
        return RangeTest(self.low, self.high)

    def shape(self) -> Component:
        """Return the shape of a test, as an experiment file would name it."""
        return TypeAdapter(AnyShape).validate_python({"kind": "ramp", "low": self.make().shape.low})


class Baseline(Strict):
    """A policy that SILO is compared with.

    Args:
        max_lr: A number from 1e-30 to 1e9, or a schedule over the cycles (which has ``prune.rate`` where it takes a
            ``prune_rate``); null: one value, found by the search, or one for each cycle by its ``range_test``.
        range_test: What chooses every cycle's max_lr by a training of its own; null: nothing does.
        shape: The shape within a cycle; null: ``train.shape``.
        restart: What a cycle starts from; null: ``prune.restart``.
        search_trainings: For a max_lr that is given: by how many trainings it was chosen, 0 to 1e9; null: not stated.
    """

    max_lr: Annotated[AnySchedule | None, BeforeValidator(_constant), Or({"type": "number"})] = None
    shape: AnyShape | None = None
    restart: AnyRestart | None = None
    search_trainings: NotNegativeCount | None = None
    # it came later: not written where there is none; no function of ours, see oracle.experiment.component
    range_test: CycleRangeTest | None = Field(None, exclude_if=partial(operator.is_, None))

    @model_validator(mode="after")
    def _one_max_lr(self) -> "Baseline":
        if self.range_test is not None and self.max_lr is not None:
            raise InnerFieldError("max_lr", "must be left out where range_test is given, which chooses it")
        return self

    @property
    def is_searched(self) -> bool:
        """Whether its one max_lr is found among the values of a grid."""
        return self.max_lr is None and self.range_test is None


class BaselineSearch(Strict):
    """The search for a baseline's one max_lr, the same for every baseline, over the study's own seeds.

    Args:
        over: "dense": the best of the grid at cycle 0; "trajectory": a whole chain of cycles for every grid value, the best
            by its mean over the cycles.
        grid: The values that are tried; null: ``oracle.grid``.
    """

    over: Literal["dense", "trajectory"] = "dense"
    grid: AnyGrid | None = None


class Policies(Strict):
    """The policies that SILO is compared with.

    Args:
        search: How the max_lr of those that give none is searched.
        baselines: The policies by name: letters, digits, . _ - other than silo, oracle and all.
    """

    search: BaselineSearch = BaselineSearch()
    baselines: dict[Annotated[str, AfterValidator(_policy_name)], Baseline] = Field({})
