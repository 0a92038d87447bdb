"""Trainings that the engine's tests share: a recipe, networks that say what they are shown, and how to run them."""

import math
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional

from silo.data.augment import Augment
from silo.engine import train
from silo.mask import Mask, prunable_weights
from silo.randomness import Purpose, generator, seeded
from silo.recipe import Recipe
from silo.shape import Constant

RECIPE = Recipe(epochs=2, batch_size=64, momentum=0.9, weight_decay=5e-4, shape=Constant())
AUGMENTED = replace(RECIPE, augment=Augment(crop=1, flip=True))
MODELS = ["mlp", "small-cnn"]


def dense(model):
    return Mask.dense(prunable_weights(model, norm=True, first=True, head=True))


def run(model, data, recipe=RECIPE, max_lr=0.1, mask=None, seed=0, cycle=0, **options):
    return train(model, data, recipe, max_lr, mask or dense(model), seed=seed, cycle=cycle, **options)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def parameters(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def dropout_net():
    with seeded(0, Purpose.INITIALIZATION):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.ReLU(), nn.Dropout(0.5), nn.Linear(40, 10))


def plain_loop(model, data, recipe, max_lr, mask, change, loss=functional.cross_entropy):
    """A loop as anybody writes it, for seed 3 and cycle 2: ``change`` steps by the masked gradients, at t from 1, at a rate."""
    named = dict(model.named_parameters())
    masks = {name: layer.float() for name, layer in mask.layers.items()}
    steps = recipe.steps_per_epoch(len(data.train))
    for name, layer in masks.items():
        named[name].data.mul_(layer)
    for epoch in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(data.train), generator=generator(3, Purpose.ORDER, 2, epoch))
        for step, at in enumerate(order.split(recipe.batch_size)):
            images = (data.train.pixels[at].float() - data.mean) / data.std
            model.zero_grad()
            loss(model(images), data.train.labels[at]).backward()
            for name, layer in masks.items():
                named[name].grad.mul_(layer)
            t = epoch * steps + step + 1
            change(t, max_lr * recipe.shape.factor(t, steps, recipe.epochs))
    return parameters(model)


def close(one, other):
    for name, weight in one.items():
        torch.testing.assert_close(weight, other[name], rtol=0, atol=1e-6)


@dataclass(frozen=True)
class Window:
    """A shape that trains at max_lr from iteration ``after`` + 1 to ``until``, and at 0 elsewhere."""

    after: int = 0
    until: float = math.inf

    def factor(self, t, steps_per_epoch, epochs):
        return float(self.after < t <= self.until)


class Recorder(nn.Module):
    """A network that keeps what it is shown in training."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.shown = []

    def forward(self, x):
        if self.training:
            self.shown.append(x.clone())
        return self.head(x.flatten(1))
