"""What a training reports: the chosen epoch, its accuracies and losses, and how they are measured."""

from dataclasses import replace

import pytest
import torch
from engine_runs import AUGMENTED, MODELS, RECIPE, Window, dropout_net, run, same
from torch import nn
from torch.nn import functional

from silo.data.augment import Augment
from silo.data.images import Images
from silo.data.split import Split
from silo.evaluation import accuracy
from silo.randomness import Purpose, generator


@pytest.fixture(scope="module")
def tied(build, few_digits):
    """A training whose best validation accuracy is reached by several epochs, and by the last not."""
    for seed in range(20):
        trained = run(build(), few_digits, replace(RECIPE, epochs=12), 0.3, seed=seed)
        curve = [epoch.validation for epoch in trained.outcome.curve]
        if curve.count(max(curve)) > 1 and curve[-1] != max(curve) and curve[0] != max(curve):
            return seed, trained.outcome
    raise AssertionError("no seed gave a tie")


def test_the_first_best_epoch_is_chosen(tied):
    _, outcome = tied
    curve = [epoch.validation for epoch in outcome.curve]
    assert len(curve) == 12 and outcome.steps == 36
    assert outcome.chosen_epoch == curve.index(max(curve)) + 1
    assert (outcome.validation, outcome.final_validation) == (max(curve), curve[-1])
    assert outcome.validation > outcome.final_validation
    assert (outcome.test, outcome.final_test) == (outcome.curve[outcome.chosen_epoch - 1].test, outcome.curve[-1].test)


def percent_right(model, images, data):
    with torch.no_grad():
        output = model.eval()((images.pixels.float() - data.mean) / data.std)
    return (
        100 * sum(a == b for a, b in zip(output.argmax(1).tolist(), images.labels.tolist(), strict=True)) / len(images)
    )


@pytest.mark.parametrize("which", ["chosen", "final"])
def test_accuracies_are_those_of_the_weights_at_that_epoch(build, few_digits, tied, which):
    """At a constant rate the first k epochs of 12 are a training of k epochs."""
    seed, outcome = tied
    epochs = outcome.chosen_epoch if which == "chosen" else 12
    model = build()
    run(model, few_digits, replace(RECIPE, epochs=epochs), 0.3, seed=seed)
    measured = [percent_right(model, images, few_digits) for images in (few_digits.validation, few_digits.test)]
    chosen, final = (outcome.validation, outcome.test), (outcome.final_validation, outcome.final_test)
    assert measured == pytest.approx(chosen if which == "chosen" else final)


def test_the_test_set_is_looked_at_where_validation_rose_and_at_the_end(tied):
    curve, best = tied[1].curve, -1.0
    for number, epoch in enumerate(curve, 1):
        assert (epoch.test is not None) == (epoch.validation > best or number == len(curve))
        best = max(best, epoch.validation)


def test_validation_and_test_images_are_never_augmented(build, few_digits):
    model = build()
    outcome = run(model, few_digits, replace(RECIPE, augment=Augment(crop=3, flip=True))).outcome
    assert outcome.final_validation == pytest.approx(percent_right(model, few_digits.validation, few_digits))
    assert outcome.final_test == pytest.approx(percent_right(model, few_digits.test, few_digits))


EVALUATED = replace(RECIPE, epochs=3, augment=Augment(crop=3, flip=True, evaluation=True))


def test_as_released_validation_and_test_images_are_augmented_where_the_recipe_says_so(build, few_digits):
    """By draws of their own at each epoch; the training is the same to the bit."""
    model = build()
    trained = run(model, few_digits, EVALUATED, seed=3, cycle=2)
    outcome = trained.outcome
    assert run(build(), few_digits, EVALUATED, seed=3, cycle=2).outcome == outcome
    off = run(build(), few_digits, replace(EVALUATED, augment=Augment(crop=3, flip=True)), seed=3, cycle=2)
    assert same(off.final, trained.final)
    assert [epoch.loss for epoch in off.outcome.curve] == [epoch.loss for epoch in outcome.curve]
    assert [epoch.validation for epoch in off.outcome.curve] != [epoch.validation for epoch in outcome.curve]
    for name, measured in (("validation", outcome.final_validation), ("test", outcome.final_test)):
        images = getattr(few_digits, name)
        with images.augmented(EVALUATED.augment) as augmented:
            random = generator(3, Purpose(f"augmentation {name}"), 2, 2)
            ((pixels, labels),) = augmented.batches(len(images), random=random)
        assert measured == pytest.approx(percent_right(model, Images(pixels, labels), few_digits))


def test_the_loss_is_the_mean_over_images(build, few_digits):
    """At rate 0 every batch meets the first weights, and the short one counts by its images."""
    model = build()
    with torch.no_grad():
        output = model((few_digits.train.pixels.float() - few_digits.mean) / few_digits.std)
        expected = functional.cross_entropy(output, few_digits.train.labels).item()
    outcome = run(model, few_digits, replace(RECIPE, shape=Window(until=0))).outcome
    assert [epoch.loss for epoch in outcome.curve] == pytest.approx([expected] * 2, rel=1e-6)


class Bright(nn.Module):
    """Says 1 where an image is brighter than the mean, else 0."""

    def forward(self, x):
        brightness = x.mean((1, 2, 3))
        return torch.stack([-brightness, brightness], 1)


@pytest.mark.parametrize(
    ("n", "wrong"), [(70, range(64, 70)), (70, range(6)), (64, [0]), (1, []), (129, [128]), (3, [0, 1, 2])]
)
def test_every_image_counts_once_in_a_short_last_batch_too(n, wrong):
    labels = torch.arange(n) % 2
    pixels = (labels * 255).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)
    labels[list(wrong)] = 1 - labels[list(wrong)]
    images = Images(pixels, labels)
    data = Split(images, images, images, torch.full((3, 1, 1), 127.5), torch.ones(3, 1, 1))
    assert accuracy(Bright(), images, data) == pytest.approx(100 * (n - len(list(wrong))) / n)


def test_accuracy_is_measured_without_dropout(few_digits):
    model = dropout_net().train()
    assert len({accuracy(model, few_digits.test, few_digits) for _ in range(5)}) == 1
    assert accuracy(model.train(), few_digits.test, few_digits) == pytest.approx(
        percent_right(model, few_digits.test, few_digits)
    )


def test_digits_are_learnt(build, digits_split):
    """The whole path on the whole data: far above chance (10%), and validation speaks for test."""
    outcome = run(build(), digits_split, replace(RECIPE, epochs=5), 0.1).outcome
    assert outcome.test > 85 and abs(outcome.test - outcome.validation) < 8
    losses = [epoch.loss for epoch in outcome.curve]
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("recipe", [RECIPE, AUGMENTED, EVALUATED], ids=["plain", "augmented", "evaluation, too"])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_normalized_ahead_changes_no_bit(build, few_digits, monkeypatch, name, recipe):
    first = run(build(name), few_digits, recipe)
    monkeypatch.setattr("silo.data.split.NORMALIZED_AHEAD", 0)
    second = run(build(name), few_digits, recipe)
    assert same(first.final, second.final) and first.outcome == second.outcome
