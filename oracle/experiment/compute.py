"""What an experiment is computed on: nothing of it changes a number."""

from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from oracle.experiment.component import Strict
from oracle.experiment.number import Count, NotNegative, PerSecond, number
from oracle.experiment.words import Remark


class Rate(Strict):
    """The speed of one device, for the time that `plan` predicts.

    Args:
        iterations_per_second: How many iterations it trains in a second, 1e-6 to 1e12, those of all its trainings together.
        source: Who measured it on what, or that it is assumed, in at most 1000 characters.
        lanes: How many trainings a worker had side by side then, 1 to 1000000.
        alone: How many iterations a second it trains of workers with one training each, 1e-6 to 1e12; null: a training takes
            no less time then than beside ``lanes`` - 1 others.
    """

    iterations_per_second: PerSecond
    source: Remark
    lanes: Count = 1
    alone: PerSecond | None = None


class Compute(Strict):
    """What the trainings run on.

    Args:
        cpus_per_trial: CPU cores of one worker, 0.01 to 10000.
        gpus_per_trial: The share of a GPU that one worker has: 0 (it trains on the CPU), or 0.01 to 1, since a training runs on
            one GPU.
        workers: How many workers there are, 1 to 1000000; null: as many as fit.
        lanes: How many trainings of a seed and cycle a worker takes at once, 1 to 1000: side by side on a GPU ("auto": as
            many as its memory holds), one after another on a CPU ("auto": 1). No number depends on it.
        rate: The speed of one device, where it is known.
    """

    cpus_per_trial: number(float, at_least=0.01, at_most=10**4) = 1.0
    gpus_per_trial: NotNegative = 0.0
    workers: Count | None = None
    lanes: Literal["auto"] | int = "auto"
    rate: Rate | None = None

    @field_validator("lanes", mode="before")
    @classmethod
    def _a_number_of_lanes(cls, lanes: Any) -> Any:
        if lanes != "auto" and (type(lanes) is not int or not 1 <= lanes <= 1000):
            raise ValueError("must be auto, or a whole number from 1 to 1000")
        return lanes

    @field_validator("gpus_per_trial")
    @classmethod
    def _a_share_of_one(cls, gpus: float, info: ValidationInfo) -> float:
        if info.context is None and gpus != 0 and not 0.01 <= gpus <= 1:  # what is recorded had whole numbers, too
            raise ValueError("must be 0, or a share of one GPU from 0.01 to 1 (a training runs on one)")
        return gpus
