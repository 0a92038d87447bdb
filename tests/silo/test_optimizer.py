"""SGD with nesterov and AdamW: by hand, on pruned weights, side by side, cut off, and at a cycle's start."""

from dataclasses import replace

import pytest
import torch
from engine_runs import RECIPE, close, parameters, plain_loop, run
from kept import CutOff, Kept, bits, same
from pretended_gpu import here

from silo.cycle import Candidate, run_cycle, run_lanes
from silo.engine import train_lanes
from silo.graph import GraphStepper
from silo.lane import EAGER, EagerStepper, Lane, Start
from silo.optimizer import AdamW, Sgd
from silo.restart import Keep, Reinit, Rewind
from silo.shape import WarmupStep
from silo.state import State

ADAMW = replace(RECIPE, momentum=0.0, weight_decay=0.1, optimizer=AdamW((0.8, 0.95), 1e-6), shape=WarmupStep("4it"))
NESTEROV = replace(RECIPE, optimizer=Sgd(nesterov=True), shape=WarmupStep("4it"))
RECIPES = {"adamw": ADAMW, "nesterov": NESTEROV}
STEPPERS = {"one by one": lambda: EAGER, "in step": lambda: EagerStepper(3), "recorded": lambda: GraphStepper(3, here)}


def step_by_hand(recipe, p, gradient, state, t, lr):
    """One step of a parameter by the formulas; returns it."""
    if isinstance(recipe.optimizer, Sgd):
        d = gradient + recipe.weight_decay * p
        state["v"] = recipe.momentum * state.get("v", 0) + d
        return p - lr * (d + recipe.momentum * state["v"])
    beta1, beta2 = recipe.optimizer.betas
    state["a"] = beta1 * state.get("a", 0) + (1 - beta1) * gradient
    state["b"] = beta2 * state.get("b", 0) + (1 - beta2) * gradient**2
    first, second = state["a"] / (1 - beta1**t), state["b"] / (1 - beta2**t)
    return p - lr * recipe.weight_decay * p - lr * first / (second.sqrt() + recipe.optimizer.eps)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_training_is_the_formula_by_hand(build, half, few_digits, recipe):
    """Only the mean's accumulation in another order may differ."""
    model, by_hand = build(), build()
    states = {p: {} for p in by_hand.parameters()}

    @torch.no_grad()
    def change(t, lr):
        for p, state in states.items():
            p.copy_(step_by_hand(recipe, p, p.grad, state, t, lr))

    run(model, few_digits, recipe, 0.01, half(model), seed=3, cycle=2)
    close(parameters(model), plain_loop(by_hand, few_digits, recipe, 0.01, half(by_hand), change))


def test_a_training_is_torch_s_adamw_in_a_plain_loop(build, half, few_digits):
    model, plain = build(), build()
    betas, eps = ADAMW.optimizer.betas, ADAMW.optimizer.eps
    optimizer = torch.optim.AdamW(plain.parameters(), 0.0, betas, eps, ADAMW.weight_decay, foreach=False)

    def change(t, lr):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()

    run(model, few_digits, ADAMW, 0.01, half(model), seed=3, cycle=2)
    close(parameters(model), plain_loop(plain, few_digits, ADAMW, 0.01, half(plain), change))


@pytest.mark.parametrize("held", [False, True])
def test_pruned_weights_and_their_moments_are_zero_after_every_step(build, half, few_digits, held):
    """And so they are without the mask that is applied to the weights: the optimizer itself leaves them alone."""
    model = build("small-cnn")
    mask = half(model)
    lane = Lane(Start(model, mask, 0.1), ADAMW, torch.device("cpu"))
    lane.apply_mask()
    lane.apply_mask = lambda: None
    if held:
        lane.hold_buffers()
    images = (few_digits.train.pixels[:32].float() - few_digits.mean) / few_digits.std
    for _ in range(4):
        lane.set_rate(0.05)
        lane.step(images, few_digits.train.labels[:32])
        for name, alive in mask.layers.items():
            p = model.get_parameter(name)
            state = lane.optimizer.state[p]
            for tensor in (p, state["exp_avg"], state["exp_avg_sq"]):
                assert (tensor[~alive] == 0).all() and (tensor[alive] != 0).any()


@pytest.fixture
def starts(build, half):
    def make(rates=(0.003, 0.01, 0.03)):
        models = [build("small-cnn", seed) for seed in range(len(rates))]
        return [Start(model, half(model), rate) for model, rate in zip(models, rates, strict=True)]

    return make


