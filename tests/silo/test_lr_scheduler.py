"""PruningCycleLR in somebody's own torch loop."""

import io
import math
import warnings

import numpy as np
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


def made(shape=None, cycle=3, groups=(0.5, 0.7), **more):
    """A model, an optimizer with a group for each rate, and the scheduler of a cycle."""
    lengths = {} if shape is None else {"steps_per_epoch": STEPS, "epochs": EPOCHS}
    model = nn.Sequential(*(nn.Linear(3, 3) for _ in groups))
    optimizer = torch.optim.SGD(
        [{"params": layer.parameters(), "lr": lr} for layer, lr in zip(model, groups, strict=True)],
        lr=0.1,
        momentum=0.9,
    )
    return model, optimizer, PruningCycleLR(optimizer, SILO, cycle, shape, **lengths, **more)


@pytest.fixture
def strict():
    """Any warning fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# -- the rates


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_every_iteration_of_several_cycles_without_a_warning(shape, strict):
    """With one optimizer for all: the groups' ratio is that of the rates that it began with."""
    model, optimizer = optimizer_of_two_groups()
    for cycle in range(4):
        scheduler = PruningCycleLR(optimizer, SILO, cycle, shape, STEPS, EPOCHS)
        expected = [SILO.max_lr(cycle) * shape.factor(t, STEPS, EPOCHS) for t in range(1, STEPS * EPOCHS + 1)]
        seen = rates(model, optimizer, scheduler, STEPS * EPOCHS)
        assert [rate for _, rate in seen] == expected
        assert [rate for rate, _ in seen] == pytest.approx([rate * 5 / 7 for rate in expected], rel=1e-15)


@pytest.mark.parametrize(
    ("groups", "ratios"),
    [
        ((0.1,), (1,)),
        ((0.0,), (1,)),
        ((1e-3, 1e-4), (1, 0.1)),
        ((0.2, 0.2), (1, 1)),
        ((0.0, 0.4), (0, 1)),
        ((0.0, 0.0), (1, 1)),
    ],
)
def test_the_largest_group_gets_max_lr_and_the_others_keep_their_ratio_to_it(groups, ratios):
    model, optimizer, scheduler = made(Cosine(), groups=groups)
    for t, seen in enumerate(rates(model, optimizer, scheduler, 20), start=1):
        rate = SILO.max_lr(3) * Cosine().factor(t, STEPS, EPOCHS)
        assert seen == pytest.approx([rate * ratio for ratio in ratios], rel=1e-15)


def test_constant_needs_no_epochs_and_has_no_end(strict):
    model, optimizer, scheduler = made(groups=(0.1,), cycle=5)
    assert rates(model, optimizer, scheduler, 300) == [[SILO.max_lr(5)]] * 300


def test_a_rate_on_the_device_is_filled_where_it_is():
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=torch.tensor(1.0))
    held = optimizer.param_groups[0]["lr"]
    PruningCycleLR(optimizer, SILO, 3, Cosine(), STEPS, EPOCHS)
    assert optimizer.param_groups[0]["lr"] is held and float(held) == pytest.approx(SILO.max_lr(3))


@pytest.mark.parametrize("shape", SHAPES[1:], ids=lambda shape: type(shape).__name__)
def test_past_the_end_the_rate_stays_and_one_warning_says_so(shape, recwarn):
    model, optimizer, scheduler = made(shape)
    whole = rates(model, optimizer, scheduler, STEPS * EPOCHS)
    assert [str(one.message) for one in recwarn] == []
    assert rates(model, optimizer, scheduler, 5) == whole[-1:] * 5
    (warning,) = recwarn
    assert "cycle 3 has 20 iterations (5 an epoch, 4 epochs), but step() was called 21 times" in str(warning.message)
    assert warning.filename == __file__


# -- going on


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
@pytest.mark.parametrize("done", [0, 8, 20])
def test_it_goes_on_from_a_file_that_torch_reads_by_default(shape, done):
    model, optimizer, scheduler = made(shape)
    whole = rates(model, optimizer, scheduler, 20)
    model, optimizer, scheduler = made(shape)
    rates(model, optimizer, scheduler, done)
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)  # weights_only
    model, optimizer, scheduler = made(shape)
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    assert rates(model, optimizer, scheduler, 20 - done) == whole[done:]
    assert {type(value) for value in saved["scheduler"].values()} <= {int, float, str, list}


class Saw:
    """A shape of one's own, and no dataclass."""

    def __init__(self, teeth=2):
        self.teeth = teeth

    def factor(self, t, steps_per_epoch, epochs):
        return t % self.teeth / self.teeth


def test_a_shape_of_ones_own_goes_on_in_another_process():
    _, _, scheduler = made(Saw())
    state = scheduler.state_dict()
    assert state["shape"].endswith(".Saw: teeth=2")  # and no address
    made(Saw())[2].load_state_dict(state)
    with pytest.raises(ValueError, match=r"state_dict must be of shape '.*teeth=3', got '.*teeth=2'"):
        made(Saw(3))[2].load_state_dict(state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cycle": 2}, "state_dict must be of cycle 3, got 2"),
        ({"max_lr": 0.5}, "state_dict must be of max_lr 0.0.*, got 0.5"),
        ({"shape": "silo.shape.Cosine: Cosine(1)"}, "state_dict must be of shape .*Cosine.*, got .*Cosine.1"),
        ({"steps_per_epoch": 6}, "state_dict must be of steps_per_epoch 5, got 6"),
        ({"epochs": None}, "state_dict must be of epochs 4, got None"),
        ({"ratios": [1.0]}, "state_dict must be of ratios .0.7.*, 1.0., got .1.0"),
        ({"ratios": [0.5, 1.0]}, "state_dict must be of ratios .0.7.*, 1.0., got .0.5, 1.0"),
    ],
)
def test_another_scheduler_s_state_is_refused_and_changes_nothing(changes, message):
    _, _, scheduler = made(Cosine())
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=message):
        scheduler.load_state_dict(before | {"last_epoch": 7} | changes)
    assert scheduler.state_dict() == before


