"""A training that was cut off after any epoch goes on from there and gives bitwise what an undisturbed one gives."""

import copy
import io
from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from silo.checkpoint import Position
from silo.data.augment import Augment
from silo.engine import Recipe, train
from silo.mask import Mask, prunable_weights
from silo.randomness import seeded
from silo.restart import Keep, Reinit, Rewind
from silo.shape import Constant, WarmupStep
from silo.trajectory import State, run_cycle

RECIPE = Recipe(4, 64, 0.9, 5e-4, WarmupStep("2ep", {"3ep": 0.1}))
EPOCHS = range(1, RECIPE.epochs)
STEPS = 3  # an epoch of the few digits


class CutOff(Exception):
    pass


@dataclass
class Kept:
    """Keeps the position of every epoch that is due, as a file would; cuts the training off after ``until`` epochs."""

    until: int = 99
    position: Position | None = None
    due_epochs: tuple[int, ...] = tuple(range(99))
    saved: list[bytes] = field(default_factory=list)
    asked: int = 0

    def load(self):
        return self.position

    def due(self):
        self.asked += 1
        return self.asked in self.due_epochs

    def save(self, position):
        file = io.BytesIO()
        torch.save(position.plain(), file)
        self.saved.append(file.getvalue())
        if position.epochs == self.until:
            raise CutOff

    @property
    def last(self):
        return Position.of(torch.load(io.BytesIO(self.saved[-1]), weights_only=True))


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return one == other


def same(one, other):
    parts = ("outcome", "final", "epoch_before", "remembered")
    return all(equal(getattr(one, part), getattr(other, part)) for part in parts)


def half(model):
    random = torch.Generator().manual_seed(1)
    weights = prunable_weights(model, norm=True, first=True, head=True)
    return Mask({name: torch.rand(w.shape, generator=random) < 0.5 for name, w in weights.items()})


def dropout_net():
    with seeded(0, "initialization"):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.BatchNorm1d(40), nn.Dropout(0.5), nn.Linear(40, 10))


