"""Smoothed labels: torch's loss, the formula by hand, on lanes, and in training alone."""

from dataclasses import replace

import pytest
import torch
from engine_runs import RECIPE, close, parameters, plain_loop, run
from kept import same
from pretended_gpu import here
from torch.nn import functional

from silo.engine import train_lanes
from silo.graph import GraphStepper
from silo.lane import EAGER, Start

SMOOTHED = replace(RECIPE, label_smoothing=0.2, momentum=0.0, weight_decay=0.0)


def by_torch(logits, labels):
    return functional.cross_entropy(logits, labels, label_smoothing=0.2)


def by_hand(logits, labels):
    """Of ten classes each gets 0.02 of every label, the right one 0.8 more."""
    logs = logits - logits.exp().sum(1, keepdim=True).log()
    target = torch.full_like(logs, 0.02)
    target[torch.arange(len(labels)), labels] += 0.8
    return -(target * logs).sum(1).mean()


@pytest.mark.parametrize("loss", [by_torch, by_hand])
def test_a_training_is_a_plain_loop_on_smoothed_labels(build, half, few_digits, loss):
    model, plain, losses = build(), build(), []

    def kept(logits, labels):
        losses.append((loss(logits, labels), len(labels)))
        return losses[-1][0]

    @torch.no_grad()
    def change(t, lr):
        for p in plain.parameters():
            p -= lr * p.grad

    expected = plain_loop(plain, few_digits, SMOOTHED, 0.05, half(plain), change, kept)
    trained = run(model, few_digits, SMOOTHED, 0.05, half(model), seed=3, cycle=2)
    close(parameters(model), expected)
    first = sum(value.item() * count for value, count in losses[:3]) / 150  # the loss that is recorded
    assert trained.outcome.curve[0].loss == pytest.approx(first, rel=1e-5)


def test_lanes_and_graphs_are_single_runs(build, half, few_digits):
    """Of a graph that was recorded for plain labels, too: it is another one."""

    def trained(recipe, stepper):
        models = [build("small-cnn", seed) for seed in range(2)]
        starts = [Start(model, half(model), 0.05) for model in models]
        return train_lanes(starts, few_digits, recipe, seed=1, cycle=2, stepper=stepper)

    stepper = GraphStepper(2, here)
    plain, smoothed = (trained(recipe, stepper) for recipe in (replace(SMOOTHED, label_smoothing=0.0), SMOOTHED))
    assert all(same(one, other) for one, other in zip(smoothed, trained(SMOOTHED, EAGER), strict=True))
    assert not any(same(one, other) for one, other in zip(smoothed, plain, strict=True))


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_another_share_is_refused(share):
    with pytest.raises(ValueError, match=f"^label_smoothing must be .*, got {share}$"):
        replace(RECIPE, label_smoothing=share)
