"""Which images train, choose and test: sizes, disjoint parts, seeds, and the constants to normalize by."""

import math
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from silo.data.error import DataError
from silo.data.images import Dataset, Images
from silo.data.normalize import Normalize
from silo.data.split import Carve, Draw, Pooled, limited, split


def numbered(n, start=0):
    """Images of one pixel, each with its own label, so that it can be followed."""
    return Images(torch.zeros(n, 1, 1, 1, dtype=torch.uint8), torch.arange(start, start + n))


def dataset(train, test=None):
    return Dataset(numbered(train), None if test is None else numbered(test, train), ())


def numbers(parts):
    return [part.labels.tolist() for part in parts]


def test_the_released_split_of_cifar10():
    """80/20, then 75/25 of the rest, of all 60,000."""
    parts = numbers(Pooled().parts(dataset(50_000, 10_000), seed=0))
    assert [len(part) for part in parts] == [36_000, 12_000, 12_000]
    assert sorted(chain(*parts)) == list(range(60_000))
    for part in parts:  # at random from both pools: a sixth of each part, give or take five standard deviations
        assert sum(number >= 50_000 for number in part) == pytest.approx(len(part) / 6, abs=205)


@given(st.integers(5, 300), st.integers(0, 5), st.sampled_from([0.1, 0.2, 1 / 3]), st.sampled_from([0.1, 0.25, 0.5]))
def test_pooled_parts_are_disjoint_and_cover(n, seed, validation, test):
    parts = numbers(Pooled(validation, test).parts(dataset(n), seed))
    assert sorted(chain(*parts)) == list(range(n))
    assert (len(parts[1]), len(parts[2])) == (round(validation * n), round(test * n))


@given(st.integers(5, 300), st.integers(1, 50), st.integers(0, 5))
def test_carve_keeps_the_test_set_apart(train, test, seed):
    parts = numbers(Carve(0.2).parts(dataset(train, test), seed))
    assert parts[2] == list(range(train, train + test))
    assert sorted(parts[0] + parts[1]) == list(range(train))
    assert len(parts[1]) == round(0.2 * train)


@given(st.integers(5, 300), st.integers(1, 50), st.integers(0, 5), st.data())
def test_draw_takes_so_many_of_the_pool(pool, test, seed, data):
    train = data.draw(st.integers(1, pool - 1))
    validation = data.draw(st.integers(1, pool - train))
    parts = numbers(Draw(train, validation).parts(dataset(pool, test), seed))
    assert parts[2] == list(range(pool, pool + test))
    assert (len(parts[0]), len(parts[1])) == (train, validation)
    assert len(set(parts[0] + parts[1])) == train + validation and set(parts[0] + parts[1]) <= set(range(pool))


def test_a_pool_that_is_too_small_to_draw_from():
    message = r"^split\.train and split\.validation must be at most 10 images together, got 8 and 3$"
    with pytest.raises(DataError, match=message):
        Draw(8, 3).parts(dataset(10, 2), 0)
    with pytest.raises(DataError, match=r"^split\.kind must .*, got draw$"):
        Draw(8, 1).parts(dataset(10), 0)


@pytest.mark.parametrize(("train", "validation", "name"), [(0, 1, "train"), (1, 0, "validation"), (-1, 1, "train")])
def test_bad_counts_to_draw(train, validation, name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1 image, got"):
        Draw(train, validation)


@pytest.mark.parametrize("rule", [Pooled(), Carve(), Draw(60, 20)], ids=["pooled", "carve", "draw"])
def test_the_seed_alone_decides(rule):
    data = dataset(100, 20)
    first = numbers(rule.parts(data, 0))
    torch.manual_seed(9)
    assert numbers(rule.parts(data, 0)) == first
    others = [sorted(numbers(rule.parts(data, seed))[1]) for seed in range(1, 6)]
    assert sorted(first[1]) not in others and len({tuple(other) for other in others}) == 5


def test_pixels_go_with_their_labels(digits_data, digits_split):
    rows = {
        (tuple(p.flatten().tolist()), int(label)) for p, label in zip(*vars(digits_data.train).values(), strict=True)
    }
    for part in (digits_split.train, digits_split.validation, digits_split.test):
        assert {
            (tuple(p.flatten().tolist()), int(label)) for p, label in zip(*vars(part).values(), strict=True)
        } <= rows


@pytest.mark.parametrize(
    "shares", [(0, 0.2), (0.2, 0), (0.5, 0.5), (0.9, 0.2), (-0.1, 0.2), (math.nan, 0.2), (0.2, math.nan)]
)
def test_bad_shares(shares):
    with pytest.raises(ValueError, match=r"^validation and test must .*, got "):
        Pooled(*shares)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.2, math.nan])
