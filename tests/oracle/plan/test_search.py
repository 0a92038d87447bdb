"""The searches, as pure functions: what they find of curves that are known, at which cost, and what they say of the rest."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.experiment.search import Search, SearchKind
from oracle.plan.search import SEARCHES
from oracle.plan.search.skipped import skipped
from oracle.plan.search.task import SearchState, Task, Trial
from oracle.stats.interval import find_interval
from oracle.stats.paired import paired_means, residuals_of, table_of

GRID = tuple(round(0.01 * 2**i, 4) for i in range(12))
SEEDS = (7, 3, 11, 5)
TASK = Task(GRID, SEEDS, 1.0, 0.13, (), Search(kind="adaptive").budget(len(GRID), len(SEEDS)))


def searched(name, task, curve):
    """All that a search asks for, in batches, of accuracies that a function of (max_lr, seed) gives."""
    found = {Trial(task.silo, seed): curve(task.silo, seed) for seed in task.seeds}
    batches = []
    while batch := SEARCHES[name](task, found):
        assert len(set(batch)) == len(batch) and not set(batch) & set(found), "asked for twice"
        assert {trial.max_lr for trial in batch} <= set(task.grid) and {t.seed for t in batch} <= set(task.seeds)
        batches.append(batch)
        found |= {trial: curve(*trial) for trial in batch}
    return found, batches


def hill(peak, width, seed_spread=2.0):
    """A smooth hill over log max_lr, 1 point below its top at a distance of so many doublings; seeds add to all values."""
    return lambda value, seed: 90 - (math.log2(value / peak) / width) ** 2 + seed_spread * math.sin(seed)


def true_interval(task, curve):
    means = [sum(curve(v, s) for s in task.seeds) / len(task.seeds) for v in task.grid]
    return find_interval(task.grid, means, task.tolerance)


# -- accuracies in different seeds


def residuals(accuracies):
    return residuals_of(table_of(accuracies)[1])


def test_where_all_is_tried_these_are_the_plain_means():
    found = {(0.1, 0): 90.0, (0.1, 1): 91.0, (0.2, 0): 80.0, (0.2, 1): 85.0, (0.4, 0): None, (0.4, 1): 70.0}
    assert paired_means(found) == {0.1: 90.5, 0.2: 82.5, 0.4: None}
    assert paired_means({}) == {}
    assert paired_means({(0.1, 0): None}) == {0.1: None}


@given(st.data())
def test_what_a_seed_adds_to_every_value_drops_out(data):
    """Any table that hangs together by its first seed, without noise, gives the means of the full table."""
    values = data.draw(st.lists(st.floats(0.01, 1), min_size=1, max_size=6, unique=True))
    seeds = range(data.draw(st.integers(1, 5)))
    numbers = st.floats(-5, 5)
    of_value, of_seed = ({key: data.draw(numbers) for key in keys} for keys in (values, seeds))
    full = {(v, s): 80 + of_value[v] + of_seed[s] for v in values for s in seeds}
    kept = {cell: a for cell, a in full.items() if cell[1] == 0 or cell[0] == values[0] or data.draw(st.booleans())}
    expected = paired_means(full)
    assert paired_means(kept) == {value: pytest.approx(mean, abs=1e-8) for value, mean in expected.items()}
    assert residuals(kept) == (pytest.approx(0, abs=1e-12), len(kept) - len(values) - len(seeds) + 1)


def test_the_noise_is_what_neither_value_nor_seed_explains():
    # residuals of +1 and -1 in a table of 2 by 2, which has one degree of df
    assert residuals({(0.1, 0): 91.0, (0.1, 1): 80.0, (0.2, 0): 81.0, (0.2, 1): 74.0}) == (
        pytest.approx(4.0),
        1,
    )
    assert residuals({(0.1, 0): 91.0, (0.1, 1): 80.0}) == (pytest.approx(0), 0)  # one value, no df
    assert residuals({(0.1, 0): 91.0, (0.2, 1): 80.0}) == (pytest.approx(0), 0)  # nothing that they share
    assert residuals({(0.1, 0): None}) == residuals({}) == (0.0, 0)


# -- adaptive


@settings(deadline=None, max_examples=60)
@given(st.floats(0.01, 20.48), st.floats(0.6, 4), st.booleans())
def test_without_noise_the_adaptive_oracle_finds_the_interval(peak, width, known):
    curve = hill(peak, width)
    expected = true_interval(TASK, curve)
    first = (expected.best, expected.low, expected.high) if known else ()
    found, _ = searched("adaptive", replace(TASK, first=first), curve)
    interval = SearchState.of(TASK, found).interval
    assert (interval.low, interval.high) == (expected.low, expected.high)
    assert interval.accuracy >= expected.accuracy - TASK.tolerance
    assert (interval.edge_low, interval.edge_high) == (expected.edge_low, expected.edge_high)


@given(st.floats(0.01, 20.48), st.floats(0.3, 6), st.integers(0, 2**32), st.floats(0, 3), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_it_keeps_to_its_budget_whatever_it_finds(peak, width, salt, noise, budget):
    def curve(value, seed):
        chance = hash((salt, value, seed)) % 1000 / 1000
        return None if chance < 0.1 else hill(peak, width)(value, seed) + noise * chance

    task = replace(TASK, budget=budget)
    found, batches = searched("adaptive", task, curve)
    requested = sum(map(len, batches))
    assert requested == task.trained(found) <= budget
    assert all(len(batch) <= math.ceil(budget / 5) for batch in batches)
    assert searched("adaptive", task, curve)[1] == batches


def test_it_begins_at_silo_and_at_the_last_cycle_s_ends():
    first = (0.08, 0.04, 0.32, 0.02, 0.64)
    batch = SEARCHES["adaptive"](
        replace(TASK, first=first, budget=30), {Trial(0.13, seed): 90.0 + seed for seed in SEEDS}
    )
    assert batch == tuple(Trial(value, 7) for value in (0.16, *first))


def test_without_a_last_cycle_it_begins_over_the_whole_grid():
    batch = SEARCHES["adaptive"](replace(TASK, budget=30), {Trial(0.13, seed): 90.0 for seed in SEEDS})
    assert [trial.max_lr for trial in batch] == [0.16, GRID[0], GRID[3], GRID[6], GRID[8], GRID[11]]


def test_where_all_that_it_began_with_diverged_it_tries_the_rest():
    found, _ = searched("adaptive", TASK, lambda value, seed: 90.0 if value < 0.04 and value != GRID[0] else None)
    assert SearchState.of(TASK, found).interval.best == 0.02
    nothing, _ = searched("adaptive", TASK, lambda value, seed: None)
    assert SearchState.of(TASK, nothing).interval is None
    assert {why for *_, why in skipped(SearchKind.ADAPTIVE, TASK, nothing)} <= {
        "it diverged or failed",
        "every value that was tried diverged or failed",
    }


@pytest.mark.parametrize(
    ("given", "values", "seeds", "budget"),
    [
        ("adaptive", 12, 4, 13),  # a third of 52, less SILO's 4
        ("adaptive", 8, 3, 6),  # a third of 27 is 9
        ({"kind": "adaptive", "share": 0.5}, 12, 4, 22),
        ({"kind": "adaptive", "share": 0.01}, 12, 4, 1),
        ("racing", 12, 4, 48),
        ("exhaustive", 12, 4, 48),
    ],
)
def test_the_budget_of_a_cycle(given, values, seeds, budget):
    assert Search.model_validate(given).budget(values, seeds) == budget


# -- racing


def test_without_noise_a_race_ends_after_two_seeds_but_for_the_best():
    curve = hill(0.16, 2.2)
    found, batches = searched("racing", TASK, curve)
    assert set(batches[0]) == {Trial(value, seed) for value in GRID for seed in SEEDS[:2]}
    assert batches[1:] == [(Trial(0.16, 11),), (Trial(0.16, 5),)]
    interval, expected = SearchState.of(TASK, found).interval, true_interval(TASK, curve)
    assert (interval.low, interval.high, interval.best) == (expected.low, expected.high, expected.best)


def test_who_is_in_play_is_tried_on_and_who_is_clear_is_not():
    """0.08 and 0.32 lie right at the tolerance; the noise is 0.1 points."""

    def curve(value, seed):
        wiggle = 0.1 * (-1) ** (GRID.index(value) + SEEDS.index(seed)) if value in GRID else 0
        return hill(0.16, 1.0)(value, seed) + wiggle

    found, batches = searched("racing", TASK, curve)
    assert {trial.max_lr for batch in batches[1:] for trial in batch} == {0.08, 0.16, 0.32}
    assert all(trial in found for value in (0.08, 0.16, 0.32) for seed in SEEDS for trial in [Trial(value, seed)])
    reported = {value: (seeds, why) for value, seeds, why in skipped(SearchKind.RACING, TASK, found)}
    assert set(reported) == set(GRID) - {0.08, 0.16, 0.32}
    seeds, why = reported[0.01]
    assert seeds == (11, 5) and why.startswith("outside by more than a standard error (")


# -- what was skipped


@given(st.floats(0.01, 20.48), st.floats(0.3, 6), st.sampled_from(["adaptive", "racing"]))
@settings(deadline=None, max_examples=40)
def test_what_is_neither_tried_nor_told_does_not_exist(peak, width, name):
    found, _ = searched(name, TASK, hill(peak, width))
    reported = {Trial(value, seed) for value, seeds, why in skipped(name, TASK, found) for seed in seeds if why}
    requested = {trial for trial in found if trial.max_lr in GRID}
    assert reported | requested == {Trial(value, seed) for value in GRID for seed in SEEDS} and not reported & requested


def test_why_a_value_was_not_tried():
    found, _ = searched("adaptive", TASK, hill(0.16, 1.2))
    reported = {value: why for value, _, why in skipped(SearchKind.ADAPTIVE, TASK, found)}
    assert reported[20.48 if 20.48 in reported else 10.24].startswith(("beyond 0.64, which is outside", "outside ("))
