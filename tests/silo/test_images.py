"""The digits, and what a Dataset tells of itself."""

import pytest
import torch
from sklearn.datasets import load_digits

from silo.data import FACTS, SOURCES
from silo.data.images import Dataset, Images


def images(n, value=0):
    return Images(torch.full((n, 1, 2, 2), value, dtype=torch.uint8), torch.arange(n) % 3)


def test_digits_are_the_source_s_own(digits_data):
    bunch = load_digits()
    pixels, labels = digits_data.train.pixels, digits_data.train.labels
    assert (pixels.shape, pixels.dtype, labels.dtype) == ((1797, 1, 8, 8), torch.uint8, torch.int64)
    assert (pixels[:, 0].numpy() == bunch.images).all() and (labels.numpy() == bunch.target).all()
    assert int(pixels.max()) == 16
    assert digits_data.test is None and digits_data.classes == tuple("0123456789")


def test_every_source_of_fixed_size_is_known_without_loading_it(digits_data):
    assert set(FACTS) == set(SOURCES) - {"folder", "mnist1d"}
    facts = FACTS["digits"]
    assert (facts.train, facts.test) == (len(digits_data.train), None)
    assert facts.classes == len(digits_data.classes)
    assert (facts.channels, facts.size) == (digits_data.channels, digits_data.size)


def test_chance_is_the_most_frequent_class(digits_data):
    assert digits_data.chance == pytest.approx(100 * 183 / 1797)  # 183 threes


def test_pooled_is_train_then_test(digits_data):
    both = Dataset(images(4, 1), images(3, 2), tuple("abc")).pooled
    assert both.pixels[:, 0, 0, 0].tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert both.labels.tolist() == [0, 1, 2, 0, 0, 1, 2]
    assert digits_data.pooled is digits_data.train


def changed(dataset, part, name, index):
    parts = {"train": dataset.train, "test": dataset.test}
    tensors = {"pixels": parts[part].pixels.clone(), "labels": parts[part].labels.clone()}
    tensors[name].view(-1)[index] += 1
    return Dataset(**(parts | {part: Images(**tensors)}), classes=dataset.classes)


def test_the_digest_tells_every_difference():
    data = Dataset(images(4), images(3), tuple("abc"))
    others = [
        changed(data, "train", "pixels", -1),
        changed(data, "test", "pixels", 0),
        changed(data, "train", "labels", 0),
        changed(data, "test", "labels", -1),
        Dataset(data.train, data.test, tuple("abd")),
        Dataset(data.train, None, tuple("abc")),
        Dataset(data.pooled, None, tuple("abc")),
        Dataset(data.test, data.train, tuple("abc")),
    ]
    assert len({d.digest() for d in [data, *others]}) == len(others) + 1


def test_the_digest_knows_nothing_of_memory():
    data = Dataset(images(4), images(3), tuple("abc"))
    strided = data.train.pixels.repeat_interleave(2, 3)[..., ::2]
    assert Dataset(Images(strided, data.train.labels), images(3), tuple("abc")).digest() == data.digest()


def test_the_digits_digest_is_pinned(digits_data):
    """Recorded cells name their data by it."""
    assert digits_data.digest() == SOURCES["digits"]().digest() == "bf48c7745b0f08c5a65f"