def test_a_rate_that_another_machine_rounds_otherwise_is_the_same():
    _, _, scheduler = made(Cosine())
    state = scheduler.state_dict()
    scheduler.load_state_dict(state | {"max_lr": math.nextafter(state["max_lr"], 1)})


class Nothing:
    """A schedule that has no rate."""

    def max_lr(self, cycle):
        return math.nan


def test_a_schedule_without_a_rate_is_refused():
    with pytest.raises(ValueError, match="schedule must have a finite max_lr above 0 at cycle 3, got nan"):
        PruningCycleLR(optimizer_of_two_groups()[1], Nothing(), 3)


def test_the_state_of_another_kind_is_refused():
    _, optimizer, scheduler = made(Cosine())
    other = torch.optim.lr_scheduler.LinearLR(optimizer).state_dict()
    with pytest.raises(ValueError, match="state_dict must be that of a PruningCycleLR, got one without cycle, max_lr"):
        scheduler.load_state_dict(other)


def test_last_epoch_is_torch_s():
    """n goes on with iteration n + 2, as the construction is a step."""
    model, optimizer, scheduler = made(Cosine())
    whole = rates(model, optimizer, scheduler, 20)
    saved = optimizer.state_dict()
    model, optimizer, _ = made(Cosine())
    optimizer.load_state_dict(saved)
    scheduler = PruningCycleLR(optimizer, SILO, 3, Cosine(), STEPS, EPOCHS, last_epoch=4)
    assert rates(model, optimizer, scheduler, 15) == whole[5:]
    fresh = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    with pytest.raises(KeyError, match="initial_lr"):
        PruningCycleLR(fresh, SILO, 3, last_epoch=4)


def test_cycles_one_after_another_and_a_warm_up_of_torch_s_own(strict):
    """In SequentialLR, which makes all schedulers at once and sets them back."""
    model, optimizer = optimizer_of_two_groups()
    optimizer.param_groups[0]["lr"] = 0.7
    cycles = [PruningCycleLR(optimizer, SILO, cycle, Cosine(), STEPS, EPOCHS) for cycle in (0, 5)]
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=3)
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, *cycles], milestones=[3, 3 + STEPS * EPOCHS])
    expected = [0.7 * factor for factor in (1 / 2, 2 / 3, 5 / 6)]
    expected += [SILO.max_lr(cycle) * Cosine().factor(t, STEPS, EPOCHS) for cycle in (0, 5) for t in range(1, 21)]
    seen = rates(model, optimizer, scheduler, len(expected))
    assert seen == [[pytest.approx(rate, rel=1e-12)] * 2 for rate in expected]
    saved = scheduler.state_dict()
    scheduler.load_state_dict(saved)
    assert math.isclose(scheduler.get_last_lr()[0], SILO.max_lr(5) * Cosine().factor(20, STEPS, EPOCHS))


# -- what can't be


@pytest.mark.parametrize(("schedule", "cycle"), [(TableSchedule((0.1,)), 1), (SILO, -1), (SILO, 0.5), (SILO, True)])
def test_a_cycle_that_the_schedule_does_not_know(schedule, cycle):
    with pytest.raises(ValueError, match="cycle"):
        PruningCycleLR(optimizer_of_two_groups()[1], schedule, cycle)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ((), "steps_per_epoch must be given where shape is Cosine, got None"),
        ((5,), "epochs must be given where shape is Cosine, got None"),
        ((0, 4), "steps_per_epoch must be a whole number of at least 1, got 0"),
        ((5, 2.0), "epochs must be a whole number of at least 1, got 2.0"),
        ((5, True), "epochs must be a whole number of at least 1, got True"),
    ],
)
def test_a_shape_that_goes_by_lengths_is_not_made_without(lengths, message):
    with pytest.raises(ValueError, match=message):
        PruningCycleLR(optimizer_of_two_groups()[1], SILO, 3, Cosine(), *lengths)


def test_numpy_s_numbers_are_numbers():
    *_, plain = made(Cosine())
    _, optimizer = optimizer_of_two_groups()
    theirs = PruningCycleLR(optimizer, SILO, np.int64(3), Cosine(), np.int32(STEPS), np.int64(EPOCHS))
    assert theirs.state_dict() == plain.state_dict()
    assert {type(value) for value in theirs.state_dict().values()} <= {int, float, str, list}


@pytest.mark.parametrize(
    ("schedule", "shape", "message"),
    [
        (0.1, None, r"schedule must have a method max_lr, .*, got 0\.1$"),
        (SILO, "cosine", "shape must have a method factor, .*, got 'cosine'$"),
        (SILO, Cosine, "steps_per_epoch must be given"),  # a class has the method
    ],
)
def test_what_is_no_schedule_or_shape(schedule, shape, message):
    with pytest.raises(ValueError, match=message):
        PruningCycleLR(optimizer_of_two_groups()[1], schedule, 3, shape)


def test_a_group_that_is_added_later_is_refused():
    _, optimizer = optimizer_of_two_groups()
    scheduler = PruningCycleLR(optimizer, SILO, 3)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1})
    optimizer.step()
    with pytest.raises(ValueError, match="optimizer must have 2 parameter groups, got 3: make the scheduler once"):
        scheduler.step()
