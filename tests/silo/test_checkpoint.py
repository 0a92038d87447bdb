"""A training that was cut off after any epoch goes on from there and gives bitwise what an undisturbed one gives."""

import contextlib
import copy
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import CutOff, Kept, bits, same
from torch import nn

from silo import checkpoint as module
from silo.checkpoint import TrainingState
from silo.cycle import run_cycle
from silo.data.augment import Augment
from silo.data.digits import digits
from silo.data.normalize import Normalize
from silo.data.split import Pooled, limited, split
from silo.engine import train
from silo.mask import Mask, prunable_weights
from silo.model import MODELS
from silo.optimizer import AdamW
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.restart import Keep, Reinit, Rewind
from silo.shape import WarmupStep
from silo.state import State

RECIPE = Recipe(4, 64, 0.9, 5e-4, WarmupStep("2ep", {"3ep": 0.1}))
STEPS = 3  # an epoch of the few digits
ROOT = Path(__file__).parents[2]


def half(model):
    random = torch.Generator().manual_seed(1)
    weights = prunable_weights(model, norm=True, first=True, head=True)
    return Mask({name: torch.rand(w.shape, generator=random) < 0.5 for name, w in weights.items()})


class Scaled(nn.Module):
    """A convolution, batch norm, dropout, and a buffer that training changes and state_dict leaves out."""

    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 10)]
        self.body = nn.Sequential(*layers)
        self.register_buffer("scale", torch.ones(()), persistent=False)

    def forward(self, x):
        if self.training:
            self.scale.lerp_(x.abs().max(), 0.1)
        return self.body(x / self.scale)


def drawn(make, *arguments, **options):
    with seeded(0, Purpose.INITIALIZATION):
        return make(*arguments, **options)


NETWORKS = {
    "mlp": lambda: drawn(MODELS["mlp"], 1, 8, 10, hidden=(30, 20)),
    "small-cnn": lambda: drawn(MODELS["small-cnn"], 1, 8, 10, width=4),
    "own buffer": lambda: drawn(Scaled),
    "vit-small with dropout": lambda: drawn(MODELS["vit-small"], 3, 8, 10, width=32, depth=2, heads=2, dropout=0.3),
}
RECIPES = {
    "plain": RECIPE,
    "no momentum": replace(RECIPE, momentum=0.0),
    "adamw": replace(RECIPE, momentum=0.0, optimizer=AdamW()),
    "augmented": replace(RECIPE, augment=Augment(crop=1, flip=True)),
    "evaluation augmented": replace(RECIPE, augment=Augment(crop=1, flip=True, evaluation=True)),
    "test-best": replace(RECIPE, choose="test-best"),
    "test-best, evaluation augmented": replace(RECIPE, augment=Augment(crop=1, evaluation=True), choose="test-best"),
}


@pytest.fixture(scope="module")
def training(few_digits, coloured):
    """Trains a new network, half of it pruned, and returns its result."""

    def run(checkpoint=None, network="mlp", recipe=RECIPE, max_lr=0.1, remember_at=None):
        model, data = NETWORKS[network](), few_digits
        if network.startswith("vit"):
            data, recipe = coloured(8, images=16), replace(recipe, batch_size=6)  # in as many steps
        place = {"seed": 3, "cycle": 2, "remember_at": remember_at}
        return train(model, data, recipe, max_lr, half(model), checkpoint=checkpoint, **place)

    return run


# ---- the same bits


def cut_off_after_every_epoch(run, epochs):
    """The result of the last of these lives, each of which trains one epoch and is cut off."""
    kept = Kept()
    for kept.until in range(1, epochs):
        with pytest.raises(CutOff):
            run(kept)
        torch.manual_seed(kept.until)  # no life begins with the global generator of another
    kept.until = None
    result = run(kept)
    every = range(1, epochs)
    assert kept.log == [(call, epoch) for epoch in every for call in ("is_due", "save")]
    return result


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("network", NETWORKS)
def test_cut_off_after_every_epoch_it_ends_the_same(training, network, recipe):
    undisturbed = training(None, network, recipe)
    assert same(cut_off_after_every_epoch(lambda kept: training(kept, network, recipe), recipe.epochs), undisturbed)


