"""What a cycle starts from: read off the network itself, by cycles whose rate is 0."""

from dataclasses import dataclass, replace

import pytest
import torch

from silo.cycle import Candidate, run_cycle, start_of
from silo.data.augment import Augment
from silo.duration import Duration
from silo.engine import train
from silo.mask import Mask
from silo.randomness import Purpose, seeded
from silo.restart import RESTARTS, Keep, Reinit, Rewind
from silo.state import State

MODELS = ["mlp", "small-cnn"]
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Until:
    """A shape that trains at max_lr up to iteration ``step`` and moves no weight after it."""

    step: int

    def factor(self, t, steps_per_epoch, epochs):
        return float(t <= self.step)


def chain(problem, cycles):
    """The states that the cycles start from, and the one that the last of them leaves."""
    states = [State()]
    for cycle in range(cycles):
        states.append(run_cycle(problem, 0, cycle, 0.1, states[-1]).leaves)
    return states


def stopped(problem, built, cycle, state, step=0, seed=0):
    """The parameters of a cycle after a step; after 0, those that it really starts from."""
    until = replace(problem, recipe=replace(problem.recipe, shape=Until(step)))
    run_cycle(until, seed, cycle, 0.1, state)
    return {name: p.detach().clone() for name, p in built[-1].named_parameters()}


