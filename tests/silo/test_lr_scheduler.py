"""PruningCycleLR in somebody's own torch loop."""

import warnings

import pytest
import torch
from torch import nn

from silo import Constant, Cosine, Cyclical, PruningCycleLR, SiloSchedule, TableSchedule, WarmupStep

SILO = SiloSchedule(epsilon=0.03, delta=0.04, beta=5, delay=1, prune_rate=0.2)
STEPS, EPOCHS = 5, 4
SHAPES = [Constant(), WarmupStep("7it", {"2ep": 0.1, "3ep": 0.01}), Cosine(), Cyclical("2ep", low=0.1)]


def optimizer_of_two_groups():
    model = nn.Linear(3, 2)
    groups = [{"params": [model.weight], "lr": 0.5}, {"params": [model.bias], "lr": 0.7, "momentum": 0}]
    return model, torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def rates(model, optimizer, scheduler, iterations):
    """What each parameter group is trained at, iteration by iteration."""
    seen = []
    for _ in range(iterations):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return seen


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_every_iteration_of_several_cycles_without_a_warning(shape):
    model, optimizer = optimizer_of_two_groups()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cycle in range(4):
            scheduler = PruningCycleLR(optimizer, SILO, cycle, shape, STEPS, EPOCHS)
            expected = [SILO.max_lr(cycle) * shape.factor(t, STEPS, EPOCHS) for t in range(1, STEPS * EPOCHS + 1)]
            assert rates(model, optimizer, scheduler, STEPS * EPOCHS) == [[rate, rate] for rate in expected]


def test_constant_needs_no_epochs():
    model, optimizer = optimizer_of_two_groups()
    assert rates(model, optimizer, PruningCycleLR(optimizer, SILO, 5), 3) == [[SILO.max_lr(5)] * 2] * 3


def test_it_resumes_in_the_middle_of_a_cycle():
    shape = SHAPES[1]
    model, optimizer = optimizer_of_two_groups()
    whole = rates(model, optimizer, PruningCycleLR(optimizer, SILO, 3, shape, STEPS, EPOCHS), 20)

    model, optimizer = optimizer_of_two_groups()
    scheduler = PruningCycleLR(optimizer, SILO, 3, shape, STEPS, EPOCHS)
    rates(model, optimizer, scheduler, 8)
    saved = optimizer.state_dict(), scheduler.state_dict()
    model, optimizer = optimizer_of_two_groups()
    scheduler = PruningCycleLR(optimizer, SILO, 3, shape, STEPS, EPOCHS)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert rates(model, optimizer, scheduler, 12) == whole[8:]


@pytest.mark.parametrize(("schedule", "cycle"), [(TableSchedule((0.1,)), 1), (SILO, -1), (SILO, 0.5)])
def test_a_cycle_that_the_schedule_does_not_know(schedule, cycle):
    with pytest.raises(ValueError, match="cycle"):
        PruningCycleLR(optimizer_of_two_groups()[1], schedule, cycle)