NETWORKS = {
    "mlp": lambda build: build("mlp"),
    "small-cnn": lambda build: build("small-cnn"),
    "dropout": lambda _: dropout_net(),
}
RECIPES = {
    "plain": RECIPE,
    "no momentum": replace(RECIPE, momentum=0.0),
    "augmented": replace(RECIPE, augment=Augment(crop=1, flip=True)),
    "evaluation augmented": replace(RECIPE, augment=Augment(crop=1, flip=True, evaluation=True)),
    "test-best": replace(RECIPE, choose="test-best"),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_cut_off_after_any_epoch_it_ends_the_same(few_digits, build, network, recipe):
    def training(checkpoint, remember_at=None):
        model = network(build)
        place = {"seed": 3, "cycle": 2, "remember_at": remember_at}
        return train(model, few_digits, recipe, 0.1, half(model), checkpoint=checkpoint, **place)

    for epochs in EPOCHS:
        # the weights to remember pass before, at and after the cut
        remember_at = {1: 5 * STEPS // 2, 2: 2 * STEPS, 3: 1}[epochs]
        undisturbed = training(None, remember_at)
        kept = Kept(until=epochs)
        with pytest.raises(CutOff):
            training(kept, remember_at)
        torch.manual_seed(epochs)  # the global generator is nowhere the same
        assert same(training(Kept(position=kept.last), remember_at), undisturbed)


def test_keeping_positions_changes_nothing_and_the_last_epoch_is_not_kept(few_digits, build):
    kept = Kept()
    undisturbed, watched = (
        train(build(), few_digits, RECIPE, 0.1, half(build()), seed=0, cycle=0, checkpoint=one) for one in (None, kept)
    )
    assert same(undisturbed, watched)
    assert kept.asked == len(kept.saved) == RECIPE.epochs - 1


def test_nothing_is_copied_where_none_is_due(few_digits, build):
    kept = Kept(due_epochs=(2,))
    train(build(), few_digits, RECIPE, 0.1, half(build()), seed=0, cycle=0, checkpoint=kept)
    assert kept.last.epochs == 2
    assert len(kept.saved) == 1


def test_a_kept_position_does_not_move_on_with_the_training(few_digits, build):
    """It may be written later than it was taken."""
    taken = []
    kept = Kept()
    kept.save = lambda position: taken.append((position, copy.deepcopy(position)))
    train(build("small-cnn"), few_digits, RECIPE, 0.1, half(build("small-cnn")), seed=0, cycle=0, checkpoint=kept)
    assert all(equal(position.plain(), then.plain()) for position, then in taken)


def test_a_training_that_diverges_after_it_was_cut_off_diverges_at_the_same_step(few_digits, build):
    recipe = replace(RECIPE, shape=Constant())

    def training(checkpoint):
        return train(build(), few_digits, recipe, 30.0, half(build()), seed=0, cycle=0, checkpoint=checkpoint)

    undisturbed = training(None)
    assert undisturbed.outcome.diverged
    assert 0 < len(undisturbed.outcome.curve) < recipe.epochs
    kept = Kept(until=1)
    with pytest.raises(CutOff):
        training(kept)
    resumed = training(Kept(position=kept.last))
    assert resumed.outcome == undisturbed.outcome


@pytest.mark.parametrize("restart", [Reinit(keep_statistics=True), Rewind("4it"), Rewind("1ep"), Keep()], ids=str)
def test_a_cycle_that_was_cut_off_leaves_the_same(problem, restart):
    """Through run_cycle, from a state that a first cycle left: what the sweep does."""
    made, _ = problem("small-cnn", restart=restart, recipe=replace(RECIPE, epochs=3))
    start = run_cycle(made, 1, 0, 0.1, State()).leaves
    undisturbed = run_cycle(made, 1, 1, 0.1, start)
    kept = Kept(until=2)
    with pytest.raises(CutOff):
        run_cycle(made, 1, 1, 0.1, start, kept)
    resumed = run_cycle(made, 1, 1, 0.1, start, Kept(position=kept.last))
    assert resumed.outcome == undisturbed.outcome
    assert resumed.leaves.digest() == undisturbed.leaves.digest()


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(1, 5), max_size=4))
def test_cut_off_again_and_again(few_digits, build, cuts):
    recipe = replace(RECIPE, epochs=6)

    def training(checkpoint):
        return train(build(), few_digits, recipe, 0.1, half(build()), seed=0, cycle=0, checkpoint=checkpoint)

    position = None
    for until in sorted(set(cuts)):
        kept = Kept(until=until, position=position)
        with pytest.raises(CutOff):
            training(kept)
        position = kept.last
    assert same(training(Kept(position=position)), training(None))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: plain["weights"].pop("layers.0.weight", None) or plain["weights"].popitem(),
        lambda plain: plain["weights"].update(more=torch.zeros(1)),
        lambda plain: plain["momentum"].update(more=torch.zeros(1)),
        lambda plain: plain.update(momentum={name: torch.zeros(1) for name in plain["momentum"]}),
        lambda plain: plain.update(weights={name: w.double() for name, w in plain["weights"].items()}),
    ],
    ids=["weights missing", "other weights", "other momentum", "momentum of another shape", "of another type"],
)
def test_the_position_of_another_network_is_refused_and_nothing_is_loaded(few_digits, build, spoil):
    kept = Kept(until=1)
    with pytest.raises(CutOff):
        train(build(), few_digits, RECIPE, 0.1, half(build()), seed=0, cycle=0, checkpoint=kept)
    plain = kept.last.plain()
    spoil(plain)
    model = build()
    with pytest.raises(ValueError, match="another network"):
        train(model, few_digits, RECIPE, 0.1, half(model), seed=0, cycle=0, checkpoint=Kept(position=Position(**plain)))
    assert equal(dict(model.state_dict()), dict(build().state_dict()))


def test_other_fields_are_refused():
    with pytest.raises(TypeError):
        Position.of({"epochs": 1, "steps": 3})
