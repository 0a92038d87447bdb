"""What the parts of a training cost on this machine, by differences between trainings that have more or less of them."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from oracle.run.calibration.shortened import WholeShape, shorten_split
from silo.criterion import Criterion, LayerInputs
from silo.cycle import Problem
from silo.engine import train_lanes
from silo.evaluation import gradients
from silo.lane import EAGER, Lane, Start, Stepper
from silo.mask import Mask
from silo.randomness import Purpose, generator, seeded

ROUND_SECONDS = 0.2  # that each kind of measured training is sized to
MAX_EPOCHS = 9  # of the training that shows what an epoch costs beside its steps


@dataclass(frozen=True)
class Costs:
    """Seconds that the parts of a training take.

    Attributes:
        step: Time of a training step.
        epoch: Time of an epoch beside its steps and images.
        image: Time to evaluate an image.
        gradient: Time of a batch of the gradient that the criterion calls for; 0 where it calls for none.
        cpu_share: Share of the measured time, 0 to 1, that the process had a core; 1 on a GPU.
    """

    step: float
    epoch: float
    image: float
    gradient: float
    cpu_share: float


def measure_costs(problem: Problem, seed: int, seconds: float, stepper: Stepper = EAGER) -> Costs:
    """Train with more of one part and the same of the rest, in turn, and return what each part costs by the differences.

    What a training costs once is in none of them. Of trainings side by side each has its share.

    Args:
        problem: The study's own.
        seed: Of the split and the network.
        seconds: For about so long; each kind of training is done at least once.
        stepper: The run's own; as many trainings as it has lanes are measured side by side.
    """
    whole, recipe = problem.data(seed), problem.recipe
    steps_per_epoch = recipe.steps_per_epoch(len(whole.train))
    shape = WholeShape(recipe.shape, steps_per_epoch, recipe.epochs)
    with seeded(seed, Purpose.CALIBRATION):
        model = problem.build()
    mask, lanes = _once_pruned(problem, model, seed), stepper.at_once
    # at a rate of 0 no training diverges, and all cost the same
    starts = [Start(copy.deepcopy(model), mask, 0.0) for _ in range(lanes)]

    def training(epochs: int, batches: int, images: int) -> Callable[[], Any]:
        split = shorten_split(whole, recipe.batch_size, batches, images)
        short = replace(recipe, epochs=epochs, shape=shape)
        return lambda: train_lanes(starts, split, short, seed=seed, cycle=0, stepper=stepper)

    least = training(1, 1, 1)
    least()  # the very first one takes longer
    repetitions = max(1, math.floor(ROUND_SECONDS * lanes / seconds_of(least)))
    batches = min(1 + repetitions, max(2, steps_per_epoch * recipe.epochs))
    epochs = 1 + min(MAX_EPOCHS - 1, repetitions)
    images = min(1 + repetitions * recipe.batch_size, len(whole.validation))
    kinds = {"least": least, "steps": training(1, batches, 1), "epochs": training(epochs, 1, 1)}
    if images > 1:
        kinds["images"] = training(1, 1, images)
    if calls_for_gradient(problem.pruning.criterion):
        some_batches = shorten_split(whole, recipe.batch_size, batches, 1)
        network = Lane(Start(copy.deepcopy(model), mask, 0.0), recipe, whole.mean.device).model
        kinds["gradient"] = lambda: gradients(network, some_batches, recipe.batch_size)
    means, cpu_share = _mean_seconds(kinds, seconds)
    means = {name: mean if name == "gradient" else mean / lanes for name, mean in means.items()}
    step = max(0.0, (means["steps"] - means["least"]) / (batches - 1))
    return Costs(
        step=step,
        epoch=max(0.0, (means["epochs"] - means["least"]) / (epochs - 1) - step),
        image=max(0.0, (means.get("images", 0.0) - means["least"]) / max(1, images - 1)),
        gradient=means.get("gradient", 0.0) / batches,
        cpu_share=1.0 if whole.mean.is_cuda else min(1.0, cpu_share),
    )


def _once_pruned(problem: Problem, model: torch.nn.Module, seed: int) -> Mask:
    """Return a mask that prunes as much as the first cycle does, at random."""
    dense = Mask.dense(problem.pruning.prunable(model))
    scores = {
        name: torch.rand(layer.shape, generator=generator(seed, Purpose.CALIBRATION))
        for name, layer in dense.layers.items()
    }
    return dense.prune(scores, problem.pruning.rate_after(0), problem.pruning.scope)


def _mean_seconds(kinds: dict[str, Callable[[], Any]], seconds: float) -> tuple[dict[str, float], float]:
    """Call each in turn for so many seconds, and each at least once; return their mean seconds and the share of a core."""
    totals, rounds, until = dict.fromkeys(kinds, 0.0), 0, time.monotonic() + seconds
    computed = time.process_time()
    while rounds == 0 or time.monotonic() < until:
        rounds += 1
        for name, run in kinds.items():
            totals[name] += seconds_of(run)
    cpu_share = (time.process_time() - computed) / sum(totals.values())
    return {name: total / rounds for name, total in totals.items()}, cpu_share


def seconds_of(run: Callable[[], Any]) -> float:
    """Call it and return the seconds that it took."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def calls_for_gradient(criterion: Criterion) -> bool:
    """Return whether a criterion calls for the gradient."""
    calls = []

    def gradient() -> torch.Tensor:
        calls.append(True)
        return torch.ones(2, 2)

    criterion(LayerInputs(torch.ones(2, 2), torch.zeros(2, 2), generator(0, Purpose.CALIBRATION), gradient))
    return bool(calls)
