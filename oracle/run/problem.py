"""From an experiment to what a worker trains on: the device, and silo's problems; and what their network computes."""

from functools import lru_cache

import torch
from torch import nn

from oracle.error import FieldError
from oracle.experiment.import_path import target_of
from oracle.experiment.spec import Experiment
from oracle.study.data import network, split_of
from silo.cycle import Problem
from silo.data.images import Dataset
from silo.data.split import Split
from silo.flops import ForwardFlops, forward_flops
from silo.model import INITIALIZATIONS
from silo.randomness import Purpose, seeded
from silo.sample_shape import sample_shape

SPLITS_KEPT = 2**28  # bytes: a split is a copy of the images, and every worker has its own


def device(experiment: Experiment) -> torch.device:
    """Return CUDA where the experiment gives its trainings GPUs, else the CPU.

    Raises:
        FieldError: where there is no CUDA GPU to give.
    """
    gpus = experiment.compute.gpus_per_trial
    if gpus > 0 and not torch.cuda.is_available():
        raise FieldError(f"compute.gpus_per_trial must be 0 where no CUDA GPU is visible, got {gpus:g}")
    return torch.device("cuda" if gpus > 0 else "cpu")


def problems(experiment: Experiment, dataset: Dataset, data_digest: str, on: torch.device) -> dict[str, Problem]:
    """Return what a worker trains on, by the digest of its training: the study's own problem and every baseline's.

    The splits of the last few seeds stay on the device, as far as they are small.
    """

    def build() -> nn.Module:
        model = network(experiment, dataset.channels, dataset.size, len(dataset.classes))
        initialize(experiment, model)
        return model

    @lru_cache(maxsize=max(1, min(4, SPLITS_KEPT // (dataset.bytes_in_memory + 1))))
    def data(seed: int) -> Split:
        return split_of(experiment, dataset, seed).to(on)

    return {
        one.training_digest(data_digest): Problem(build, data, one.recipe, one.pruning, one.prune.restart.make())
        for one in experiment.variants
    }


def flops_of(problem: Problem, dataset: Dataset) -> ForwardFlops | None:
    """Return the FLOPs of the problem's network, by its prunable weights; None where they can't be counted here (a network
    that calls for a GPU).
    """
    for on in ("meta", "cpu"):  # without numbers where that is possible
        try:
            with seeded(0, Purpose.TRIAL):
                with torch.device(on):
                    model = problem.build()
                shape = sample_shape(dataset.channels, dataset.size)
                return forward_flops(model, problem.pruning.prunable(model), shape)
        except Exception:  # the user's own network may raise any; it trains all the same
            continue
    return None


def initialize(experiment: Experiment, model: nn.Module) -> None:
    """Draw the network's weights, in place, as the experiment says."""
    target_of(INITIALIZATIONS, experiment.model.init)(model)