def together(starts, data, recipe, stepper, **options):
    return train_lanes(starts, data, recipe, seed=1, cycle=2, stepper=stepper, **options)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_lanes_are_bitwise_single_runs_and_go_on_where_they_were_cut_off(starts, few_digits, recipe):
    recipe = replace(recipe, epochs=3)
    expected = [together([start], few_digits, recipe, EAGER)[0] for start in starts()]
    for make in STEPPERS.values():
        stepper, kept = make(), [Kept(), Kept(), Kept(until=2)]
        with pytest.raises(CutOff):
            together(starts(), few_digits, recipe, stepper, checkpoints=kept)
        kept[2].until = None
        for options in ({}, {"checkpoints": kept}):
            given = together(starts(), few_digits, recipe, stepper, **options)
            assert all(same(one, other) for one, other in zip(given, expected, strict=True))


def test_a_lane_that_diverges_is_told_and_leaves_no_trace(starts, few_digits):
    """AdamW's steps are as long as the rate, whatever the gradient: at 1e30 the weights overflow."""
    kept, expected = GraphStepper(3, here), together(starts(), few_digits, ADAMW, EAGER)
    diverged = together(starts([0.003, 1e30, 0.03]), few_digits, ADAMW, kept)
    assert [one.outcome.diverged for one in diverged] == [False, True, False]
    together(starts(), few_digits, NESTEROV, kept)  # another kind of lane between
    given = together(starts(), few_digits, ADAMW, kept)
    assert all(same(one, other) for one, other in zip(given, expected, strict=True))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("restart", [Reinit(), Rewind("2it"), Keep()], ids=str)
def test_every_cycle_begins_with_a_fresh_optimizer(problem, recipe, restart):
    """On lanes that have trained the cycle before as on new ones."""
    made, _ = problem("small-cnn", recipe=recipe, restart=restart)
    stepper, kept = GraphStepper(1, here), Kept()
    first = run_cycle(made, 0, 0, 0.01, State())
    (same_first,) = run_lanes(made, 0, 0, [Candidate(0.01, State())], stepper)
    assert first.leaves.digest() == same_first.leaves.digest()
    expected = run_cycle(made, 0, 1, 0.01, first.leaves, kept)
    (given,) = run_lanes(made, 0, 1, [Candidate(0.01, first.leaves)], stepper)
    assert (given.outcome, given.leaves.digest()) == (expected.outcome, expected.leaves.digest())
    if recipe is ADAMW:
        steps = {name: tensor for name, tensor in kept.plain()["momentum"].items() if name.endswith(":step")}
        assert steps and {tensor.item() for tensor in steps.values()} == {3.0}  # after its first epoch


@pytest.mark.parametrize(("recipe", "other"), [(ADAMW, NESTEROV), (NESTEROV, ADAMW)], ids=["adamw", "nesterov"])
def test_a_state_of_another_optimizer_is_refused(starts, few_digits, recipe, other):
    kept, (start, *_) = Kept(until=1), starts()
    with pytest.raises(CutOff):
        together([start], few_digits, recipe, EAGER, checkpoints=[kept])
    (start, *_), kept.until = starts(), None
    before = bits(start.model.state_dict())
    with pytest.raises(ValueError, match=r"^momentum must have this network's names"):
        together([start], few_digits, other, EAGER, checkpoints=[kept])
    assert bits(start.model.state_dict()) == before


@pytest.mark.parametrize("betas", [(0.9,), (0.9, 1.0), (-0.1, 0.9), (0.9, 0.99, 0.999)])
def test_adamw_names_what_is_wrong_with_betas(betas):
    with pytest.raises(ValueError, match=r"^betas must be .*, got \["):
        AdamW(betas=betas)


@pytest.mark.parametrize("eps", [0.0, 1e-40, -1e-8, float("nan"), 1e10])
def test_adamw_names_what_is_wrong_with_eps(eps):
    with pytest.raises(ValueError, match=r"^eps must be .*, got "):
        AdamW(eps=eps)


@pytest.mark.parametrize(("optimizer", "momentum"), [(AdamW(), 0.9), (Sgd(nesterov=True), 0.0)])
def test_a_momentum_that_is_not_the_optimizer_s_is_refused(optimizer, momentum):
    with pytest.raises(ValueError, match=f"^momentum must be .*, got {momentum}$"):
        replace(RECIPE, optimizer=optimizer, momentum=momentum)
