"""A published run as records: what any search among its trainings would have found, and what a report would say of that."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import pandas as pd

from oracle.analysis.results import Results, analyze, load_results
from oracle.experiment.search import Search
from oracle.experiment.spec import Experiment
from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.study.cell import Cell
from oracle.study.data_info import DataInfo
from oracle.study.record import Record, Status
from silo.outcome import Outcome

ACCURACIES = ("validation", "test", "final_validation", "final_test")


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """A finished run without its folder; its baselines are left out, since the Oracle's searches don't hang on them.

    Attributes:
        experiment: an exhaustive one.
        data: what is known of its data.
        cells: its table of cells.
    """

    experiment: Experiment
    data: DataInfo
    cells: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Self:
        """A folder that `silo-oracle publish` made.

        Raises:
            InputError: for any other.
        """
        results = load_results(folder)
        data = DataInfo.from_json(json.loads((folder / "experiment.json").read_text(encoding="utf-8"))["data"])
        policies = results.experiment.policies.model_copy(update={"baselines": {}})
        return cls(results.experiment.model_copy(update={"policies": policies}), data, results.cells)

    @property
    def seeds(self) -> int:
        """How many there are."""
        return len(self.experiment.oracle.seeds)

    def results(self, search: Search, order: Sequence[int]) -> Results:
        """Return what a report would say, had a search been made with the seeds in this order (by number)."""
        seeds = tuple(self.experiment.oracle.seeds[number] for number in order)
        oracle = self.experiment.oracle.model_copy(update={"search": search, "seeds": seeds})
        experiment = self.experiment.model_copy(update={"oracle": oracle})
        return analyze(Snapshot.walk(Trajectories(experiment, self.data, self), self.data, ""))

    @cached_property
    def _records(self) -> dict[str, Record]:
        done = self.cells[self.cells.status != Status.FAILED]
        return {row["id"]: _record(row) for row in done.to_dict("records")}

    def record(self, cell_id: str) -> Record | None:
        """See ``oracle.study.record.Records``."""
        return self._records.get(cell_id)

    def whole_record(self, cell_id: str) -> Record | None:
        """See ``oracle.study.record.Records``; a publication has no curves."""
        return self.record(cell_id)

    def failure(self, cell_id: str) -> str | None:
        """See ``oracle.study.record.Records``."""
        return None if cell_id in self._records else "not recorded"

    def has_state(self, cell_id: str) -> bool:
        """See ``oracle.study.record.Records``."""
        return True

    def drop_state(self, cell_id: str) -> None:
        """See ``oracle.study.record.Records``."""


def _record(row: dict) -> Record:
    diverged = row["status"] == Status.DIVERGED
    accuracies = {name: None if diverged else row[name] for name in ACCURACIES}
    chosen = None if diverged else int(row["chosen_epoch"])
    cell = Cell("", int(row["seed"]), int(row["cycle"]), row["max_lr"], row["start"])
    return Record(
        row["id"],
        cell,
        Outcome(diverged, chosen_epoch=chosen, steps=1, curve=(), **accuracies),
        int(row["alive"]),
        int(row["prunable"]),
        (),
        None if diverged else row["leaves"],
        {},
        None,
        1.0,
    )
