"""Many lanes: each gives what it gives alone, however many step together, and whatever becomes of the others."""

import gc
import math
from dataclasses import replace

import pytest
import torch
from kept import CutOff, Kept, bits, same
from pretended_gpu import here
from torch import nn

from silo.data.augment import Augment
from silo.data.split import Split
from silo.engine import train, train_lanes
from silo.graph import MOST_LANES, GraphStepper
from silo.lane import EAGER, EagerStepper, Start
from silo.mask import Mask, prunable_weights
from silo.recipe import Recipe
from silo.shape import Cosine, Cyclical, WarmupStep
from silo.stepping import draws, lanes_in

# 150 images: batches of 64, 64 and a short one of 22; 7 epochs of 3 steps: more than 20 steps
RECIPE = Recipe(
    epochs=7,
    batch_size=64,
    momentum=0.9,
    weight_decay=5e-4,
    shape=WarmupStep("6it", {"5ep": 0.1}),
    augment=Augment(crop=1, flip=True),
)
RATES = (0.003, 0.01, 0.03)


STEPPERS = {
    "one after another": lambda: EAGER,
    "in step": lambda: EagerStepper(at_once=8),
    "recorded": lambda: GraphStepper(8, here),
    "recorded, two at once": lambda: GraphStepper(2, here),
}


@pytest.fixture(scope="module")
def exact(few_digits):
    """The few digits in double precision."""
    parts = (few_digits.train, few_digits.validation, few_digits.test)
    return Split(*parts, few_digits.mean.double(), few_digits.std.double())


@pytest.fixture
def starts(build):
    """Networks with masks of their own (the first is dense), one a rate; anew at each call, since they are trained in place."""

    def make(rates=RATES, name="small-cnn", dtype=torch.float64):
        def start(number, rate):
            model = build(name, seed=number).to(dtype)
            weights = prunable_weights(model, norm=True, first=True, head=True)
            random = torch.Generator().manual_seed(number)
            masks = {n: torch.rand(w.shape, generator=random) < 1 - number / 5 for n, w in weights.items()}
            return Start(model, Mask(masks), rate)

        return [start(number, rate) for number, rate in enumerate(rates)]

    return make


def alone(starts, data, recipe=RECIPE, **options):
    return [train(start.model, data, recipe, start.max_lr, start.mask, seed=1, cycle=2, **options) for start in starts]


def together(starts, data, stepper, recipe=RECIPE, **options):
    return train_lanes(starts, data, recipe, seed=1, cycle=2, stepper=stepper, **options)


@pytest.mark.parametrize("stepper", STEPPERS.values(), ids=STEPPERS)
@pytest.mark.parametrize("name", ["mlp", "small-cnn"])
@pytest.mark.parametrize(
    "changes", [{}, {"momentum": 0.0}, {"choose": "test-best"}], ids=["", "no momentum", "released"]
)
def test_lanes_in_float64_are_single_runs(starts, exact, name, stepper, changes):
    recipe = replace(RECIPE, **changes)
    expected = alone(starts(name=name), exact, recipe, remember_at=4)
    given = together([replace(start, remember_at=4) for start in starts(name=name)], exact, stepper(), recipe)
    for one, other in zip(given, expected, strict=True):
        assert (one.outcome.chosen_epoch, one.outcome.steps) == (other.outcome.chosen_epoch, 21)
        assert one.outcome.test == other.outcome.test
        for part in ("final", "epoch_before", "remembered"):
            for weights, others in zip(getattr(one, part).values(), getattr(other, part).values(), strict=True):
                torch.testing.assert_close(weights, others, rtol=0, atol=1e-10)
    assert len({one.outcome.curve for one in given}) == len(RATES)


@pytest.mark.parametrize("stepper", STEPPERS.values(), ids=STEPPERS)
def test_one_step_in_fp32_is_a_single_run_s(starts, few_digits, stepper):
    recipe = replace(RECIPE, epochs=1, batch_size=1000)
    expected = alone(starts(dtype=torch.float32), few_digits, recipe)
    for one, other in zip(together(starts(dtype=torch.float32), few_digits, stepper(), recipe), expected, strict=True):
        for weights, others in zip(one.final.values(), other.final.values(), strict=True):
            torch.testing.assert_close(weights, others, rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_pack_on_a_cpu_is_bitwise_single_trainings(starts, few_digits, count):
    expected = alone(starts(dtype=torch.float32), few_digits)[:count]
    given = together(starts(dtype=torch.float32)[:count], few_digits, EAGER)
    assert all(same(one, other) for one, other in zip(given, expected, strict=True))


def test_a_network_s_own_draws_are_those_it_makes_alone(few_digits):
    def dropout(number):
        torch.manual_seed(number)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.ReLU(), nn.Dropout(0.5), nn.Linear(40, 10))
        return Start(model, Mask.dense(prunable_weights(model, True, True, True)), 0.1)

    expected = alone([dropout(0), dropout(1)], few_digits)
    given = together([dropout(0), dropout(1)], few_digits, EAGER)
    assert all(same(one, other) for one, other in zip(given, expected, strict=True))


