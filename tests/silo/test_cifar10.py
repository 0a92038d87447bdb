"""CIFAR-10 as torchvision reads it, from small files of the same format."""

import hashlib
import pickle

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from silo.data.cifar10 import cifar10
from silo.data.error import DataError

NAMES = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def dump(file, content):
    file.write_bytes(pickle.dumps(content, protocol=2))
    return hashlib.md5(file.read_bytes()).hexdigest()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Five training batches and a test batch of three images each, and what they hold."""
    random = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    lists, pixels, labels = [], [], []
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        pixels.append(random.integers(0, 256, (3, 3 * 32 * 32), dtype=np.uint8))
        labels.append(random.integers(0, 10, 3).tolist())
        lists.append([name, dump(folder / name, {"data": pixels[-1], "labels": labels[-1]})])
    digest = dump(folder / "batches.meta", {"label_names": NAMES})
    monkeypatch.setattr(CIFAR10, "train_list", lists[:5])
    monkeypatch.setattr(CIFAR10, "test_list", lists[5:])
    monkeypatch.setattr(CIFAR10, "meta", {"filename": "batches.meta", "key": "label_names", "md5": digest})
    # nothing is ever fetched from the net here
    monkeypatch.setattr(CIFAR10, "url", (tmp_path / "nowhere.tar.gz").as_uri())
    return tmp_path, np.concatenate(pixels).reshape(-1, 3, 32, 32), np.concatenate(labels)


@pytest.mark.parametrize("download", [True, False])  # files that are there are not downloaded again
def test_images_labels_and_names(small, download):
    path, pixels, labels = small
    data = cifar10(str(path), download=download)
    assert (data.train.pixels.numpy() == pixels[:15]).all() and (data.test.pixels.numpy() == pixels[15:]).all()
    assert data.pooled.labels.tolist() == labels.tolist()
    assert data.train.pixels.is_contiguous() and data.classes == tuple(NAMES)


@pytest.mark.parametrize("download", [True, False])
def test_missing_files(small, download):
    missing = small[0] / "elsewhere"
    with pytest.raises(DataError, match=r"no CIFAR-10 there") as caught:
        cifar10(str(missing), download=download)
    assert str(missing) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_damaged_files(small, name):
    with (small[0] / "cifar-10-batches-py" / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match="no CIFAR-10 there"):
        cifar10(str(small[0]), download=False)
