"""How the Oracle searches among its grid values."""

import math
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from oracle.experiment.component import Strict
from oracle.experiment.message import InnerFieldError
from oracle.experiment.number import Share
from oracle.experiment.schema import Or

ADAPTIVE_SHARE = 1 / 3
FIRST_SEEDS = 2  # in which a search that compares all cycles begins: one says nothing of the noise


class SearchKind(StrEnum):
    """How the Oracle searches."""

    EXHAUSTIVE = "exhaustive"
    ADAPTIVE = "adaptive"
    RACING = "racing"
    UNTIL_DECIDED = "until-decided"


class Search(Strict):
    """Which trainings the Oracle asks for; written as a plain string, the kind alone.

    Args:
        kind: "exhaustive": every value in every seed; "adaptive": it looks for the best and for the interval's ends, within
            a budget; "racing": every value in two seeds, and others only for the best and for those at an edge;
            "until-decided": the same values in the same seeds in all cycles, in rounds (see :meth:`rounds`), until the
            verdicts on claims 1 and 3 and on the rival are decided, or no more trainings would decide them. It needs
            follow: silo and at least 3 seeds, and takes the whole grid in all seeds at most.
        share: For "adaptive" alone: the budget of each cycle as a share, above 0 and below 1, of the trainings that an
            exhaustive search takes, SILO's own counted on both sides; null: a third.
    """

    kind: Annotated[SearchKind, Field(strict=False)] = SearchKind.EXHAUSTIVE
    share: Share | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"kind": value}
        if not isinstance(value, dict):
            raise ValueError("must be exhaustive, adaptive, racing or until-decided, or a mapping of kind and share")
        return value

    @model_validator(mode="after")
    def _only_adaptive_has_a_share(self) -> "Search":
        if self.share is not None and self.kind is not SearchKind.ADAPTIVE:
            raise InnerFieldError(
                "share", f"must be null where kind is {self.kind} (only adaptive has one), got {self.share}"
            )
        return self

    @property
    def is_exhaustive(self) -> bool:
        """Whether every value is tried in every seed."""
        return self.kind is SearchKind.EXHAUSTIVE

    def rounds(self, seeds: int) -> tuple[int, ...]:
        """Return how many seeds each round measures its values in; one round where the search isn't until-decided.

        The first round has some values of the whole grid, the next all that are near the best in some cycle, in as many
        seeds; then the seeds double; the last has the whole grid in all of them.

        Args:
            seeds: How many there are.
        """
        if self.kind is not SearchKind.UNTIL_DECIDED:
            return (seeds,)
        counts = [FIRST_SEEDS, FIRST_SEEDS]
        while counts[-1] < seeds:
            counts.append(min(2 * counts[-1], seeds))
        return tuple(counts)

    def budget(self, values: int, seeds: int) -> int:
        """How many trainings a cycle takes at most, beside SILO's own (one a seed).

        Args:
            values: How many values the grid has.
            seeds: How many seeds there are.
        """
        if self.kind is not SearchKind.ADAPTIVE:
            return values * seeds
        share = ADAPTIVE_SHARE if self.share is None else self.share
        return max(1, math.floor(share * (values + 1) * seeds + 1e-9) - seeds)  # a third of 27 is 9


AnySearch = Annotated[Search, Or({"enum": [kind.value for kind in SearchKind]})]
