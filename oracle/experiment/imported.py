"""What is recorded of the parts that an experiment imports, so that its records can be read where they can't be imported."""

from pydantic import Field

from oracle.experiment.component import Strict
from oracle.experiment.import_path import RecordedPath
from oracle.experiment.message import shown
from oracle.experiment.number import MaxLr
from silo.schedule import TableSchedule

UP_TO_DATE = (
    "`silo-oracle run` with the experiment file brings a run folder up to date, then `publish` what is published"
)


class Imported(Strict):
    """What the plan and a report need of imported parts.

    Args:
        code: By import path, a hash of the source by module.
        max_lr: By baseline whose schedule is imported, its max_lr of each cycle.
    """

    code: dict[str, dict[str, str]] = Field({})
    max_lr: dict[str, tuple[MaxLr, ...]] = Field({})

    def path(self, text: str) -> RecordedPath:
        """The import path as it is recorded; raises ValueError where it isn't."""
        if text not in self.code:
            raise ValueError(f"must be recorded with its code, got {shown(text)} without ({UP_TO_DATE})")
        return RecordedPath(text, self.code[text])

    def schedule(self, baseline: str) -> TableSchedule:
        """The schedule that a baseline imports, as it is recorded; raises ValueError where it isn't."""
        if baseline not in self.max_lr:
            raise ValueError(f"no max_lr by cycle is recorded ({UP_TO_DATE})")
        return TableSchedule(self.max_lr[baseline])
