"""One pruning cycle: train from a start state, prune the lowest share of what is alive; the next one's start state results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import nn

from silo.checkpoint import Checkpoint
from silo.criterion import LayerInputs
from silo.data.split import Split
from silo.engine import train_lanes
from silo.evaluation import gradients
from silo.lane import EAGER, Start, Stepper
from silo.mask import Mask
from silo.outcome import Outcome, Trained
from silo.pruning_rule import Pruning
from silo.randomness import Purpose, generator, seeded
from silo.recipe import Recipe
from silo.restart import Reinit, Restart, Weights, statistics
from silo.state import State


@dataclass(frozen=True)
class Problem:
    """Everything that a training depends on, except for seed, cycle, max_lr and start state.

    Args:
        build: Returns a new network on the CPU, with weights drawn from torch's global generator.
        data: Returns the split of a seed, on the device to train on.
        recipe: How a cycle is trained.
        pruning: Which weights are pruned at the end of a cycle.
        restart: Which weights the next cycle starts from.
    """

    build: Callable[[], nn.Module]
    data: Callable[[int], Split]
    recipe: Recipe
    pruning: Pruning
    restart: Restart


@dataclass(frozen=True)
class CycleResult:
    """One cycle, trained and pruned.

    Attributes:
        outcome: What was measured.
        alive: How many weights were alive under the mask that it was trained with.
        prunable: How many weights are prunable, alive or not.
        layers: (alive, prunable) of each layer by name, in model order.
        leaves: The state that the next cycle starts from; None where it diverged.
    """

    outcome: Outcome
    alive: int
    prunable: int
    layers: dict[str, tuple[int, int]]
    leaves: State | None


@dataclass(frozen=True)
class Candidate:
    """What the trainings of one seed and cycle differ in: all share the batches.

    Args:
        max_lr: The upper bound of the learning rate, above 0.
        start: The state that it starts from.
        checkpoint: Where its state is kept after an epoch; None for nowhere.
        problem: Its own, with another shape, restart or pruning; None for that of the others.
    """

    max_lr: float
    start: State
    checkpoint: Checkpoint | None = None
    problem: Problem | None = None


def run_cycle(
    problem: Problem, seed: int, cycle: int, max_lr: float, start: State, checkpoint: Checkpoint | None = None
) -> CycleResult:
    """Train one cycle from its start state (or on from its checkpoint), then prune: the loop's body between two restarts.

    Args:
        problem: The network, data, recipe, pruning and restart.
        seed: The seed of the split, initialization, order and augmentation.
        cycle: The pruning cycle, from 0, which trains the dense network.
        max_lr: The upper bound of the learning rate, above 0.
        start: What the cycle before left; ``State()`` at cycle 0.
        checkpoint: Keeps the training's state after an epoch; None for nowhere.

    Returns:
        The outcome, and the state that the next cycle starts from.

    Raises:
        ValueError: Where the restart remembers an iteration beyond the cycle's end, a checkpoint's state doesn't fit, or the
            criterion's scores don't.
    """
    return run_lanes(problem, seed, cycle, [Candidate(max_lr, start, checkpoint)])[0]


def run_lanes(
    problem: Problem, seed: int, cycle: int, candidates: Sequence[Candidate], stepper: Stepper = EAGER
) -> list[CycleResult]:
    """Train and prune several candidates of one seed and cycle, side by side as far as the stepper can.

    Each gives what :func:`run_cycle` gives of it alone.

    Args:
        problem: The network, data, recipe, pruning and restart.
        seed: The seed of the split, initialization, order and augmentation.
        cycle: The pruning cycle, from 0.
        candidates: The max_lr, start state and checkpoint of each.
        stepper: How they take their steps, and how many at once.

    Returns:
        A result for each candidate, in their order.

    Raises:
        ValueError: As run_cycle does, or where a candidate's own problem has another recipe but for its shape.
    """
    data, recipe = problem.data(seed), problem.recipe
    problems = [candidate.problem or problem for candidate in candidates]
    for own in problems:
        if replace(own.recipe, shape=recipe.shape) != recipe:
            raise ValueError(f"problem must have the others' recipe but for its shape, got {own.recipe}")
    starts = [start_of(own, seed, cycle, one) for own, one in zip(problems, candidates, strict=True)]
    steps_per_epoch = recipe.steps_per_epoch(len(data.train))
    trained = train_lanes(
        [
            replace(start, shape=own.recipe.shape, remember_at=own.restart.remember_at(cycle, steps_per_epoch))
            for start, own in zip(starts, problems, strict=True)
        ],
        data,
        recipe,
        seed=seed,
        cycle=cycle,
        checkpoints=[candidate.checkpoint for candidate in candidates],
        stepper=stepper,
    )
    results = []
    for own, candidate, start, training in zip(problems, candidates, starts, trained, strict=True):
        mask, leaves = start.mask, None
        if not training.outcome.diverged:
            pruned = _pruned(own, start, training, data, seed, cycle)
            weights = own.restart.carry(candidate.start.weights, training.remembered, training.final)
            leaves = State(pruned, weights)
        results.append(CycleResult(training.outcome, mask.alive, mask.total, mask.counts, leaves))
    return results


def start_of(problem: Problem, seed: int, cycle: int, candidate: Candidate) -> Start:
    """The network that a candidate begins with, drawn or carried as the restart says, and its mask."""
    with seeded(seed, Purpose.INITIALIZATION, problem.restart.initialization_cycle(cycle)):
        model = problem.build()
    weights, mask = candidate.start.weights, candidate.start.mask
    if mask is not None and isinstance(problem.restart, Reinit) and problem.restart.widen:
        _widen(model, mask, problem.restart)
    if weights is not None:
        drawn = model.state_dict()
        only_statistics = weights.keys() == statistics(drawn).keys()
        model.load_state_dict(drawn | weights if only_statistics else weights)
    return Start(model, mask or Mask.dense(problem.pruning.prunable(model)), candidate.max_lr)


@torch.no_grad()
def _widen(model: nn.Module, mask: Mask, restart: Reinit) -> None:
    """Scale the drawn weights of pruned layers as the restart says; those of one dimension are normalization's scales."""
    parameters = dict(model.named_parameters())
    for name, (alive, prunable) in mask.counts.items():
        if parameters[name].dim() > 1:
            parameters[name].mul_(restart.scale(alive, prunable))


def _pruned(problem: Problem, start: Start, trained: Trained, data: Split, seed: int, cycle: int) -> Mask:
    """The mask after the cycle's prune."""

    @cache
    def all_gradients() -> Weights:
        model = start.model.to(data.mean.device)
        model.load_state_dict(trained.final)
        return gradients(model, data, problem.recipe.batch_size)

    random, pruning = generator(seed, Purpose.CRITERION, cycle), problem.pruning

    def inputs(name: str) -> LayerInputs:
        return LayerInputs(trained.final[name], trained.epoch_before[name], random, lambda: all_gradients()[name])

    scores = {name: pruning.criterion(inputs(name)) for name in start.mask.layers}
    return start.mask.prune(scores, pruning.rate_after(cycle), pruning.scope)