def test_bad_share_to_carve(share):
    with pytest.raises(ValueError, match="validation"):
        Carve(share)


def test_carve_needs_an_official_test_set():
    with pytest.raises(DataError, match=r"^split\.kind must .*, got carve$"):
        Carve().parts(dataset(10), 0)


@pytest.mark.parametrize(
    ("data", "rule", "part"),
    [
        (dataset(2), Pooled(0.2, 0.4), "validation"),
        (dataset(2), Pooled(0.4, 0.2), "test"),
        (dataset(2), Pooled(0.45, 0.45), "training"),
        (dataset(3, 1), Carve(0.1), "validation"),
        (dataset(3, 1), Carve(0.9), "training"),
        (dataset(3, 0), Carve(0.5), "test"),
    ],
)
def test_no_part_may_be_empty(data, rule, part):
    with pytest.raises(DataError, match=f"^split must .*, got no {part} images of "):
        split(data, rule, Normalize(), 0)


def coloured(n=40, channels=3):
    random = np.random.default_rng(0)
    # each channel has a scale of its own, so that channels can't be mixed up
    pixels = np.stack([random.integers(0, 256 // (c + 1), (n, 5, 5)) for c in range(channels)], 1).astype(np.uint8)
    return Dataset(Images(torch.from_numpy(pixels), torch.arange(n)), None, ())


def test_constants_are_the_training_part_s_alone():
    data = coloured()
    parts = split(data, Pooled(), Normalize(), 0)
    train = parts.train.pixels.numpy().astype(np.float64)
    assert parts.mean.shape == parts.std.shape == (3, 1, 1)
    np.testing.assert_allclose(parts.mean.flatten(), train.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(parts.std.flatten(), train.std((0, 2, 3)), rtol=1e-6)
    everything = data.train.pixels.numpy().astype(np.float64)
    assert abs(parts.mean.flatten().numpy() - everything.mean((0, 2, 3))).min() > 1e-2


def test_constants_of_the_digits(digits_split):
    train = digits_split.train.pixels.numpy().astype(np.float64)
    assert digits_split.mean.item() == pytest.approx(train.mean(), rel=1e-6)
    assert digits_split.std.item() == pytest.approx(train.std(), rel=1e-6)


def test_given_constants_are_shares_of_255():
    released = Normalize((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
    mean, std = released.constants(coloured().train)
    np.testing.assert_allclose(mean.flatten(), [125.307, 122.961, 113.8575], rtol=1e-6)
    np.testing.assert_allclose(std.flatten(), [51.5865, 50.847, 51.255], rtol=1e-6)


def test_a_channel_of_one_colour_can_be_normalized():
    pixels = torch.full((10, 1, 2, 2), 9, dtype=torch.uint8)
    mean, std = Normalize().constants(Images(pixels, torch.zeros(10).long()))
    assert ((pixels - mean) / std).abs().max() == 0


@pytest.mark.parametrize(
    "options",
    [{"mean": (0.5,)}, {"std": (0.5,)}, {"mean": (0.5,), "std": (0.5, 0.5)}]
    + [{"mean": (0.5,), "std": (std,)} for std in (0, -0.1, math.nan)],
)
def test_bad_constants(options):
    with pytest.raises(ValueError, match=r"std .*must .*, got "):
        Normalize(**options)


def test_constants_for_other_channels():
    with pytest.raises(DataError, match=r"^normalize must .* mean and std .*3.*, got 1$"):
        split(coloured(), Pooled(), Normalize((0.5,), (0.5,)), 0)


@pytest.mark.parametrize(
    ("train", "test", "sizes"),
    [(10, 5, (10, 5)), (None, 5, (100, 5)), (10, None, (10, 40)), (None, None, (100, 40)), (100, 999, (100, 40))],
)
def test_limited_sizes(train, test, sizes):
    data = limited(dataset(100, 40), train, test)
    assert (len(data.train), len(data.test)) == sizes
    assert len(set(data.train.labels.tolist())) == sizes[0] and max(data.train.labels) < 100
    assert len(set(data.test.labels.tolist())) == sizes[1] and min(data.test.labels) >= 100


def test_limited_is_one_random_subset_for_all():
    def drawn(test=None):
        return limited(dataset(100, 40), 30, test).train.labels.tolist()

    first = drawn()
    torch.manual_seed(9)
    assert drawn() == drawn(test=3) == first
    assert first != list(range(30)) and sorted(first) != list(range(30))


def test_limited_without_a_test_set():
    assert limited(dataset(100), 10, 10).test is None


@pytest.mark.parametrize("counts", [(-3, None), (None, -3)])
def test_a_negative_limit_is_refused(counts):
    with pytest.raises(ValueError):
        limited(dataset(10, 10), *counts)
