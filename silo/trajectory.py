"""Iterative pruning: train, prune the lowest share of what is alive, restart under the mask, again."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from torch import nn

from silo.checkpoint import Checkpoint
from silo.criterion import Criterion, Evidence
from silo.data.split import Split
from silo.engine import Recipe, gradients, train
from silo.mask import Mask, prunable_weights
from silo.outcome import Outcome, Trained
from silo.randomness import generator, seeded
from silo.restart import Restart, Weights, statistics
from silo.schedule import Schedule


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


def iterative_pruning(problem: Problem, schedule: Schedule, cycles: int, seed: int) -> Iterator[CycleResult]:
    """Train and prune ``cycles`` times at the schedule's max_lr; stops early after a cycle that diverged."""
    state = State()
    for cycle in range(cycles):
        result = run_cycle(problem, seed, cycle, schedule.max_lr(cycle), state)
        yield result
        if result.leaves is None:
            return
        state = result.leaves


def run_cycle(
    problem: Problem, seed: int, cycle: int, max_lr: float, start: State, checkpoint: Checkpoint | None = None
) -> CycleResult:
    """Train one cycle from its start state (or on from its checkpoint), then prune: what the paper's loop does between two
    restarts.
    """
    model, mask = _restart(problem, seed, cycle, start)
    data = problem.data(seed)
    remember_at = problem.restart.remember_at(cycle, problem.recipe.steps_per_epoch(len(data.train)))
    place = {"seed": seed, "cycle": cycle, "remember_at": remember_at}
    trained = train(model, data, problem.recipe, max_lr, mask, checkpoint=checkpoint, **place)
    leaves = None
    if not trained.outcome.diverged:
        # the model is still the trained one, on its device
        all_gradients = cache(lambda: gradients(model, data, problem.recipe.batch_size))
        scores = _scores(problem.pruning.criterion, mask, trained, all_gradients, seed, cycle)
        pruned = mask.prune(scores, problem.pruning.rate, problem.pruning.scope)
        leaves = State(pruned, problem.restart.carry(start.weights, trained.remembered, trained.final))
    return CycleResult(trained.outcome, mask.alive, mask.total, mask.counts, leaves)


def _restart(problem: Problem, seed: int, cycle: int, start: State) -> tuple[nn.Module, Mask]:
    with seeded(seed, "initialization", problem.restart.initialization_cycle(cycle)):
        model = problem.build()
    if start.weights is not None:
        drawn = model.state_dict()
        alone = start.weights.keys() == statistics(drawn).keys()
        model.load_state_dict(drawn | start.weights if alone else start.weights)
    return model, start.mask or Mask.dense(problem.pruning.prunable(model))


def _scores(
    criterion: Criterion, mask: Mask, trained: Trained, all_gradients: Callable[[], Weights], seed: int, cycle: int
) -> Weights:
    random = generator(seed, "criterion", cycle)
    return {
        n: criterion(Evidence(trained.final[n], trained.epoch_before[n], random, lambda n=n: all_gradients()[n]))
        for n in mask.layers
    }
