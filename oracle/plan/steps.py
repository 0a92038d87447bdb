"""What a chain yields, step by step."""

from dataclasses import dataclass

from oracle.study.cell import Cell


@dataclass(frozen=True)
class Request:
    """A cell that the study asks for, and as what.

    candidate  a grid value on the judged masks;  silo  SILO's max_lr on the judged masks
    chain      SILO's own chain (with ``follow: silo`` its masks are the judged ones)
    policy     the baseline of whose chain it is;  search  the baseline for whose max_lr it is tried
    parent     the cell that left its start state; None at cycle 0
    """

    cell: Cell
    candidate: bool = False
    silo: bool = False
    chain: bool = False
    policy: str = ""
    search: str = ""
    parent: Cell | None = None

    def keeps_state(self, follow: str) -> bool:
        """Whether a next cycle may start from the state this cell leaves.

        With ``follow: oracle`` that is any: a candidate may win, and SILO's own chain may come to the very cell.
        """
        return self.chain or self.policy != "" or self.search != "" or follow == "oracle"


@dataclass(frozen=True)
class ReleaseState:
    """Cells whose states this chain needs no more: their cycle's winner is known, or the next cycle is recorded."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Blocked:
    """A chain that can't go on: nothing of it is trained from this cycle on."""

    chain: str
    cycle: int
    reason: str


@dataclass(frozen=True)
class Pending:
    """A chain that can't go on before a cell is recorded or has failed; later: how many it will want at each later cycle."""

    cell: Cell
    later: dict[int, int]


@dataclass(frozen=True)
class Skipped:
    """A grid value that a search didn't try at a cycle, or not in these seeds, and why."""

    cycle: int
    max_lr: float
    seeds: tuple[int, ...]
    why: str


Step = Request | ReleaseState | Blocked | Pending | Skipped
