"""CIFAR-10 and CIFAR-100 as torchvision reads them, from small files of the same formats."""

import hashlib
import pickle
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from torchvision import datasets

from silo.data.cifar import cifar10, cifar100
from silo.data.error import DataError

TRAINING_FILES = [f"data_batch_{number}" for number in range(1, 6)]
SOURCES = {  # source, torchvision's reader, folder, training files, test file, file and key of the names, key of the labels
    "CIFAR-10": (
        cifar10,
        "CIFAR10",
        "cifar-10-batches-py",
        TRAINING_FILES,
        "test_batch",
        "batches.meta",
        "label_names",
    ),
    "CIFAR-100": (cifar100, "CIFAR100", "cifar-100-python", ["train"], "test", "meta", "fine_label_names"),
}


def dump(file, content):
    file.write_bytes(pickle.dumps(content, protocol=2))
    return hashlib.md5(file.read_bytes()).hexdigest()


@pytest.fixture(params=SOURCES)
def small(request, tmp_path, monkeypatch):
    """The source, and files of three images each: where they lie, and what they hold."""
    source, reader, folder, training, test, meta, key = SOURCES[request.param]
    reader, classes = getattr(datasets, reader), 10 if source is cifar10 else 100
    random = np.random.default_rng(0)
    (tmp_path / folder).mkdir()
    lists, pixels, labels = [], [], []
    for name in (*training, test):
        pixels.append(random.integers(0, 256, (3, 3 * 32 * 32), dtype=np.uint8))
        labels.append(random.integers(0, classes, 3).tolist())
        content = {"data": pixels[-1], "labels": labels[-1]}
        if source is cifar100:  # coarse labels lie beside the fine ones
            content = {"data": pixels[-1], "fine_labels": labels[-1], "coarse_labels": [0, 1, 2]}
        lists.append([name, dump(tmp_path / folder / name, content)])
    names = {key: [f"class {number}" for number in range(classes)], "coarse_label_names": ["fish"]}
    digest = dump(tmp_path / folder / meta, names)
    monkeypatch.setattr(reader, "train_list", lists[:-1])
    monkeypatch.setattr(reader, "test_list", lists[-1:])
    monkeypatch.setattr(reader, "meta", {"filename": meta, "key": key, "md5": digest})
    # nothing is ever fetched from the net here
    monkeypatch.setattr(reader, "url", (tmp_path / reader.filename).as_uri())
    return source, tmp_path, np.concatenate(pixels).reshape(-1, 3, 32, 32), np.concatenate(labels), names[key]


def holds(data, pixels, labels, names):
    assert (data.train.pixels.numpy() == pixels[:-3]).all() and (data.test.pixels.numpy() == pixels[-3:]).all()
    assert data.pooled.labels.tolist() == labels.tolist()
    assert data.train.pixels.is_contiguous() and data.classes == tuple(names)
    assert (data.channels, data.size) == (3, 32)


@pytest.mark.parametrize("download", [True, False])  # files that are there are not downloaded again
def test_images_labels_and_names(small, download):
    source, path, *expected = small
    holds(source(str(path), download=download), *expected)


@pytest.fixture
def server(tmp_path):
    """A server on this machine, of the files in the test's folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_missing_files_are_downloaded(small, server, monkeypatch):
    source, path, *expected = small
    reader = getattr(datasets, "CIFAR10" if source is cifar10 else "CIFAR100")
    monkeypatch.setattr(reader, "url", f"{server}/{reader.filename}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with tarfile.open(path / reader.filename, "w:gz") as archive:
        archive.add(path / reader.base_folder, reader.base_folder)
    monkeypatch.setattr(reader, "tgz_md5", hashlib.md5((path / reader.filename).read_bytes()).hexdigest())
    holds(source(str(path / "elsewhere")), *expected)


@pytest.mark.parametrize("download", [True, False])
def test_missing_files(small, download):
    source, path, *_ = small
    with pytest.raises(DataError, match=r"^path must .* CIFAR-10+ .*, got '.*' \(.*\)$") as caught:
        source(str(path / "elsewhere" / "data"), download=download)
    assert str(path / "elsewhere") in str(caught.value) and "\n" not in str(caught.value)
    assert not (path / "elsewhere").exists()


def test_a_part_of_a_download_stays(small):
    source, path, *_ = small
    (path / "elsewhere").mkdir()
    (path / "elsewhere" / "part").touch()
    with pytest.raises(DataError):
        source(str(path / "elsewhere"))
    assert (path / "elsewhere" / "part").exists()


@pytest.mark.parametrize("which", ["train_list", "test_list", "meta"])
def test_damaged_files(small, which):
    source, path, *_ = small
    reader = getattr(datasets, "CIFAR10" if source is cifar10 else "CIFAR100")
    name = reader.meta["filename"] if which == "meta" else getattr(reader, which)[-1][0]
    with (path / reader.base_folder / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match=r"^path must .* CIFAR-10+ .*, got "):
        source(str(path), download=False)