@pytest.mark.parametrize("stepper", STEPPERS.values(), ids=STEPPERS)
@pytest.mark.parametrize("bad", range(3))
def test_a_lane_that_diverges_leaves_the_others_untouched(starts, exact, stepper, bad):
    rates = [1e200 if number == bad else rate for number, rate in enumerate(RATES)]
    given = together(starts(rates), exact, stepper())
    assert [one.outcome.diverged for one in given] == [number == bad for number in range(3)]
    expected = alone(starts(), exact)
    for number in {0, 1, 2} - {bad}:
        assert given[number].outcome == expected[number].outcome
        assert bits(given[number].final) == bits(expected[number].final)
    assert given[bad].outcome.steps < 21 and given[bad].final.keys() == expected[bad].final.keys()


def test_what_was_recorded_serves_the_next_trainings_and_leaks_nothing_into_them(starts, exact):
    """Fewer lanes, other masks and weights, another shape; a training that diverged before; another kind of network between."""
    kept = GraphStepper(3, here)
    together(starts([0.03, 1e200, math.inf]), exact, kept)
    for name, count, changes in [
        ("small-cnn", 3, {}),
        ("small-cnn", 2, {"epochs": 3}),
        ("mlp", 3, {}),
        ("small-cnn", 1, {"weight_decay": 0.1}),
        ("small-cnn", 3, {"weight_decay": 0.1, "batch_size": 50}),
    ]:
        recipe = replace(RECIPE, **changes)
        expected = alone(starts(name=name)[:count], exact, recipe)
        given = together(starts(name=name)[:count], exact, kept, recipe)
        assert [bits(one.final) for one in given] == [bits(one.final) for one in expected]
        assert [one.outcome for one in given] == [one.outcome for one in expected]


def test_recording_happens_once_for_a_number_of_lanes_and_a_batch_size(starts, exact):
    recorded = []

    def counting():
        def record(steps):
            recorded.append(len(steps))
            return here()(steps)

        return record

    kept = GraphStepper(3, counting)
    for count in (3, 3, 2, 3, 2):
        together(starts()[:count], exact, kept, replace(RECIPE, epochs=2))
    assert recorded == [3, 3, 2, 2]  # whole batches and the short one


def test_no_gradient_of_a_weight_is_bound_to_another_stream_than_its_step_s(starts, exact):
    """What remembers a weight as its step is captured would bind its gradient to the stream on which that was made."""

    def remembering():
        return [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor) and one.grad_fn is not None]

    gc.collect()
    of_others, found = remembering(), []

    def record(steps):
        found.extend(one for one in remembering() if all(one is not other for other in of_others))
        return lambda: [step() for step in steps]

    together(starts(), exact, GraphStepper(3, lambda: record))
    assert found == []


def test_more_lanes_than_there_are_places_for_are_refused(starts, exact):
    with pytest.raises(ValueError, match=r"^starts must .* 2, got 3$"):
        GraphStepper(2, here).lanes(starts(), RECIPE, torch.device("cpu"))


@pytest.mark.parametrize("stepper", STEPPERS.values(), ids=STEPPERS)
@pytest.mark.parametrize("until", [1, 4])
def test_lanes_that_were_cut_off_go_on_side_by_side(starts, exact, stepper, until):
    expected = together(starts(), exact, stepper())
    kept = [Kept(), Kept(), Kept(until=until)]  # the last is cut off when all are kept
    stepped = stepper()
    with pytest.raises(CutOff):
        together(starts(), exact, stepped, checkpoints=kept)
    for one in kept:
        one.until = None
    given = together(starts(), exact, stepped, checkpoints=kept)
    assert all(same(one, other) for one, other in zip(given, expected, strict=True))
    assert all(one.log[-1] == ("save", 6) for one in kept)


