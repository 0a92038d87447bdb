"""The training engine against loops written by hand, and its promises: exact masks, and the weights that it leaves."""

import math
from dataclasses import replace

import pytest
import torch
from engine_runs import AUGMENTED, MODELS, RECIPE, Recorder, Window, parameters, run, same
from torch import nn
from torch.nn import functional

from silo.data.augment import Augment
from silo.data.augmented import Augmented
from silo.randomness import Purpose, generator
from silo.shape import WarmupStep


def by_hand(model, data, recipe, max_lr, mask, masking, seed, cycle):
    """SGD written out: masks either zero the gradients, as in the released code, or the weights after each step."""
    named = dict(model.named_parameters())
    masks = {
        name: mask.layers[name].float() if name in mask.layers else torch.ones_like(p) for name, p in named.items()
    }
    buffers = {name: torch.zeros_like(p) for name, p in named.items()}
    augmented = Augmented(data.train.pixels, data.train.labels, recipe.augment)
    steps = -(-len(data.train) // recipe.batch_size)
    with torch.no_grad():
        for name, p in named.items():
            p *= masks[name]
    for epoch in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(data.train), generator=generator(seed, Purpose.ORDER, cycle, epoch))
        random = generator(seed, Purpose.AUGMENTATION, cycle, epoch)
        for step, (pixels, labels) in enumerate(augmented.batches(recipe.batch_size, order, random)):
            assert torch.equal(labels, data.train.labels[order[step * recipe.batch_size :][: recipe.batch_size]])
            images = (pixels.float() - data.mean) / data.std
            loss = functional.cross_entropy(model(images), labels)
            gradients = torch.autograd.grad(loss, list(named.values()))
            lr = max_lr * recipe.shape.factor(epoch * steps + step + 1, steps, recipe.epochs)
            with torch.no_grad():
                for (name, p), gradient in zip(named.items(), gradients, strict=True):
                    if masking == "gradients":
                        gradient = gradient * masks[name]
                    buffers[name] = recipe.momentum * buffers[name] + gradient + recipe.weight_decay * p
                    p -= lr * buffers[name]
                    if masking == "weights":
                        p *= masks[name]
    return parameters(model)


RECIPES = {
    "plain": RECIPE,
    "no momentum, much decay": replace(RECIPE, momentum=0.0, weight_decay=0.1),
    "stepped rate": replace(RECIPE, shape=WarmupStep("4it", {"1ep": 0.1})),
    "augmented": replace(RECIPE, augment=Augment(crop=1, flip=True)),
    "whole batch": replace(RECIPE, epochs=5, batch_size=1000),
}