@pytest.mark.parametrize("step", [2 * STEPS - 1, 2 * STEPS, 2 * STEPS + 1])
def test_the_weights_to_remember_come_before_at_or_after_a_cut(training, step):
    undisturbed = training(None, "small-cnn", remember_at=step)
    assert undisturbed.remembered is not None
    result = cut_off_after_every_epoch(lambda kept: training(kept, "small-cnn", remember_at=step), RECIPE.epochs)
    assert same(result, undisturbed)


LIVES = st.lists(st.tuples(st.sets(st.integers(1, 5)), st.integers(1, 5)), max_size=4)


@settings(max_examples=40)
@given(
    recipe=st.builds(
        Recipe,
        epochs=st.integers(1, 6),
        batch_size=st.just(64),
        momentum=st.sampled_from([0.0, 0.9]),
        weight_decay=st.sampled_from([0.0, 5e-4]),
        shape=st.just(WarmupStep("2ep", {"3ep": 0.1})),
        augment=st.builds(Augment, crop=st.integers(0, 1), flip=st.booleans(), evaluation=st.booleans()),
        choose=st.sampled_from(["validation", "test-best"]),
    ),
    remembered_epoch=st.none() | st.floats(0.01, 1),
    lives=LIVES,
)
def test_however_often_it_is_cut_off_and_whatever_was_due(training, recipe, remembered_epoch, lives):
    """A life: the epochs after which a state is wanted, and the one after which it ends, whether that was or not."""
    remember_at = remembered_epoch and max(1, round(remembered_epoch * recipe.epochs * STEPS))
    undisturbed = training(recipe=recipe, remember_at=remember_at)
    kept = Kept()
    for kept.due_after, kept.until in lives:
        with contextlib.suppress(CutOff):
            assert same(training(kept, recipe=recipe, remember_at=remember_at), undisturbed)
    kept.until = None
    assert same(training(kept, recipe=recipe, remember_at=remember_at), undisturbed)


def test_a_training_that_diverges_does_so_at_the_same_step_with_the_same_weights(training):
    options = {"recipe": replace(RECIPE, shape=WarmupStep("0it", {"0ep": 1e-7, "2ep": 1})), "max_lr": 1e6}
    undisturbed = training(**options)
    assert undisturbed.outcome.diverged and len(undisturbed.outcome.curve) == 2
    assert not all(weight.isfinite().all() for weight in undisturbed.final.values())
    kept = Kept(until=2)
    with pytest.raises(CutOff):
        training(kept, **options)
    assert same(training(kept, **options), undisturbed)


RESTARTS = [Reinit(), Reinit(keep_statistics=True), Rewind(), Rewind("4it"), Rewind("2ep"), Keep()]


@pytest.mark.parametrize("cycle", [0, 1])
@pytest.mark.parametrize("restart", RESTARTS, ids=str)
def test_a_cycle_that_was_cut_off_leaves_the_same(problem, restart, cycle):
    """Through run_cycle, from what the cycle before left: what the sweep does."""
    made, _ = problem("small-cnn", restart=restart, recipe=replace(RECIPE, epochs=3))
    start = run_cycle(made, 1, 0, 0.1, State()).leaves if cycle else State()
    undisturbed = run_cycle(made, 1, cycle, 0.1, start)
    resumed = cut_off_after_every_epoch(lambda kept: run_cycle(made, 1, cycle, 0.1, start, kept), 3)
    assert resumed.outcome == undisturbed.outcome
    assert resumed.leaves.digest() == undisturbed.leaves.digest()


