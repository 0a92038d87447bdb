"""MNIST-1D: its generator's law, that the seed of the package gives the package's samples, and its cache."""

import numpy as np
import pytest
import torch

from silo.data import mnist1d_generator as generator
from silo.data.mnist1d import mnist1d
from silo.data.mnist1d_templates import TEMPLATES


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "silo-oracle"


def test_the_templates_are_ten_digits_that_begin_and_end_at_zero():
    assert np.shape(TEMPLATES) == (10, 12) and {row[0] for row in TEMPLATES} == {row[-1] for row in TEMPLATES} == {5}
    assert [round(sum(row), 2) for row in TEMPLATES] == [76.5, 53.2, 60.0, 70.0, 51.6, 56.5, 43.5, 66.8, 50.0, 54.0]
    templates = generator.templates()
    assert np.allclose(templates.std(1), 1 / 6) and (templates[:, [0, -1]] == 0).all()


def test_seed_42_gives_the_samples_of_the_package():
    """The package's make_dataset, version 0.0.2.post1 with its defaults: some of what it returned."""
    signals, digits = generator.draw(5000, 42)
    standardized = (signals.astype(np.float64) - signals.mean(dtype=np.float64)) / signals.std(dtype=np.float64)
    first = [-0.33200567, -0.47191037, -0.77869708, -1.00974083, -0.88235257]
    last = [0.65987565, 0.87773435, 1.19315184]
    assert np.allclose(standardized[0, :5], first, rtol=0, atol=1e-6)
    assert np.allclose(standardized[-1, -3:], last, rtol=0, atol=1e-6)
    assert digits[:10].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1] and digits[-5:].tolist() == [2, 5, 9, 6, 4]


def test_equal_seeds_draw_equally_whatever_the_chunks(monkeypatch):
    signals, digits = generator.draw(500, 7)
    assert signals.dtype == np.float32 and digits.dtype == np.int64 and np.isfinite(signals).all()
    monkeypatch.setattr(generator, "CHUNK", 64)
    again = generator.draw(500, 7)
    assert (again[0] == signals).all() and (again[1] == digits).all()
    assert (generator.draw(500, 8)[0] != signals).any()


@pytest.mark.parametrize("count", [10, 1009])
def test_digits_are_balanced_and_shuffled(count):
    _, digits = generator.draw(count, 0)
    counts = np.bincount(digits, minlength=10)
    assert counts.sum() == count and counts.max() - counts.min() <= 1 and (np.diff(counts) <= 0).all()
    assert (np.diff(digits) < 0).any()


def test_the_noise_has_the_deviation_that_is_said():
    """Smooth noise of 0.25 sd, filtered: its deviation is that times the weights' norm; and no filter but scipy's."""
    noise = np.random.default_rng(0).normal(size=(20, 72))
    smooth = generator._smooth(noise)
    gaussian_filter1d = pytest.importorskip("scipy.ndimage").gaussian_filter1d
    assert np.abs(smooth - gaussian_filter1d(noise, 2, axis=1)).max() < 1e-14
    signals, _ = generator.draw(2000, 3)
    assert 0.14 < signals.std() < 0.17 and abs(signals.mean()) < 0.02 and np.abs(signals).max() < 2


def test_resampling_is_numpys():
    values = np.random.default_rng(0).normal(size=(3, 72))
    old, new = np.linspace(0, 1, 72), np.linspace(0, 1, 40)
    expected = [np.interp(new, old, row) for row in values]
    assert np.allclose(generator._resampled(values), expected, rtol=0, atol=1e-15)


def test_the_test_set_hangs_on_its_own_seed_alone():
    few, many = mnist1d(train=100, test=50), mnist1d(train=300, test=50, seed=5)
    assert torch.equal(few.test.values, many.test.values) and torch.equal(few.test.labels, many.test.labels)
    assert few.test.values.shape == (50, 1, 40) and len(many.train) == 300 and (few.channels, few.size) == (1, (40,))
    assert few.digest() != many.digest() and few.digest() == mnist1d(train=100, test=50).digest()
    assert not torch.equal(mnist1d(train=100, test=50, test_seed=44).test.values, few.test.values)
    rows = torch.cat([mnist1d(train=300, test=300).pooled.values.flatten(1)])
    assert len(rows.unique(dim=0)) == 600  # nothing that trains is tested on


def test_what_is_cached_is_read_and_what_is_damaged_is_made_again(cache, monkeypatch):
    data = mnist1d(train=30, test=20)
    files = sorted(cache.iterdir())
    assert len(files) == 4
    monkeypatch.setattr("silo.data.mnist1d.draw", None)  # nothing may be drawn
    assert mnist1d(train=30, test=20).digest() == data.digest()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    for file in files:
        content = bytearray(file.read_bytes())
        content[-8] ^= 1
        file.write_bytes(content)
    assert mnist1d(train=30, test=20).digest() == data.digest()


@pytest.mark.parametrize(
    ("options", "value"),
    [({"train": 9}, "9"), ({"test": 10**6 + 1}, "1000001"), ({"seed": -1}, "-1"), ({"test_seed": 2**32}, "4294967296")],
)
def test_what_it_refuses_it_says_in_one_line(options, value):
    with pytest.raises(ValueError, match=rf"\A{next(iter(options))} must .*, got {value}\Z"):
        mnist1d(**options)
    with pytest.raises(ValueError, match=r"\Atest_seed must .*, got 42\Z"):
        mnist1d(test_seed=42)