def masked(weights, mask):
    return {name: weight * mask.layers.get(name, 1) for name, weight in weights.items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", MODELS)
def test_reinit_draws_new_weights_at_every_cycle(problem, name):
    made, built = problem(name, restart=Reinit())
    states = chain(made, 2)
    starts = [stopped(made, built, cycle, states[cycle]) for cycle in range(3)]
    assert all(state.weights is None for state in states)
    for earlier, later in ((0, 1), (0, 2), (1, 2)):
        drawn = {
            n: alive for n, alive in states[later].mask.layers.items() if alive.dim() > 1
        }  # batch norm starts at 1
        assert all((starts[earlier][n] != starts[later][n])[alive].all() for n, alive in drawn.items())
    assert same(starts[1], stopped(made, built, 1, states[1]))  # the cycle decides, not what ran before
    assert not same(starts[0], stopped(made, built, 0, State(), seed=1))


def drawn(made, cycle, mask):
    """The start of a cycle under a mask, before the mask is applied."""
    return dict(start_of(made, 0, cycle, Candidate(0.1, State(mask))).model.named_parameters())


@pytest.mark.parametrize("name", MODELS)
def test_widened_weights_are_the_plain_draw_over_the_root_of_their_layer_s_density(problem, name):
    """To the bit; biases, normalization's scales and layers that are whole are drawn as ever."""
    plain = problem(name, restart=Reinit())[0]
    wide = replace(plain, restart=Reinit(widen=True))
    whole = Mask.dense(plain.pruning.prunable(plain.build()))
    share = iter([1.0, 0.5, 0.25, 0.1, 0.75, 0.6, 0.4])
    random = torch.Generator().manual_seed(0)
    mask = Mask({n: torch.rand(m.shape, generator=random) < next(share) for n, m in whole.layers.items()})
    assert same(drawn(wide, 0, None), drawn(plain, 0, None)) and same(drawn(wide, 3, whole), drawn(plain, 3, whole))
    before, after = drawn(plain, 3, mask), drawn(wide, 3, mask)
    scaled = {n for n, m in mask.layers.items() if m.dim() > 1 and not m.all()}
    assert len(scaled) >= 2 and scaled < before.keys()
    for n, weight in before.items():
        density = mask.counts[n][0] / mask.counts[n][1] if n in scaled else 1
        assert torch.equal(after[n], weight * (1 / density) ** 0.5)


def test_what_units_sum_up_has_the_dense_network_s_variance_again():
    """Its law, at several densities: the variance of alive weights is 1/d of the plain one's, that of sums the same."""
    weight = torch.nn.init.kaiming_normal_(torch.empty(2000, 800), generator=torch.Generator().manual_seed(1))
    inputs = torch.randn(800, generator=torch.Generator().manual_seed(2))
    for density in (0.5, 0.1, 0.02):
        alive = torch.rand(weight.shape, generator=torch.Generator().manual_seed(3)) < density
        wide = weight * Reinit(widen=True).scale(int(alive.sum()), alive.numel())
        assert wide[alive].var().item() == pytest.approx(2 / 800 / density, rel=0.03)
        dense, sparse = (weight @ inputs).var().item(), ((wide * alive) @ inputs).var().item()
        assert sparse == pytest.approx(dense, rel=0.15)


@pytest.mark.parametrize(
    ("alive", "prunable", "factor"), [(64, 64, 1), (16, 64, 2), (1, 100, 10), (0, 64, 1), (32, 64, 2**0.5)]
)
def test_how_wide(alive, prunable, factor):
    assert Reinit(widen=True).scale(alive, prunable) == factor
    assert Reinit().scale(alive, prunable) == 1


def test_a_widened_cycle_trains_from_the_widened_weights_and_keeps_statistics(problem):
    made, built = problem("small-cnn", restart=Reinit(keep_statistics=True, widen=True))
    states = chain(made, 2)
    start = masked(drawn(made, 2, states[2].mask), states[2].mask)
    assert same(stopped(made, built, 2, states[2]), start)
    assert set(states[2].weights) == {f"{i}.{part}" for i in (1, 4, 7) for part in STATISTICS}
    plain = replace(made, restart=Reinit(keep_statistics=True))
    assert not same(start, stopped(plain, built, 2, states[2]))


def test_reinit_starts_batch_norm_s_statistics_afresh(problem):
    made, built = problem("small-cnn", restart=Reinit())
    chain(made, 3)
    assert [model[1].num_batches_tracked.item() for model in built] == [6, 6, 6]


def test_reinit_that_keeps_statistics_is_batch_norm_going_on_by_hand(problem):
    """In the dense and all later cycles: weights and biases drawn anew, the statistics of the very network before."""
    made = problem("small-cnn", restart=Reinit(keep_statistics=True))[0]
    made = replace(made, recipe=replace(made.recipe, augment=Augment(crop=1, flip=True)))
    states, kept, mask = chain(made, 3), {}, None
    for cycle, state in enumerate(states[:-1]):
        with seeded(0, Purpose.INITIALIZATION, cycle):
            model = made.build()
        for module, prefix in ((model[i], f"{i}.") for i in (1, 4, 7)):  # the batch norms
            for part in STATISTICS if kept else ():
                getattr(module, part).copy_(kept[prefix + part])
        mask = mask or Mask.dense(made.pruning.prunable(model))
        assert state.mask is None or state.mask.digest() == mask.digest()
        final = train(model, made.data(0), made.recipe, 0.1, mask, seed=0, cycle=cycle).final
        kept = {f"{i}.{part}": final[f"{i}.{part}"] for i in (1, 4, 7) for part in STATISTICS}
        assert same(states[cycle + 1].weights, kept)
        assert kept["1.num_batches_tracked"] == 6 * (cycle + 1)
        mask = mask.prune({n: final[n].abs() for n in mask.layers}, 0.2, "global")
    assert states[-1].mask.digest() == mask.digest()


def test_kept_statistics_are_what_the_next_cycle_starts_from(problem):
    """Read off the network at its first step, before any batch; its parameters are those that are drawn anyway."""
    made, built = problem("small-cnn", restart=Reinit(keep_statistics=True))
    states = chain(made, 2)
    fresh = replace(made, restart=Reinit())
    for cycle in (1, 2):
        seen = []
        network = replace(made, build=lambda seen=seen: watched(made.build(), seen))
        run_cycle(network, 0, cycle, 0.1, states[cycle])
        assert same(seen[0], states[cycle].weights)
        drawn = stopped(fresh, built, cycle, State(states[cycle].mask))
        assert same(stopped(made, built, cycle, states[cycle]), drawn)


def watched(model, seen):
    """The network, which notes its statistics before it meets a batch."""

    def note(module, _):
        seen.append({name: buffer.clone() for name, buffer in module.named_buffers()})

    model.register_forward_pre_hook(note)
    return model


def test_kept_statistics_are_part_of_the_state_s_digest(problem):
    """Two chains of the same masks, whose statistics differ, start different cells."""
    kept, fresh = (chain(problem("small-cnn", restart=Reinit(keep))[0], 1)[1] for keep in (True, False))
    assert kept.mask.digest() == fresh.mask.digest() and fresh.weights is None
    assert kept.digest() != fresh.digest()
    for name, tensor in kept.weights.items():
        assert State(kept.mask, kept.weights | {name: tensor + 1}).digest() != kept.digest()


def test_only_statistics_are_kept_and_by_default_none(problem):
    assert Reinit() == Reinit(keep_statistics=False)
    carried = chain(problem("small-cnn", restart=Reinit(keep_statistics=True))[0], 1)[1].weights
    assert list(carried) == [f"{i}.{part}" for i in (1, 4, 7) for part in STATISTICS]
    assert chain(problem("small-cnn", restart=Reinit())[0], 1)[1].weights is None


def test_a_network_without_statistics_carries_none(problem):
    states = [chain(problem("mlp", restart=Reinit(keep))[0], 2) for keep in (True, False)]
    assert [state.digest() for state in states[0]] == [state.digest() for state in states[1]]
    assert states[0][2].weights is None


@pytest.mark.parametrize("restart", [Reinit(keep_statistics=True), Keep()], ids=str)
@pytest.mark.parametrize("wrong", ["unknown", "missing", "shape"])
def test_a_state_of_another_network_is_refused(problem, restart, wrong):
    made = problem("small-cnn", restart=restart)[0]
    state = chain(made, 1)[1]
    weights = dict(state.weights)
    taken = weights.pop("4.running_mean")
    weights |= {"unknown": {"4.running_mean": taken, "9.running_mean": taken}, "missing": {}}.get(
        wrong, {"4.running_mean": taken[:-1]}
    )
    with pytest.raises(RuntimeError, match=r"9\.running_mean|4\.running_mean"):
        run_cycle(made, 0, 1, 0.1, State(state.mask, weights))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("to", ["0it", "0ep"])
def test_rewind_to_0_starts_every_cycle_from_the_first_weights(problem, name, to):
    made, built = problem(name, restart=Rewind(Duration(to)))
    states = chain(made, 2)
    first = stopped(made, built, 0, State())
    for cycle in (1, 2):
        assert same(stopped(made, built, cycle, states[cycle]), masked(first, states[cycle].mask))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("to", "step"), [("1it", 1), ("4it", 4), ("1ep", 3), ("2ep", 6)])
