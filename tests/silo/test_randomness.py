"""Random numbers come from (seed, purpose, cycle, epoch) and from nothing else."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from silo.randomness import derive, generator, seeded


@pytest.mark.parametrize(
    ("what", "expected"),
    [((0, "split"), 9174996317160031343), ((1, "order", 24, 159), 688132346014504595)],
)
def test_seeds_are_pinned_as_every_recorded_number_hangs_on_them(what, expected):
    assert derive(*what) == expected


@given(st.integers(-(2**70), 2**70), st.text(), st.integers(0, 100), st.integers(0, 1000))
def test_a_seed_that_torch_takes(seed, purpose, cycle, epoch):
    assert 0 <= derive(seed, purpose, cycle, epoch) < 2**63


def test_no_two_purposes_cycles_epochs_or_seeds_share_a_stream():
    purposes = ("split", "initialization", "order", "augmentation", "dropout", "criterion")
    seeds = [derive(*what) for what in itertools.product(range(12), purposes, range(12), range(12))]
    assert len(set(seeds)) == len(seeds)


def test_a_generator_knows_nothing_of_what_ran_before():
    first = torch.rand(5, generator=generator(0, "order", 1, 2))
    torch.manual_seed(99)
    assert torch.equal(first, torch.rand(5, generator=generator(0, "order", 1, 2)))
    assert not torch.equal(first, torch.rand(5, generator=generator(0, "order", 2, 1)))


def test_seeded_gives_the_callers_state_back_even_after_an_error():
    torch.manual_seed(5)
    expected = torch.rand(6)
    torch.manual_seed(5)
    begun = torch.rand(2)
    with seeded(0, "initialization"):
        inside = torch.rand(3)
    with pytest.raises(KeyError), seeded(0, "initialization"):
        raise KeyError
    assert torch.equal(torch.cat([begun, torch.rand(4)]), expected)
    with seeded(0, "initialization"):
        assert torch.equal(torch.rand(3), inside)