def test_a_state_may_lie_in_memory_otherwise_than_the_network(training):
    """SGD's fused step goes through a buffer as it lies; a file may hold all tensors row-major."""
    kept = Kept(until=2)
    with pytest.raises(CutOff):
        training(kept, "small-cnn")
    plain, moved = kept.plain(), 0
    for part in ("weights", "momentum"):
        moved += sum(not tensor.is_contiguous() for tensor in plain[part].values())
        plain[part] = {name: tensor.contiguous() for name, tensor in plain[part].items()}
    assert moved > 0
    kept.write(plain)
    assert same(training(kept, "small-cnn"), training(network="small-cnn"))


# ---- a process that is killed


class File:
    """A checkpoint in a file, written whole or not at all."""

    def __init__(self, path):
        self.path = path

    def load(self):
        return TrainingState.from_plain(torch.load(self.path, weights_only=True)) if self.path.exists() else None

    def is_due(self):
        return True

    def save(self, state):
        torch.save(state.to_plain(), self.path.with_suffix(".tmp"))
        self.path.with_suffix(".tmp").replace(self.path)


def trained(checkpoint, killed_at=None):
    """What an augmented training gives; at batch ``killed_at`` (from 1) of it this process kills itself."""
    model, batches = drawn(Scaled), []

    def forward(module, _):
        batches.append(module.training)
        if sum(batches) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    model.register_forward_pre_hook(forward)
    data = split(limited(digits(), 250, None), Pooled(), Normalize(), 0)
    recipe = RECIPES["evaluation augmented"]
    return train(model, data, recipe, 0.1, half(model), seed=0, cycle=0, remember_at=STEPS - 1, checkpoint=checkpoint)