@pytest.mark.parametrize("masking", ["gradients", "weights"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_training_is_sgd_by_hand(build, half, few_digits, recipe, masking):
    model = build()
    mask = half(model)
    expected = by_hand(build(), few_digits, recipe, 0.05, mask, masking, seed=3, cycle=2)
    run(model, few_digits, recipe, 0.05, mask, seed=3, cycle=2)
    for name, weight in parameters(model).items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=1e-6)


def test_one_step_of_a_convolutional_network_is_sgd_by_hand(build, half, few_digits):
    recipe = replace(RECIPE, epochs=1, batch_size=1000)
    model = build("small-cnn")
    mask = half(model)
    expected = by_hand(build("small-cnn"), few_digits, recipe, 0.05, mask, "gradients", seed=0, cycle=0)
    run(model, few_digits, recipe, 0.05, mask)
    for name, weight in parameters(model).items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_pruned_weight_is_zero_and_no_other_is_held(build, half, few_digits, name):
    model = build(name)
    mask, before = half(model), parameters(model)
    trained = run(model, few_digits, mask=mask)
    for layer, alive in mask.layers.items():
        for weights in (trained.final[layer], trained.epoch_before[layer], model.get_parameter(layer)):
            assert (weights[~alive] == 0).all()
        assert (trained.final[layer] != before[layer])[alive].all()
    # a bias that starts at 0 may rest there: a channel whose batch-norm weight is pruned is dead
    for bias in before.keys() - mask.layers.keys():
        assert (trained.final[bias] != before[bias])[before[bias] != 0].all()


def test_pruned_weights_are_zero_after_every_step(build, half, few_digits):
    model = build()
    mask = half(model)
    for step in range(1, 7):
        remembered = run(build(), few_digits, mask=mask, remember_at=step).remembered
        assert all((remembered[name][~alive] == 0).all() for name, alive in mask.layers.items())


def shown(data, max_lr=0.1, recipe=RECIPE, **options):
    model = Recorder()
    run(model, data, recipe, max_lr, **options)
    return model.shown


def test_each_epoch_shows_every_training_image_once_and_keeps_the_short_last_batch(few_digits):
    batches = shown(few_digits)
    assert [len(batch) for batch in batches] == [64, 64, 22] * 2
    normalized = (few_digits.train.pixels.float() - few_digits.mean) / few_digits.std
    expected = sorted(image.flatten().tolist() for image in normalized)
    for epoch in (batches[:3], batches[3:]):
        assert sorted(image.flatten().tolist() for image in torch.cat(epoch)) == expected
    assert not torch.equal(torch.cat(batches[:3]), torch.cat(batches[3:]))


@pytest.mark.parametrize("recipe", [RECIPE, AUGMENTED], ids=["order", "augmentation"])
def test_all_candidates_of_a_seed_and_cycle_see_the_same_batches(few_digits, recipe):
    first = torch.cat(shown(few_digits, 0.1, recipe))
    assert torch.equal(first, torch.cat(shown(few_digits, 0.001, recipe)))
    assert not torch.equal(first, torch.cat(shown(few_digits, 0.1, recipe, seed=1)))
    assert not torch.equal(first, torch.cat(shown(few_digits, 0.1, recipe, cycle=1)))


BAD = [("epochs", 0), ("epochs", -1), ("batch_size", 0), ("choose", "test"), ("precision", "fp16"), ("precision", None)]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_recipe_names_the_field_that_is_wrong(field, value):
    with pytest.raises(ValueError, match=f"^{field} must be .*, got {value!r}$"):
        replace(RECIPE, **{field: value})


# ---- what is left behind


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", [1, 2, 3, 5, 6])
def test_remembered_are_the_weights_after_that_step(build, few_digits, name, step):
    """A training whose rate is 0 from then on ends with the same parameters, to the bit."""
    remembered = run(build(name), few_digits, remember_at=step).remembered
    stopped = build(name)
    run(stopped, few_digits, replace(RECIPE, shape=Window(until=step)))
    assert all(torch.equal(remembered[n], p) for n, p in stopped.named_parameters())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_epoch_before_is_one_epoch_before_the_end(build, half, few_digits, name, epochs):
    """Batch-norm statistics included; of a single epoch it is the start under the mask."""
    model, mask = build(name), half(build(name))
    trained = run(model, few_digits, replace(RECIPE, epochs=epochs), mask=mask)
    if epochs > 1:
        before = run(build(name), few_digits, replace(RECIPE, epochs=epochs - 1), mask=mask).final
    else:
        before = build(name).state_dict()
        before |= {n: before[n] * alive for n, alive in mask.layers.items()}
    assert same(trained.epoch_before, before)
    assert same(trained.final, model.state_dict())


def test_what_is_left_behind_is_a_copy(build, few_digits):
    model = build()
    trained = run(model, few_digits, remember_at=1)
    kept = {part: {n: w.clone() for n, w in getattr(trained, part).items()} for part in ("final", "remembered")}
    run(model, few_digits)
    assert same(trained.final, kept["final"]) and same(trained.remembered, kept["remembered"])


@pytest.mark.parametrize("step", [7, 100])
def test_nothing_can_be_remembered_beyond_the_end(build, few_digits, step):
    with pytest.raises(ValueError, match=f"^remember_at must .* 6, .*, got {step}$"):
        run(build(), few_digits, remember_at=step)


def test_nothing_is_remembered_by_default(build, few_digits):
    assert run(build(), few_digits).remembered is None


# ---- divergence


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("good_epochs", [0, 1])
def test_divergence_is_an_outcome(build, few_digits, name, good_epochs):
    recipe = replace(RECIPE, epochs=4, shape=Window(after=3 * good_epochs))
    trained = run(build(name), few_digits, recipe, 1e6)
    outcome = trained.outcome
    assert outcome.diverged and outcome.chosen_epoch is None
    assert {outcome.validation, outcome.test, outcome.final_validation, outcome.final_test} == {None}
    assert good_epochs <= len(outcome.curve) < 4 and outcome.steps == 3 * (len(outcome.curve) + 1)
    assert all(math.isfinite(epoch.loss) for epoch in outcome.curve)
    assert trained.remembered is None


def test_weights_that_are_not_finite_are_a_divergence_though_the_loss_is(build, few_digits):
    """One step of the whole set: its loss is that of the start, its weights are those of a rate without bound."""
    recipe = replace(RECIPE, epochs=1, batch_size=1000)
    outcome = run(build(), few_digits, recipe, 1e39).outcome
    assert outcome.diverged and outcome.curve == ()


class Excludes(nn.Module):
    """A network by which one class is impossible: its loss is infinite, its gradients are not."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(x.flatten(1)) + torch.tensor([-math.inf] + [0.0] * 9)


def test_a_loss_that_is_not_finite_is_a_divergence_though_the_weights_are(few_digits):
    trained = run(Excludes(), few_digits)
    assert trained.outcome.diverged and trained.outcome.curve == ()
    assert all(weight.isfinite().all() for weight in trained.final.values())


def test_a_high_but_bearable_rate_is_no_divergence(build, few_digits):
    assert not run(build("small-cnn"), few_digits, max_lr=0.5).outcome.diverged
