"""Iterative pruning: the loop alone, and on digits for every model, scope, restart and criterion."""

import contextlib
import math
from fractions import Fraction

import pytest
import torch

from silo import ConstantSchedule, SiloSchedule, TableSchedule, train_trajectory
from silo.cycle import run_cycle
from silo.mask import SCOPES
from silo.pruning_rule import CRITERIA, Pruning
from silo.restart import Keep, Reinit, Rewind
from silo.state import State
from silo.trajectory import CycleStep, iterative_pruning

RESTARTS = [Reinit(), Reinit(keep_statistics=True), Rewind(), Rewind("4it"), Keep()]
SILO = SiloSchedule(epsilon=0.05, delta=0.1, beta=5, delay=1, prune_rate=0.3)


def watched(criterion, log):
    """The criterion, keeping what each layer was judged by and what it got."""

    def watching(layer):
        log.append((layer, criterion(layer)))
        return log[-1][1]

    return watching


# ---- the loop alone


def driven(max_lr, cycles, start, leave):
    """Every step of the loop, where a cycle leaves what ``leave`` makes of its step."""
    steps, sent, seen = iterative_pruning(max_lr, cycles, start), None, []
    with contextlib.suppress(StopIteration):
        while True:
            seen.append(steps.send(sent))
            sent = leave(seen[-1])
    return seen


@pytest.mark.parametrize("cycles", [0, 1, 4])
def test_each_cycle_starts_from_what_the_one_before_left(cycles):
    seen = driven(lambda cycle: 0.1 + cycle, cycles, "dense", lambda step: f"left by {step.cycle}")
    starts = ["dense", "left by 0", "left by 1", "left by 2"]
    assert seen == [CycleStep(cycle, 0.1 + cycle, starts[cycle]) for cycle in range(cycles)]


@pytest.mark.parametrize("last", range(4))
def test_a_cycle_that_leaves_nothing_ends_the_loop_and_later_rates_are_not_asked_for(last):
    rates = dict.fromkeys(range(last + 1), 0.1)  # a KeyError beyond
    seen = driven(rates.__getitem__, 4, 0, lambda step: None if step.cycle == last else step.start + 1)
    assert [(step.cycle, step.start) for step in seen] == [(cycle, cycle) for cycle in range(last + 1)]


@pytest.mark.parametrize("empty", [0, "", ()])
def test_a_state_that_is_empty_is_a_state(empty):
    assert len(driven(lambda cycle: 0.1, 3, empty, lambda step: empty)) == 3


# ---- on digits


def test_a_list_of_rates_prunes_by_cycle(problem):
    """One shot, then twice a fifth: floor(rate * alive) each time."""
    pruning = Pruning(CRITERIA["magnitude"], "global", (0.9, 0.2), norm=True, first=True, head=True)
    made, _ = problem(pruning=pruning)
    silo = SiloSchedule(0.05, 0.1, 5, 0, pruning.rate)
    alive = [result.alive for result in train_trajectory(made, silo, cycles=4, seed=0)]
    expected = alive[:1]
    for rate in (Fraction(9, 10), Fraction(1, 5), Fraction(1, 5)):
        expected.append(expected[-1] - math.floor(rate * expected[-1]))
    assert alive == expected


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("restart", RESTARTS, ids=str)
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", ["mlp", "small-cnn"])
def test_every_cycle_keeps_the_laws(problem, name, scope, restart, criterion):
    log = []
    pruning = Pruning(watched(CRITERIA[criterion], log), scope, 0.3, norm=True, first=True, head=True)
    made, built = problem(name, pruning=pruning, restart=restart)
    before = {}
    for cycle, result in enumerate(train_trajectory(made, SILO, cycles=4, seed=0)):
        weights, after = dict(built[-1].named_parameters()), result.leaves.mask.layers
        before = before or {n: torch.ones_like(alive) for n, alive in after.items()}
        judged = dict(zip(after, log[cycle * len(after) :], strict=False))
        assert len(log) == (cycle + 1) * len(after)
        # the mask that the cycle was trained under
        assert result.alive == sum(int(alive.sum()) for alive in before.values())
        assert list(result.layers.items()) == [(n, (int(m.sum()), m.numel())) for n, m in before.items()]
        assert [sum(counts) for counts in zip(*result.layers.values(), strict=True)] == [result.alive, result.prunable]
        assert all((weights[n][~alive] == 0).all() for n, alive in before.items())
        # the criterion judged the final epoch's weights, and those of one epoch before
        assert all(torch.equal(layer.final, weights[n]) for n, (layer, _) in judged.items())
        assert all((layer.epoch_before != layer.final)[before[n]].all() for n, (layer, _) in judged.items())
        for group in [list(after)] if scope == "global" else [[n] for n in after]:
            was, now = (torch.cat([m[n].flatten() for n in group]) for m in (before, after))
            scores = torch.cat([judged[n][1].flatten() for n in group])
            gone = was & ~now
            assert not (now & ~was).any()  # nothing comes back
            assert int(gone.sum()) == 3 * int(was.sum()) // 10
            assert not gone.any() or scores[gone].max() <= scores[now].min()
        before = after
    assert cycle == 3


