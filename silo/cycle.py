"""One pruning cycle: train from a start state, prune the lowest share of what is alive, and say what the next starts from."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from torch import nn

from silo.checkpoint import Checkpoint
from silo.criterion import Criterion, LayerInputs
from silo.data.split import Split
from silo.engine import train_lanes
from silo.evaluation import gradients
from silo.lane import EAGER, Start, Stepper
from silo.mask import Mask, prunable_weights
from silo.outcome import Outcome, Trained
from silo.randomness import Purpose, generator, seeded
from silo.recipe import Recipe
from silo.restart import Restart, Weights, statistics


@dataclass(frozen=True)
class Pruning:
    """What goes at the end of a cycle: the floor(rate * alive) weights that the criterion scores lowest.

    scope  "global": of all alive prunable weights together; "layer": of each layer's
    norm, first, head  whether normalization weights, the first layer and the classifier are prunable, too
    """

    criterion: Criterion
    scope: str
    rate: float
    norm: bool
    first: bool
    head: bool

    def prunable(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The prunable weights of a model, by name."""
        return prunable_weights(model, self.norm, self.first, self.head)


@dataclass(frozen=True)
class State:
    """What a cycle starts from: which weights are alive (None: all), and their values.

    weights  a whole state_dict; batch norm's statistics alone, the rest being drawn; None: all is drawn by the restart
    """

    mask: Mask | None = None
    weights: Weights | None = None

    def digest(self) -> str:
        """A hash of mask and weights; "dense" where nothing is pruned and everything is drawn."""
        if self.mask is None and self.weights is None:
            return "dense"
        text = hashlib.sha256(b"dense" if self.mask is None else self.mask.digest().encode())
        for name, tensor in sorted((self.weights or {}).items()):
            text.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            text.update(tensor.contiguous().numpy().tobytes())
        return text.hexdigest()[:20]


@dataclass(frozen=True)
class Problem:
    """All that a training depends on, but for seed, cycle, max_lr and start state.

    build     makes the network with weights drawn from torch's global generator
    data      the split of a seed, on the device to train on
    """

    build: Callable[[], nn.Module]
    data: Callable[[int], Split]
    recipe: Recipe
    pruning: Pruning
    restart: Restart


@dataclass(frozen=True)
class CycleResult:
    """One cycle, trained.

    alive, prunable  how many weights there were under the mask it was trained with
    layers           the same for each layer: name -> (alive, prunable), in model order
    leaves           the next cycle's start; None where it diverged
    """

    outcome: Outcome
    alive: int
    prunable: int
    layers: dict[str, tuple[int, int]]
    leaves: State | None


@dataclass(frozen=True)
class Candidate:
    """What one training of a seed and cycle has for itself: its max_lr, its start state, where its position is kept."""

    max_lr: float
    start: State
    checkpoint: Checkpoint | None = None


def run_cycle(
    problem: Problem, seed: int, cycle: int, max_lr: float, start: State, checkpoint: Checkpoint | None = None
) -> CycleResult:
    """Train one cycle from its start state (or on from its checkpoint), then prune: what the paper's loop does between two
    restarts.
    """
    return run_lanes(problem, seed, cycle, [Candidate(max_lr, start, checkpoint)])[0]


def run_lanes(
    problem: Problem, seed: int, cycle: int, candidates: Sequence[Candidate], stepper: Stepper = EAGER
) -> list[CycleResult]:
    """:func:`run_cycle` of several candidates, side by side as the stepper can; each gives what it would give alone."""
    data = problem.data(seed)
    remember_at = problem.restart.remember_at(cycle, problem.recipe.steps_per_epoch(len(data.train)))
    starts = [start_of(problem, seed, cycle, candidate) for candidate in candidates]
    trained = train_lanes(
        starts,
        data,
        problem.recipe,
        seed=seed,
        cycle=cycle,
        remember_at=remember_at,
        checkpoints=[candidate.checkpoint for candidate in candidates],
        stepper=stepper,
    )
    results = []
    for candidate, start, training in zip(candidates, starts, trained, strict=True):
        mask, leaves = start.mask, None
        if not training.outcome.diverged:
            pruned = _pruned(problem, start, training, data, seed, cycle)
            weights = problem.restart.carry(candidate.start.weights, training.remembered, training.final)
            leaves = State(pruned, weights)
        results.append(CycleResult(training.outcome, mask.alive, mask.total, mask.counts, leaves))
    return results


def start_of(problem: Problem, seed: int, cycle: int, candidate: Candidate) -> Start:
    """The network that a candidate begins with, under its mask."""
    with seeded(seed, Purpose.INITIALIZATION, problem.restart.initialization_cycle(cycle)):
        model = problem.build()
    weights = candidate.start.weights
    if weights is not None:
        drawn = model.state_dict()
        only_statistics = weights.keys() == statistics(drawn).keys()
        model.load_state_dict(drawn | weights if only_statistics else weights)
    return Start(model, candidate.start.mask or Mask.dense(problem.pruning.prunable(model)), candidate.max_lr)


def _pruned(problem: Problem, start: Start, trained: Trained, data: Split, seed: int, cycle: int) -> Mask:
    """What is alive after the cycle's prune."""

    @cache
    def all_gradients() -> Weights:
        model = start.model.to(data.mean.device)
        model.load_state_dict(trained.final)
        return gradients(model, data, problem.recipe.batch_size)

    random, pruning = generator(seed, Purpose.CRITERION, cycle), problem.pruning
    scores = {
        n: pruning.criterion(
            LayerInputs(trained.final[n], trained.epoch_before[n], random, lambda n=n: all_gradients()[n])
        )
        for n in start.mask.layers
    }
    return start.mask.prune(scores, pruning.rate, pruning.scope)