def test_a_process_killed_within_an_epoch_is_gone_on_with_by_another(tmp_path):
    file, path = tmp_path / "position.pt", os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    code = "import sys, test_checkpoint as t; t.trained(t.File(t.Path(sys.argv[1])), killed_at=8)"
    killed = subprocess.run([sys.executable, "-c", code, str(file)], env={**os.environ, "PYTHONPATH": path}, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert File(file).load().epochs == 2
    assert same(trained(File(file)), trained(None))


# ---- what is kept, and when


def test_keeping_states_changes_nothing_and_the_last_epoch_is_never_due(training):
    kept = Kept()
    assert same(training(kept, "small-cnn"), training(network="small-cnn"))
    assert kept.log == [("is_due", 1), ("save", 1), ("is_due", 2), ("save", 2), ("is_due", 3), ("save", 3)]


def test_a_single_epoch_asks_nothing(training):
    kept = Kept()
    training(kept, recipe=replace(RECIPE, epochs=1))
    assert kept.log == []


def test_nothing_is_copied_before_it_is_due(training, monkeypatch):
    kept, real = Kept(due_after=(2,)), module.copies
    monkeypatch.setattr(module, "copies", lambda tensors: kept.log.append(("copy", kept.epoch)) or real(tensors))
    training(kept)
    assert kept.log == [("is_due", 1), ("is_due", 2), ("copy", 2), ("copy", 2), ("save", 2), ("is_due", 3)]


@pytest.mark.parametrize("network", ["mlp", "small-cnn"])
def test_a_kept_state_moves_on_neither_with_its_training_nor_with_one_that_goes_on_from_it(training, network):
    taken = []

    class Remembers(Kept):
        def load(self):
            super().load()
            return taken[0][0] if taken else None

        def save(self, state):
            taken.append((state, copy.deepcopy(state)))

    for _ in range(2):
        training(Remembers(), network, remember_at=1)
    assert len(taken) == 5  # after 1, 2, 3, and gone on from 1 after 2, 3
    assert all(bits(state.to_plain()) == bits(then.to_plain()) for state, then in taken)


def test_a_state_survives_being_stored(training):
    kept = Kept(until=3)
    with pytest.raises(CutOff):
        training(kept, "small-cnn", RECIPES["test-best"], remember_at=1)
    plain = kept.plain()
    state = TrainingState.from_plain(plain)
    assert state.epochs == len(state.curve) == 3
    assert bits(state.to_plain()) == bits(plain)
    assert bits(vars(TrainingState.from_plain(state.to_plain()))) == bits(vars(state))
    on_cpu = [
        t.device.type for part in (plain["weights"], plain["momentum"], plain["remembered"]) for t in part.values()
    ]
    assert {*on_cpu} == {"cpu"}


# ---- what doesn't fit


def changed(part, name, change):
    """A spoiler: this tensor of this part is replaced; without change it is left out."""

    def spoil(plain):
        tensor = plain[part].pop(name)
        if change is not None:
            plain[part][name] = change(tensor)

    return spoil


def added(part):
    def spoil(plain):
        plain[part]["more"] = torch.zeros(1)

    return spoil


SPOILERS = {f"{part}: more": added(part) for part in ("weights", "momentum", "remembered")}
for part in ("weights", "momentum", "remembered"):
    SPOILERS[f"{part}: another shape"] = changed(part, "3.weight", lambda tensor: tensor[:1])
    SPOILERS[f"{part}: another type"] = changed(part, "3.weight", torch.Tensor.double)
SPOILERS["weights: one missing"] = changed("weights", "11.bias", None)
SPOILERS["weights: a buffer missing"] = changed("weights", "1.num_batches_tracked", None)
SPOILERS["remembered: one missing"] = changed("remembered", "11.bias", None)
SPOILERS["checkpoints: all epochs finished"] = lambda plain: plain["curve"].append(plain["curve"][-1])


@pytest.mark.parametrize(("what", "spoil"), SPOILERS.items(), ids=SPOILERS)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_loaded(few_digits, what, spoil):
    """Not even a training from the start on the same network object would notice."""
    model, kept, recipe = NETWORKS["small-cnn"](), Kept(until=1), replace(RECIPE, epochs=2)
    place = {"seed": 0, "cycle": 0, "remember_at": 1}
    with pytest.raises(CutOff):
        train(model, few_digits, recipe, 0.1, half(model), checkpoint=kept, **place)
    plain = kept.plain()
    spoil(plain)
    kept.write(plain)
    model = NETWORKS["small-cnn"]()
    with pytest.raises(ValueError, match=f"^{what.partition(':')[0]} must .*, got"):
        train(model, few_digits, recipe, 0.1, half(model), checkpoint=kept, **place)
    assert bits(model.state_dict()) == bits(NETWORKS["small-cnn"]().state_dict())
    other = NETWORKS["small-cnn"]()
    assert same(*(train(net, few_digits, recipe, 0.1, half(net), **place) for net in (model, other)))


def test_the_state_of_a_wider_network_is_refused(training, few_digits):
    kept = Kept(until=1)
    with pytest.raises(CutOff):
        training(kept)
    model = drawn(MODELS["mlp"], 1, 8, 10, hidden=(31, 20))
    with pytest.raises(ValueError, match=r"^weights must .* shapes, got another network's$"):
        train(model, few_digits, RECIPE, 0.1, half(model), seed=3, cycle=2, checkpoint=kept)


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"epochs": 1, "steps": 3},
        {"curve": [[0.1, 50.0, None]]},
        dict.fromkeys(["weights", "momentum", "remembered", "at_start", "curve"]),
        {**dict.fromkeys(["weights", "momentum", "remembered", "at_start", "more"]), "curve": []},
        {**dict.fromkeys(["weights", "momentum", "remembered", "at_start"]), "curve": [[0.1, 50.0]]},
        None,
        [],
        7,
    ],
)
def test_other_fields_are_no_state(plain):
    with pytest.raises(ValueError, match=r"^plain must hold weights, momentum, remembered, at_start, curve, got "):
        TrainingState.from_plain(plain)


@pytest.mark.parametrize("method", ["load", "is_due", "save"])
def test_an_error_of_the_checkpoint_ends_the_training(training, monkeypatch, method):
    def fail(*_):
        raise OSError("the disk is full")

    kept = Kept()
    monkeypatch.setattr(kept, method, fail)
    with pytest.raises(OSError, match="the disk is full"):
        training(kept)
