"""A training under way, kept after an epoch in the run folder, so that a killed one goes on from there."""

import contextlib
import time
from typing import Any

from oracle.study.states import read_checkpoint, write_checkpoint
from oracle.study.store import Event, Store
from silo.checkpoint import TrainingState

SECONDS = 10  # between two checkpoints at least: a shorter training starts over as fast
SHARE = 20  # and as many times as long as one takes to write: 5% of the time at most, on a slow disk, too


class EpochCheckpoint:
    """The checkpoint (silo.checkpoint.Checkpoint) of one cell. It holds in one environment alone: in another one a training
    starts over, since a record names one environment.
    """

    def __init__(self, store: Store, cell_id: str, environment: dict[str, Any], lanes: int = 1) -> None:
        self._store, self._cell_id, self._environment = store, cell_id, environment
        self._began = self._saved = time.monotonic()
        self._wait = SECONDS
        self._earlier, self._lanes = 0.0, lanes

    @property
    def seconds(self) -> float:
        """What the training has taken by now (of lanes side by side, its share), with the time before it was cut off up to its
        checkpoint.
        """
        return self._earlier + (time.monotonic() - self._began) / self._lanes

    def load(self) -> TrainingState | None:
        """Where to go on, or None: from the start."""
        held = read_checkpoint(self._store, self._cell_id)
        try:
            if held is None or held["cell"] != self._cell_id or held["environment"] != self._environment:
                return None
            position, self._earlier = TrainingState.from_plain(held["position"]), held["seconds"]
        except (KeyError, TypeError, ValueError):  # another version's
            return None
        self._store.log_attempt(cell=self._cell_id, event=Event.RESUMED, epoch=position.epochs)
        return position

    def is_due(self) -> bool:
        """Whether losing what was trained since the last checkpoint would cost more than writing one."""
        return time.monotonic() - self._saved >= self._wait

    def save(self, position: TrainingState) -> None:
        """Keep it. Where the disk is full the training goes on without: it can still be recorded."""
        began = time.monotonic()
        held = {"cell": self._cell_id, "environment": self._environment, "seconds": self.seconds}
        with contextlib.suppress(OSError):
            write_checkpoint(self._store, self._cell_id, {**held, "position": position.to_plain()})
        self._saved = time.monotonic()
        self._wait = max(SECONDS, SHARE * (self._saved - began))