@pytest.mark.parametrize(("norm", "first", "head"), [(False, False, False), (False, True, True), (True, False, True)])
def test_what_is_not_prunable_is_never_pruned(problem, norm, first, head):
    made, built = problem("small-cnn", pruning=Pruning(CRITERIA["magnitude"], "global", 0.5, norm, first, head))
    *_, last = train_trajectory(made, SILO, cycles=4, seed=0)
    masks = last.leaves.mask.layers
    kinds = {"1.weight": norm, "0.weight": first, "11.weight": head, "3.weight": True}
    assert {n: n in masks for n in kinds} == kinds
    assert last.prunable == sum(alive.numel() for alive in masks.values())
    assert all((built[-1].get_parameter(n) != 0).all() for n, prunable in kinds.items() if not prunable)


@pytest.mark.parametrize("restart", RESTARTS, ids=str)
def test_a_trajectory_repeats_to_the_bit(problem, restart):
    def digests():
        made = problem("small-cnn", restart=restart)[0]
        return [(r.outcome, r.leaves.digest()) for r in train_trajectory(made, SILO, cycles=3, seed=0)]

    first = digests()
    torch.manual_seed(9)
    torch.set_num_threads(4)
    assert digests() == first


def test_seeds_differ(problem):
    results = [list(train_trajectory(problem()[0], SILO, cycles=2, seed=seed)) for seed in range(3)]
    assert len({cycles[-1].leaves.digest() for cycles in results}) == 3


def test_noise_belongs_to_seed_cycle_and_layer(problem):
    def drawn():
        log = []
        pruning = Pruning(watched(CRITERIA["random"], log), "global", 0.2, norm=True, first=True, head=True)
        for seed in (0, 1):
            list(train_trajectory(problem(pruning=pruning)[0], SILO, cycles=2, seed=seed))
        return [noise.flatten()[0].item() for _, noise in log]

    first = drawn()
    torch.manual_seed(9)
    assert drawn() == first
    assert len(set(first)) == len(first) == 2 * 2 * 3


@pytest.mark.parametrize("restart", RESTARTS, ids=str)
def test_a_cycle_depends_on_its_start_state_alone(problem, restart):
    """Run by itself, as a worker does, it gives what it gave in the loop."""
    pruning = Pruning(CRITERIA["random"], "layer", 0.2, norm=True, first=True, head=True)
    whole = list(train_trajectory(problem(pruning=pruning, restart=restart)[0], SILO, cycles=4, seed=2))
    for cycle in (3, 1, 2):
        alone = run_cycle(
            problem(pruning=pruning, restart=restart)[0], 2, cycle, SILO.max_lr(cycle), whole[cycle - 1].leaves
        )
        assert alone.outcome == whole[cycle].outcome
        assert alone.leaves.digest() == whole[cycle].leaves.digest()


def test_each_cycle_trains_at_the_schedule_s_max_lr(problem):
    """A cycle at a max_lr of its own is told from its neighbours by a run of that cycle alone."""
    rates = (0.05, 0.2, 0.1)
    results = list(train_trajectory(problem()[0], TableSchedule(rates), cycles=3, seed=0))
    starts = [State(), *(result.leaves for result in results)]
    for cycle, result in enumerate(results):
        outcomes = {rate: run_cycle(problem()[0], 0, cycle, rate, starts[cycle]).outcome for rate in rates}
        assert [rate for rate in rates if outcomes[rate] == result.outcome] == [rates[cycle]]


@pytest.mark.parametrize("diverging", [0, 2])
def test_divergence_ends_the_loop(problem, diverging):
    rates = [0.1] * 4
    rates[diverging] = 1e6
    results = list(train_trajectory(problem()[0], TableSchedule(rates), cycles=4, seed=0))
    assert [result.outcome.diverged for result in results] == [False] * diverging + [True]
    assert [result.leaves is None for result in results] == [False] * diverging + [True]


def test_pruning_goes_on_until_the_floor_is_nothing(problem):
    """Of 4 alive weights 0.2 is less than one: they stay, and so does the loop."""
    made = problem(pruning=Pruning(CRITERIA["magnitude"], "global", 0.9, norm=True, first=True, head=True))[0]
    results = list(train_trajectory(made, ConstantSchedule(0.1), cycles=6, seed=0))
    assert [result.alive for result in results] == [2720, 272, 28, 3, 1, 1]
    assert {result.prunable for result in results} == {2720}