def test_rewind_to_a_step_starts_every_later_cycle_from_the_dense_network_there(problem, name, to, step):
    made, built = problem(name, restart=Rewind(to))
    states = chain(made, 3)
    there = stopped(made, built, 0, State(), step)
    for cycle in (1, 2, 3):
        assert all(torch.equal(states[cycle].weights[n], weight) for n, weight in there.items())
        assert same(stopped(made, built, cycle, states[cycle]), masked(there, states[cycle].mask))


def test_rewind_carries_batch_norm_s_statistics_of_that_step(problem):
    """A training of one epoch ends with the same state as two have after the first, to the bit."""
    made, built = problem("small-cnn", restart=Rewind("1ep"))
    carried = chain(made, 2)[2].weights
    run_cycle(replace(made, recipe=replace(made.recipe, epochs=1)), 0, 0, 0.1, State())
    assert same(carried, dict(built[-1].state_dict()))


@pytest.mark.parametrize("name", MODELS)
def test_keep_goes_on_from_the_final_weights(problem, name):
    made, built = problem(name, restart=Keep())
    state = State()
    for cycle in range(3):
        state = run_cycle(made, 0, cycle, 0.1, state).leaves
        final = {n: weight.clone() for n, weight in built[-1].state_dict().items()}
        assert same(state.weights, final)
        expected = masked({n: final[n] for n, _ in built[-1].named_parameters()}, state.mask)
        assert same(stopped(made, built, cycle + 1, state), expected)


@pytest.mark.parametrize("to", ["7it", "3ep"])
def test_nothing_is_rewound_to_beyond_the_training(problem, to):
    with pytest.raises(ValueError, match=r"^remember_at must .* 6, .*got "):
        run_cycle(problem(restart=Rewind(to))[0], 0, 0, 0.1, State())


@pytest.mark.parametrize(
    ("restart", "cycle", "draws", "remembers"),
    [
        (Reinit(), 0, 0, None),
        (Reinit(), 3, 3, None),
        (Reinit(keep_statistics=True), 3, 3, None),
        (Rewind(), 0, 0, None),
        (Rewind(), 3, 0, None),
        (Rewind("20it"), 0, 0, 20),
        (Rewind("2ep"), 0, 0, 14),
        (Rewind("2ep"), 1, 0, None),
        (Keep(), 0, 0, None),
        (Keep(), 3, 0, None),
    ],
    ids=str,
)
def test_what_is_drawn_and_remembered(restart, cycle, draws, remembers):
    assert restart.initialization_cycle(cycle) == draws
    assert restart.remember_at(cycle, steps_per_epoch=7) == remembers


@pytest.mark.parametrize("to", [0, 2, "2", "-1ep", None])
def test_rewind_needs_a_duration(to):
    with pytest.raises(ValueError, match="its unit"):
        Rewind(to)


def test_rewind_needs_a_place_that_no_cycle_s_length_moves():
    with pytest.raises(ValueError, match=r"^to must .*epochs.*10%"):
        Rewind("10%")


def test_every_restart_is_tested_here():
    assert set(RESTARTS.values()) == {Reinit, Rewind, Keep}
