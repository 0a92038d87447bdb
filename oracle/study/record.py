"""Record: the result of one finished training, as oracle.study.store writes it; and Records, whatever holds some."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, Self

from oracle.study.cell import Cell
from oracle.study.record_check import check
from silo.outcome import Epoch, Outcome

LISTS = (list, tuple)  # as JSON or to_json has them


class Status(StrEnum):
    """How far a training is."""

    DONE = "done"
    DIVERGED = "diverged"
    FAILED = "failed"
    RUNNING = "running"
    MISSING = "missing"


class Layer(NamedTuple):
    """How many of a layer's prunable weights were alive under the mask that the training had."""

    name: str
    alive: int
    prunable: int


@dataclass(frozen=True)
class Record:
    """The result of a finished training.

    Attributes:
        id: the cell's id, 20 hexadecimal digits.
        cell: which training it was.
        outcome: accuracies in percent, by epoch (``curve``) and at the chosen and the final one.
        alive: how many prunable weights were alive under its mask.
        prunable: how many there were.
        layers: the same for each layer, in the network's order.
        leaves: digest of the state that it left for the next cycle; None where it diverged.
        environment: device and versions that its numbers come from.
        stepping: how its steps were taken ("eager", ...); None in records of older versions.
        seconds: how long it took.
        flops: floating-point operations of one forward pass of one sample, without those of pruned weights (silo.flops); None
            where the network's can't be counted, and in records of older versions.
    """

    id: str
    cell: Cell
    outcome: Outcome
    alive: int
    prunable: int
    layers: tuple[Layer, ...]
    leaves: str | None
    environment: Mapping[str, Any]
    stepping: str | None
    seconds: float
    flops: int | None = None

    @property
    def status(self) -> Status:
        """DONE or DIVERGED."""
        return Status.DIVERGED if self.outcome.diverged else Status.DONE

    def without_curve(self) -> Self:
        """The record without the accuracies after every epoch: a run remembers thousands."""
        return replace(self, outcome=replace(self.outcome, curve=()))

    def same_result(self, other: "Record") -> bool:
        """Whether another record differs in its time, its environment and whether FLOPs were counted alone."""
        counted = other.flops if self.flops is None or other.flops is None else self.flops
        return replace(self, seconds=other.seconds, environment=other.environment, flops=counted) == other

    def to_json(self) -> dict[str, Any]:
        """The record as dicts, lists, numbers and strings, which JSON holds."""
        held = {
            "id": self.id,
            "cell": asdict(self.cell),
            "outcome": asdict(self.outcome),
            "alive": self.alive,
            "prunable": self.prunable,
            "layers": [list(layer) for layer in self.layers],
            "leaves": self.leaves,
            "environment": dict(self.environment),
            "seconds": self.seconds,
        }
        later = {"stepping": self.stepping, "flops": self.flops}  # which older versions did not record
        return held | {name: value for name, value in later.items() if value is not None}

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Self:
        """The record of :meth:`to_json`.

        Raises:
            ValueError: where a field is missing, of another kind, or one that no training leaves.
        """
        try:
            if not isinstance(held["layers"], LISTS) or not isinstance(held["outcome"]["curve"], LISTS):
                raise TypeError("layers and outcome.curve must be lists")
            if held["cell"].keys() != Cell.__dataclass_fields__.keys():
                raise ValueError(f"cell must hold {', '.join(Cell.__dataclass_fields__)}")
            outcome = Outcome(
                **held["outcome"] | {"curve": tuple(Epoch(**epoch) for epoch in held["outcome"]["curve"])}
            )
            record = cls(
                id=held["id"],
                cell=Cell(**held["cell"]),
                outcome=outcome,
                alive=held["alive"],
                prunable=held["prunable"],
                layers=tuple(Layer(sys.intern(name), *counts) for name, *counts in held["layers"]),
                leaves=held["leaves"],
                environment=held["environment"],
                stepping=held.get("stepping"),
                seconds=held["seconds"],
                flops=held.get("flops"),
            )
            check(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"must hold the fields of a record ({error})") from error
        return record


class Records(Protocol):
    """Whatever holds the records of a study: its run folder, or one that is simulated."""

    def record(self, cell_id: str) -> Record | None:
        """The record of a finished training; None where there is none."""
        ...

    def whole_record(self, cell_id: str) -> Record | None:
        """The record with its curve, which :meth:`record` may leave out; None where there is none."""
        ...

    def failure(self, cell_id: str) -> str | None:
        """Why a training failed; None where it didn't."""
        ...

    def has_state(self, cell_id: str) -> bool:
        """Whether the state that this training left is still there."""
        ...

    def drop_state(self, cell_id: str) -> None:
        """Delete a state that no training starts from any more."""
        ...
