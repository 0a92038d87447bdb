"""Random numbers come from (seed, purpose, cycle, epoch) and from nothing else."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from silo.randomness import Purpose, derive, generator, seeded

PINNED = [
    ((0, Purpose.SPLIT), 9174996317160031343),
    ((2, Purpose.LIMIT_TRAIN, 3, 4), 6412141994882808833),
    ((2, Purpose.LIMIT_TEST, 3, 4), 1204757971143770109),
    ((2, Purpose.INITIALIZATION, 3, 4), 2748210061060384064),
    ((1, Purpose.ORDER, 24, 159), 688132346014504595),
    ((2, Purpose.AUGMENTATION, 3, 4), 3962997287418258273),
    ((2, Purpose.AUGMENTED_VALIDATION, 3, 4), 3492984572532797648),
    ((2, Purpose.AUGMENTED_TEST, 3, 4), 1237106378477097770),
    ((2, Purpose.DROPOUT, 3, 4), 4153249932367158682),
    ((2, Purpose.CRITERION, 3, 4), 7246753315875633413),
    ((2, Purpose.TRIAL, 3, 4), 2165747790424134271),
    ((2, Purpose.CALIBRATION, 3, 4), 4557516561719565966),
]


@pytest.mark.parametrize(("what", "expected"), PINNED)
def test_seeds_are_pinned_as_every_recorded_number_hangs_on_them(what, expected):
    assert derive(*what) == expected


def test_every_purpose_is_pinned():
    assert [purpose for (_, purpose, *_), _ in PINNED] == [*Purpose]


@given(st.integers(-(2**70), 2**70), st.sampled_from(Purpose), st.integers(0, 100), st.integers(0, 1000))
def test_a_seed_that_torch_takes(seed, purpose, cycle, epoch):
    assert 0 <= derive(seed, purpose, cycle, epoch) < 2**63


def test_no_two_purposes_cycles_epochs_or_seeds_share_a_stream():
    seeds = [derive(*what) for what in itertools.product(range(12), Purpose, range(12), range(12))]
    assert len(set(seeds)) == len(seeds)


def test_a_generator_knows_nothing_of_what_ran_before():
    first = torch.rand(5, generator=generator(0, Purpose.ORDER, 1, 2))
    torch.manual_seed(99)
    assert torch.equal(first, torch.rand(5, generator=generator(0, Purpose.ORDER, 1, 2)))
    assert not torch.equal(first, torch.rand(5, generator=generator(0, Purpose.ORDER, 2, 1)))


def test_seeded_gives_the_callers_state_back_even_after_an_error():
    torch.manual_seed(5)
    expected = torch.rand(6)
    torch.manual_seed(5)
    begun = torch.rand(2)
    with seeded(0, Purpose.INITIALIZATION):
        inside = torch.rand(3)
    with pytest.raises(KeyError), seeded(0, Purpose.INITIALIZATION):
        raise KeyError
    assert torch.equal(torch.cat([begun, torch.rand(4)]), expected)
    with seeded(0, Purpose.INITIALIZATION):
        assert torch.equal(torch.rand(3), inside)
