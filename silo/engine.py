"""Train networks for one pruning cycle: start weights, masks and rates in; outcomes and the trained weights out."""

import math
from collections.abc import Sequence
from itertools import groupby

import torch
from torch import nn

from silo.checkpoint import Checkpoint, TrainingState, copies
from silo.data.split import Split
from silo.evaluation import accuracy
from silo.lane import EAGER, Lane, Start, Stepper
from silo.mask import Mask
from silo.outcome import Epoch, Outcome, Trained, chosen
from silo.precision import layout, reproducible
from silo.randomness import Purpose, generator, seed_global
from silo.recipe import Recipe

AUGMENTED = {"validation": Purpose.AUGMENTED_VALIDATION, "test": Purpose.AUGMENTED_TEST}


def train(
    model: nn.Module,
    data: Split,
    recipe: Recipe,
    max_lr: float,
    mask: Mask,
    *,
    seed: int,
    cycle: int,
    remember_at: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train one network in place for one cycle, at lr(t) = max_lr * recipe.shape.factor(t).

    Args:
        model: The network, with the weights to start from.
        data: The split, on the device to train on.
        recipe: How to train.
        max_lr: The upper bound of the learning rate, above 0.
        mask: Which weights are alive. The others are set to 0 before the first step and after every step.
        seed: The training's seed: of the order, the augmentation and what the network itself draws.
        cycle: The pruning cycle, from 0: other cycles draw otherwise.
        remember_at: The iteration (from 1) after which the weights are remembered; None for none.
        checkpoint: Keeps the training's state after an epoch; None for nowhere.

    Returns:
        The outcome, and the weights at the end, one epoch before, and at the remembered iteration.

    Raises:
        ValueError: As :func:`train_lanes` does.
    """
    return train_lanes(
        [Start(model, mask, max_lr, remember_at=remember_at)],
        data,
        recipe,
        seed=seed,
        cycle=cycle,
        checkpoints=[checkpoint],
    )[0]


def train_lanes(
    starts: Sequence[Start],
    data: Split,
    recipe: Recipe,
    *,
    seed: int,
    cycle: int,
    checkpoints: Sequence[Checkpoint | None] = (),
    stepper: Stepper = EAGER,
) -> list[Trained]:
    """Train candidates of one seed and cycle, on the device that the data is on, each from the weights it has.

    Each gives the numbers that it would give alone, however many are trained at once: they share the batches and nothing else.
    Pruned weights are set to 0 before the first step and after every step, and no other weight is held.

    Args:
        starts: The networks, masks and max_lrs to train, each with a shape of its own where it isn't the recipe's.
        data: The split, on the device to train on.
        recipe: How to train.
        seed: The trainings' seed: of the order, the augmentation and what a network itself draws.
        cycle: The pruning cycle, from 0: other cycles draw otherwise.
        checkpoints: One for each start, or none at all; each keeps its training's state after an epoch. A training that was cut
            off goes on from there and gives bitwise the same. Those with other numbers of finished epochs are trained apart.
        stepper: How they take their steps, and how many at once.

    Returns:
        What each start gave, in their order.

    Raises:
        ValueError: Where remember_at lies beyond the training, or a checkpoint's state is another network's (which then has its
            own weights still) or not before the last epoch.
    """
    total = recipe.steps_per_epoch(len(data.train)) * recipe.epochs
    if (latest := max((start.remember_at or 0 for start in starts), default=0)) > total:
        raise ValueError(f"remember_at must be at most {total}, the iterations of a cycle, got {latest}")
    checkpoints = checkpoints or [None] * len(starts)
    states = [None if checkpoint is None else checkpoint.load() for checkpoint in checkpoints]

    def epochs_done(number: int) -> int:
        return 0 if states[number] is None else states[number].epochs

    furthest = max(map(epochs_done, range(len(starts))), default=0)
    if furthest >= recipe.epochs:
        raise ValueError(f"checkpoints must hold states before epoch {recipe.epochs}, the last, got epoch {furthest}")

    trained: dict[int, Trained] = {}
    with reproducible(recipe.precision), data.augmented(recipe.augment) as augmented:
        for _, same in groupby(sorted(range(len(starts)), key=epochs_done), key=epochs_done):
            numbers = list(same)
            for at in range(0, len(numbers), stepper.at_once):
                pack = numbers[at : at + stepper.at_once]
                lanes = stepper.lanes([starts[number] for number in pack], recipe, data.mean.device)
                trainings = [
                    _Training(lane, starts[number], augmented, recipe, seed, cycle, checkpoints[number])
                    for lane, number in zip(lanes, pack, strict=True)
                ]
                for training, number in zip(trainings, pack, strict=True):
                    training.begin(states[number])
                    states[number] = None  # it takes as much memory as the network and its optimizer
                _run(trainings, lanes, stepper, augmented)
                trained |= {number: training.trained for number, training in zip(pack, trainings, strict=True)}
    return [trained[number] for number in range(len(starts))]


def _run(trainings: Sequence["_Training"], lanes: Sequence[Lane], stepper: Stepper, data: Split) -> None:
    """Train all epochs that are left, of lanes with equally many finished ones."""
    first = trainings[0]
    recipe, seed, cycle, epochs_done = first.recipe, first.seed, first.cycle, len(first.curve)
    steps_per_epoch = recipe.steps_per_epoch(len(data.train))
    t = epochs_done * steps_per_epoch
    laid_out = layout(data.mean.device, recipe.precision)
    stepper.prepare(lanes, data, recipe)
    running = list(trainings)
    for epoch in range(epochs_done, recipe.epochs):
        if epoch == recipe.epochs - 1:
            for training in running:
                training.epoch_before = copies(training.lane.model.state_dict())
        seed_global(seed, Purpose.DROPOUT, cycle, epoch)
        order = torch.randperm(len(data.train), generator=generator(seed, Purpose.ORDER, cycle, epoch))
        random = generator(seed, Purpose.AUGMENTATION, cycle, epoch)
        for lane in lanes:
            lane.model.train()
        iterations = range(t + 1, t + 1 + steps_per_epoch)
        table = stepper.table([[training.rate(t, steps_per_epoch) for training in trainings] for t in iterations])
        for rates, (pixels, labels) in zip(table, data.train.batches(recipe.batch_size, order, random), strict=True):
            t += 1
            stepper.step(lanes, data.normalized(pixels, laid_out), labels, rates)
            for training in running:
                if t == training.remember_at:
                    training.remembered = copies(training.lane.model.state_dict())
        for training in running:
            training.end_epoch(t)
        running = [training for training in running if training.trained is None]
        if not running:
            return
        # every checkpoint counts its epochs; where one is due all are saved, so that they go on side by side
        is_due = [training.is_due() for training in running]
        if any(is_due):
            for training in running:
                training.save()


class _Training:
    """One lane's measurements on the way, and its result in the end."""

    def __init__(
        self,
        lane: Lane,
        start: Start,
        data: Split,
        recipe: Recipe,
        seed: int,
        cycle: int,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.lane, self.data, self.recipe = lane, data, recipe
        self.max_lr, self.shape, self.remember_at = start.max_lr, start.shape or recipe.shape, start.remember_at
        self.seed, self.cycle = seed, cycle
        self.checkpoint = checkpoint
        self.curve: list[Epoch] = []
        self.at_start: tuple[float, float] | None = None
        self.epoch_before = self.remembered = None
        self.trained: Trained | None = None

    def begin(self, state: TrainingState | None) -> None:
        """Begin at the start weights, or go on from a state."""
        if state is not None:
            state.restore(self.lane.model, self.lane.optimizer)
            self.curve, self.at_start, self.remembered = [*state.curve], state.at_start, state.remembered
        self.lane.apply_mask()
        if self.recipe.choose == "test-best" and not self.curve:
            self.at_start = self._measured("validation", -1), self._measured("test", -1)

    def rate(self, t: int, steps_per_epoch: int) -> float:
        """The learning rate of iteration ``t``, from 1."""
        return self.max_lr * self.shape.factor(t, steps_per_epoch, self.recipe.epochs)

    def end_epoch(self, t: int) -> None:
        """Measure, after ``t`` iterations in all; after the last epoch, or where it diverged, ``trained`` is set."""
        epoch, model = len(self.curve), self.lane.model
        last = epoch == self.recipe.epochs - 1
        loss = self.lane.total_loss() / len(self.data.train)
        if not (math.isfinite(loss) and self.lane.finite()):
            outcome = Outcome(True, None, None, None, None, None, t, tuple(self.curve))
            self.trained = Trained(outcome, copies(model.state_dict()), {}, None)
            return
        validation = self._measured("validation", epoch)
        better = all(validation > earlier.validation for earlier in self.curve)
        needs_test = better or last or self.recipe.choose == "test-best"
        self.curve.append(Epoch(loss, validation, self._measured("test", epoch) if needs_test else None))
        if last:
            end = self.curve[-1]
            best = chosen(self.at_start, self.curve)
            outcome = Outcome(False, *best, end.validation, end.test, t, tuple(self.curve))
            self.trained = Trained(outcome, copies(model.state_dict()), self.epoch_before, self.remembered)

    def is_due(self) -> bool:
        """Whether its state is to be saved now."""
        return self.checkpoint is not None and self.checkpoint.is_due()

    def save(self) -> None:
        """Save its state, where it has a checkpoint."""
        if self.checkpoint is not None:
            lane = self.lane
            state = TrainingState.after(self.curve, lane.model, lane.optimizer, self.at_start, self.remembered)
            self.checkpoint.save(state)

    def _measured(self, part: str, epoch: int) -> float:
        """The network's accuracy on a part; where the recipe augments evaluation, too, as drawn for this epoch."""
        augmented = self.recipe.augment.evaluation
        random = generator(self.seed, AUGMENTED[part], self.cycle, epoch) if augmented else None
        return accuracy(self.lane.model, getattr(self.data, part), self.data, random, self.recipe.precision)
