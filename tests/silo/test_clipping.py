"""Clipped gradients: by hand, of alive weights alone, on lanes, cut off, and where a training diverges."""

import math
from dataclasses import replace

import pytest
import torch
from engine_runs import RECIPE, close, parameters, plain_loop, run
from kept import CutOff, Kept, same
from pretended_gpu import here

from silo.engine import train_lanes
from silo.graph import GraphStepper
from silo.lane import EAGER, Lane, Start
from silo.optimizer import AdamW

CLIPPED = replace(RECIPE, clip_norm=0.3)
ADAMW = replace(CLIPPED, momentum=0.0, optimizer=AdamW())


def test_a_training_is_clipped_sgd_by_hand(build, half, few_digits):
    """The norm is over what is alive: the loop's gradients are masked. Some steps are clipped, some aren't."""
    recipe = replace(CLIPPED, momentum=0.0, weight_decay=0.01, epochs=6, clip_norm=0.2)
    model, plain, norms = build(), build(), []

    @torch.no_grad()
    def change(t, lr):
        norms.append(math.sqrt(sum((p.grad.double() ** 2).sum().item() for p in plain.parameters())))
        for p in plain.parameters():
            p -= lr * (p.grad * min(1.0, 0.2 / norms[-1]) + 0.01 * p)  # the decay is no part of the gradient

    expected = plain_loop(plain, few_digits, recipe, 0.2, half(plain), change)
    run(model, few_digits, recipe, 0.2, half(model), seed=3, cycle=2)
    close(parameters(model), expected)
    assert min(norms) < 0.2 < max(norms)


@pytest.mark.parametrize("recipe", [CLIPPED, ADAMW], ids=["sgd", "adamw"])
def test_gradients_of_a_step_have_the_norm_and_pruned_ones_are_zero(build, half, few_digits, recipe):
    model = build("small-cnn")
    mask = half(model)
    lane = Lane(Start(model, mask, 0.1), recipe, torch.device("cpu"))
    lane.apply_mask()
    lane.step((few_digits.train.pixels[:32].float() - few_digits.mean) / few_digits.std, few_digits.train.labels[:32])
    total = sum((p.grad.double() ** 2).sum().item() for p in model.parameters())
    assert math.sqrt(total) == pytest.approx(0.3, rel=1e-5)
    assert all((model.get_parameter(name).grad[~alive] == 0).all() for name, alive in mask.layers.items())


def test_a_norm_that_no_gradient_reaches_changes_nothing(build, half, few_digits):
    models = build(), build()
    for model, norm in zip(models, (None, 1e9), strict=True):
        run(model, few_digits, replace(RECIPE, clip_norm=norm), 0.05, half(model))
    close(*map(parameters, models))


@pytest.mark.parametrize("recipe", [CLIPPED, ADAMW], ids=["sgd", "adamw"])
def test_lanes_graphs_and_what_was_cut_off_are_single_runs(build, half, few_digits, recipe):
    """One of them diverges: clipped, too, its weights overflow."""

    def starts():
        models = [build("small-cnn", seed) for seed in range(3)]
        return [Start(model, half(model), rate) for model, rate in zip(models, (0.01, 1e38, 0.03), strict=True)]

    def trained(given, stepper, **options):
        return train_lanes(given, few_digits, recipe, seed=1, cycle=2, stepper=stepper, **options)

    expected = [trained([start], EAGER)[0] for start in starts()]
    assert [one.outcome.diverged for one in expected] == [False, True, False]
    stepper, kept = GraphStepper(3, here), [Kept(), Kept(), Kept(until=1)]
    with pytest.raises(CutOff):
        trained(starts(), stepper, checkpoints=kept)
    kept[2].until = None
    for options in ({}, {"checkpoints": kept}):
        given = trained(starts(), stepper, **options)
        assert [one.outcome for one in given] == [one.outcome for one in expected]
        assert all(same(given[number], expected[number]) for number in (0, 2))


@pytest.mark.parametrize("norm", [0, -1.0, math.inf, math.nan])
def test_another_norm_is_refused(norm):
    with pytest.raises(ValueError, match=f"^clip_norm must be .*, got {norm}$"):
        replace(RECIPE, clip_norm=norm)
