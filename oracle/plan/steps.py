"""What a trajectory yields, step by step, as it is planned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from oracle.study.cell import DENSE, Cell

Later = Callable[[], Mapping[int, int]]


class Role(StrEnum):
    """What a study requests a training for."""

    CANDIDATE = "candidate"  # a grid value on the judged masks
    SILO = "silo"  # SILO's max_lr on the judged masks
    CHAIN = "chain"  # SILO's own trajectory (with ``follow: silo`` its masks are the judged ones)
    POLICY = "policy"  # a baseline's own trajectory
    SEARCH = "search"  # tried for a baseline's max_lr


@dataclass(frozen=True)
class Start:
    """What a seed's trainings of a cycle start from: the digest of a state, and the cell that left it (None: dense)."""

    digest: str = DENSE
    parent: Cell | None = None


@dataclass(frozen=True)
class Request:
    """A training that the study requests.

    Attributes:
        cell: the training.
        roles: as what it is requested.
        baseline: whose trajectory it is, or for whose max_lr it is tried, with POLICY or SEARCH; else empty.
        parent: the cell that left its start state; None at cycle 0.
    """

    cell: Cell
    roles: frozenset[Role]
    baseline: str = ""
    parent: Cell | None = None

    @property
    def purpose(self) -> str:
        """What it is trained for, in words, such as "SILO's chain"; where it serves several things, what others wait for."""
        if Role.CHAIN in self.roles:
            return "SILO's chain"
        if Role.POLICY in self.roles:
            return self.baseline
        if Role.SEARCH in self.roles:
            return f"search for {self.baseline}'s max_lr"
        return "SILO on the judged masks" if Role.SILO in self.roles else "the Oracle's search"

    def keeps_state(self, follow: str) -> bool:
        """Whether a next cycle may start from the state this training leaves.

        With ``follow: oracle`` that is any: a candidate may win, and SILO's own trajectory may come to the very cell.
        """
        return follow == "oracle" or not self.roles <= {Role.CANDIDATE, Role.SILO}


@dataclass(frozen=True)
class ReleaseState:
    """Cells whose states this trajectory needs no more: their cycle's winner is known, or the next cycle is recorded."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Blocked:
    """A trajectory that can't go on: nothing of it is trained from this cycle on."""

    trajectory: str
    cycle: int
    reason: str


@dataclass(frozen=True)
class Pending:
    """A trajectory that can't go on before a cell is recorded or has failed.

    Attributes:
        cell: the training that it waits for.
        later: returns how many trainings it will request at each later cycle, at most; only what counts them calls it, since
            all trajectories wait once a cycle, and it looks at all cycles.
    """

    cell: Cell
    later: Later


@dataclass(frozen=True)
class Skipped:
    """A grid value that a search didn't try at a cycle, or not in these seeds, and why."""

    cycle: int
    max_lr: float
    seeds: tuple[int, ...]
    why: str


Step = Request | ReleaseState | Blocked | Pending | Skipped
