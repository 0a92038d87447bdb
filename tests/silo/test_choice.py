"""Which state of a cycle is reported: chosen on validation after each epoch, or, as released, on test before each."""

import itertools
from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from silo import engine
from silo.cycle import run_cycle
from silo.data.augment import Augment
from silo.engine import train
from silo.evaluation import accuracy
from silo.mask import Mask, prunable_weights
from silo.outcome import Epoch
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.shape import Constant, WarmupStep
from silo.state import State

RECIPE = Recipe(epochs=8, batch_size=64, momentum=0.9, weight_decay=5e-4, shape=Constant(), choose="test-best")


def run(model, data, recipe=RECIPE, max_lr=0.1, mask=None, **options):
    mask = mask or Mask.dense(prunable_weights(model, norm=True, first=True, head=True))
    return train(model, data, recipe, max_lr, mask, seed=0, cycle=0, **options)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("choose", ["test", "test_best", "Validation", "", None])
def test_any_other_choice_is_refused(choose):
    with pytest.raises(ValueError, match=r"^choose must .*, got "):
        replace(RECIPE, choose=choose)


# accuracies after 0, 1, 2, ... epochs: validation, test; and what is chosen of them
TABLE = {
    "the best in the middle": ([10, 50, 60, 55, 90], [10, 40, 70, 65, 60], (2, 60, 70)),
    "the first of equals": ([10, 51, 52, 53, 54], [10, 70, 40, 70, 70], (1, 51, 70)),
    "the start itself": ([11, 60, 61, 62, 63], [70, 69, 70, 68, 67], (0, 11, 70)),
    "one epoch before the end": ([10, 60, 61, 62, 63], [10, 20, 30, 40, 35], (3, 62, 40)),
    "never the final weights": ([10, 60, 61, 62, 99], [10, 20, 40, 30, 99], (2, 61, 40)),
    "of one epoch the start": ([12, 60], [13, 61], (0, 12, 13)),
    "nothing right": ([5, 5, 5], [0, 0, 0], (0, 5, 0)),
}


@pytest.mark.parametrize(("validation", "test", "expected"), TABLE.values(), ids=TABLE)
def test_the_first_state_of_best_test_accuracy_before_an_epoch(
    monkeypatch, build, few_digits, validation, test, expected
):
    """The measurements are set beforehand; they are taken in turn: validation, then test of every state."""
    measurements = itertools.chain.from_iterable(zip(validation, test, strict=True))
    monkeypatch.setattr(engine, "accuracy", lambda *_: float(next(measurements)))
    outcome = run(build(), few_digits, replace(RECIPE, epochs=len(test) - 1)).outcome
    assert (outcome.chosen_epoch, outcome.validation, outcome.test) == expected
    assert (outcome.final_validation, outcome.final_test) == (validation[-1], test[-1])
    assert [(epoch.validation, epoch.test) for epoch in outcome.curve] == list(zip(validation, test, strict=True))[1:]
    assert next(measurements, "all taken") == "all taken"


@pytest.fixture(scope="module", params=["mlp", "small-cnn"])
def states(request, build, half, few_digits):
    """An outcome by test-best, and every state of the same training: after 0, 1, ... epochs, trained one by one."""
    model = build(request.param)
    mask = half(model)
    before = {n: w * mask.layers.get(n, 1) for n, w in model.state_dict().items()}
    models = [build(request.param)]
    models[0].load_state_dict(before)
    for epochs in range(1, RECIPE.epochs + 1):
        models.append(build(request.param))
        run(models[-1], few_digits, replace(RECIPE, epochs=epochs, choose="validation"), mask=mask)
    return run(model, few_digits, mask=mask).outcome, models


def test_the_choice_is_that_of_a_recomputation_from_every_state(states, few_digits):
    outcome, models = states
    validation, test = (
        [accuracy(model, part, few_digits) for model in models] for part in (few_digits.validation, few_digits.test)
    )
    chosen = test.index(max(test[:-1]))
    assert (outcome.chosen_epoch, outcome.validation, outcome.test) == (chosen, validation[chosen], test[chosen])
    assert (outcome.final_validation, outcome.final_test) == (validation[-1], test[-1])
    assert [(epoch.validation, epoch.test) for epoch in outcome.curve] == list(zip(validation, test, strict=True))[1:]


def with_dropout():
    with seeded(0, Purpose.INITIALIZATION):
        layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 10)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    "recipe", [RECIPE, replace(RECIPE, augment=Augment(crop=1, flip=True))], ids=["plain", "augmented"]
)
def test_looking_disturbs_no_training(few_digits, recipe):
    """Batch norm's statistics, dropout, order and augmentation: the weights are the same under both choices, to the bit."""
    by = {
        choose: run(with_dropout(), few_digits, replace(recipe, choose=choose), remember_at=4)
        for choose in ("validation", "test-best")
    }
    for part in ("final", "epoch_before", "remembered"):
        assert same(*(getattr(trained, part) for trained in by.values()))
    curves = [[(epoch.loss, epoch.validation) for epoch in trained.outcome.curve] for trained in by.values()]
    assert curves[0] == curves[1]
    assert by["test-best"].outcome.final_test == by["validation"].outcome.final_test


def test_what_is_pruned_does_not_depend_on_the_choice(problem):
    left = [
        run_cycle(problem("small-cnn", recipe=replace(RECIPE, epochs=2, choose=choose))[0], 0, 0, 0.1, State()).leaves
        for choose in ("validation", "test-best")
    ]
    assert left[0].digest() == left[1].digest()


def test_a_network_that_learns_and_is_then_spoiled_reports_what_it_was(build, few_digits):
    """A real training whose last epochs are at far too high a rate: the best state lies before them."""
    recipe = replace(RECIPE, epochs=6, momentum=0.0, shape=WarmupStep("0it", {"0ep": 0.1, "4ep": 1}))
    outcome = run(build(), few_digits, recipe, 5.0).outcome
    tests = [epoch.test for epoch in outcome.curve]
    assert outcome.chosen_epoch == 1 + tests[:-1].index(max(tests[:-1])) and outcome.chosen_epoch <= 4
    assert outcome.test == max(tests) > outcome.final_test


def test_divergence_is_an_outcome_here_too(build, few_digits):
    outcome = run(build(), few_digits, max_lr=1e6).outcome
    assert outcome.diverged
    assert (outcome.chosen_epoch, outcome.validation, outcome.test, outcome.final_test) == (None,) * 4


def test_an_outcome_is_plain_numbers_for_a_record(build, few_digits):
    outcome = asdict(run(build(), few_digits, replace(RECIPE, epochs=2)).outcome)
    assert outcome["curve"] == tuple(asdict(Epoch(**epoch)) for epoch in outcome["curve"])
    assert all(type(outcome[n]) is float for n in ("validation", "test", "final_validation", "final_test"))
    assert type(outcome["chosen_epoch"]) is int