@pytest.mark.parametrize("stepper", STEPPERS.values(), ids=STEPPERS)
def test_lanes_that_stand_elsewhere_go_on_apart(starts, exact, stepper):
    """The first is kept after epoch 5, the second after 2, the third was never begun."""
    expected = together(starts(), exact, stepper())
    kept = [Kept(until=5), Kept(until=2), Kept(due_after=())]
    for start, one in zip(starts()[:2], kept, strict=False):
        with pytest.raises(CutOff):
            together([start], exact, EAGER, checkpoints=[one])
        one.until = None
    given = together(starts(), exact, stepper(), checkpoints=kept)
    assert all(same(one, other) for one, other in zip(given, expected, strict=True))


def test_all_are_kept_where_one_is_due(starts, exact):
    kept = [Kept(due_after=()), Kept(due_after=(3,)), Kept(due_after=())]
    together(starts(), exact, GraphStepper(3, here), checkpoints=kept)
    assert [[entry for entry in one.log if entry[0] == "save"] for one in kept] == [[("save", 3)]] * 3


@pytest.mark.parametrize("short", ["the whole batch's graph", "the short one's", "an evaluation"])
def test_memory_that_is_short_shows_before_the_first_step(starts, exact, monkeypatch, short):
    """So that no epoch is lost by it: both graphs are recorded, and an evaluation done, before a lane trains."""
    did = []

    def out_of_memory():
        raise torch.OutOfMemoryError("CUDA out of memory")

    def recorder():
        def record(steps):
            did.append("record")
            if len(did) == {"the whole batch's graph": 1, "the short one's": 2}.get(short):
                out_of_memory()
            return lambda: did.append("step")

        return record

    if short == "an evaluation":
        monkeypatch.setattr("silo.graph.evaluate_blank", lambda *_: out_of_memory())
    kept = [Kept() for _ in RATES]
    with pytest.raises(torch.OutOfMemoryError):
        together(starts(), exact, GraphStepper(3, recorder), checkpoints=kept)
    assert "step" not in did
    assert all(one.log == [] for one in kept)


@pytest.mark.parametrize("stepper", STEPPERS.values(), ids=STEPPERS)
def test_lanes_of_other_shapes_and_remembered_iterations_are_single_runs(starts, exact, stepper):
    """A baseline's trainings beside SILO's: each at the rates of its own shape."""
    shapes = [RECIPE.shape, Cosine(), Cyclical("3ep")]
    given = [
        replace(start, shape=shape, remember_at=at)
        for start, shape, at in zip(starts(), shapes, (4, None, 9), strict=True)
    ]
    expected = [
        train(
            start.model, exact, replace(RECIPE, shape=shape), start.max_lr, start.mask, seed=1, cycle=2, remember_at=at
        )
        for start, shape, at in zip(starts(), shapes, (4, None, 9), strict=True)
    ]
    for one, other in zip(together(given, exact, stepper()), expected, strict=True):
        assert one.outcome.test == other.outcome.test
        assert bits(one.final) == bits(other.final)
        assert bits(one.remembered) == bits(other.remembered)


NETWORKS = {
    "plain": (nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), False),
    "dropout": (nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10)), True),
    "dropout of none": (nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(64, 10)), False),
    "random leaks": (nn.Sequential(nn.Flatten(), nn.RReLU(), nn.Linear(64, 10)), True),
    "batch norm": (nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 10)), False),
}


@pytest.mark.parametrize(("model", "drawn"), NETWORKS.values(), ids=NETWORKS)
def test_whether_a_network_draws_in_training(model, drawn):
    """Also where it was last in evaluation; the caller's generator is untouched."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert draws(model.eval(), torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))) == drawn
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("room", "step_bytes", "evaluation_bytes", "lanes"),
    [
        (1000, 100, 100, 9),
        (1000, 100, 901, 1),  # not even one is thought to fit: it is tried
        (1000, 300, 100, 3),
        (50, 100, 100, 1),
        (10**6, 100, 100, MOST_LANES),
    ],
)
def test_how_many_lanes_fit(room, step_bytes, evaluation_bytes, lanes):
    assert lanes_in(room, step_bytes, evaluation_bytes) == lanes


def test_a_stepper_says_what_it_is():
    assert [str(EAGER), str(EagerStepper(because="the network draws")), str(GraphStepper(4, here))] == [
        "eager",
        "eager: the network draws",
        "a CUDA graph of up to 4 lanes",
    ]
