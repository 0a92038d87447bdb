"""Tiny ImageNet in its archive's layout: labels, grey images, and one line for everything that can be wrong."""

import shutil

import numpy as np
import pytest
from PIL import Image

from silo.data.error import DataError
from silo.data.tiny_imagenet import tiny_imagenet

CLASSES = ("n02", "n01", "n03")  # as in wnids.txt, which is not in order
SHADES = {"n02": 40, "n01": 120, "n03": 200}
VALIDATION = {"val_0.JPEG": "n03", "val_1.JPEG": "n02", "val_10.JPEG": "n01", "val_2.JPEG": "n03"}


def paint(file, shade, size=(64, 64), mode="RGB"):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, shade if mode == "L" else (shade, shade // 2, 0)).save(file)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "tiny-imagenet-200"
    for name, shade in SHADES.items():
        for number in (1, 0):
            paint(root / f"train/{name}/images/{name}_{number}.JPEG", shade + number)
        (root / f"train/{name}/{name}_boxes.txt").write_text(f"{name}_0.JPEG\t0\t0\t62\t62\n")
    for file, name in VALIDATION.items():
        paint(root / "val/images" / file, SHADES[name])
    annotate(root, VALIDATION.items())
    paint(root / "test/images/test_0.JPEG", 0)
    (root / "wnids.txt").write_text("\n".join(CLASSES))
    (root / "words.txt").write_text("n01\tfish\n")
    return root


def annotate(root, rows):
    (root / "val/val_annotations.txt").write_text("".join(f"{file}\t{name}\t0\t32\t44\t62\n" for file, name in rows))


def shades(images):
    return images.pixels[:, 0, 0, 0].numpy().astype(int)


def test_labels_are_by_wnids_and_annotations(root):
    data = tiny_imagenet(str(root))
    assert data.classes == CLASSES and (data.channels, data.size) == (3, 64)
    assert data.train.pixels.shape == (6, 3, 64, 64) and data.test.pixels.shape == (4, 3, 64, 64)
    assert data.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.abs(shades(data.train) - [40, 41, 120, 121, 200, 201]).max() <= 3  # JPEG's loss
    assert data.test.labels.tolist() == [2, 0, 1, 2]
    assert np.abs(shades(data.test) - [200, 40, 120, 200]).max() <= 3


def test_the_order_of_annotations_says_nothing(root):
    before = tiny_imagenet(str(root))
    annotate(root, reversed(VALIDATION.items()))
    assert tiny_imagenet(str(root)).digest() == before.digest()


def test_grey_images_become_rgb(root):
    paint(root / "train/n02/images/n02_0.JPEG", 90, mode="L")
    paint(root / "val/images/val_0.JPEG", 30, mode="L")
    data = tiny_imagenet(str(root))
    assert data.train.pixels[0, :, 5, 5].tolist() == [90] * 3 and data.test.pixels[0, :, 5, 5].tolist() == [30] * 3


def test_images_are_decoded_once(root, tmp_path):
    first = tiny_imagenet(str(root))
    cached = sorted((tmp_path / "cache/silo-oracle").iterdir())
    times = [file.stat().st_mtime_ns for file in cached]
    assert len(cached) == 2 and tiny_imagenet(str(root)).digest() == first.digest()
    assert [file.stat().st_mtime_ns for file in sorted((tmp_path / "cache/silo-oracle").iterdir())] == times


BAD = {  # what is done to the folder -> what the one line says
    "nothing there": (shutil.rmtree, r"train/, val/ and wnids"),
    "no list of classes": (
        lambda root: (root / "wnids.txt").unlink(),
        r"got no text file .*wnids\.txt'$",
    ),
    "an empty list": (
        lambda root: (root / "wnids.txt").write_text("\n"),
        r"class .*wnids\.txt', got none$",
    ),
    "a class twice": (
        lambda root: (root / "wnids.txt").write_text("n01\nn02\nn01"),
        r"wnids\.txt', got 'n01' twice$",
    ),
    "a class of train's own": (
        lambda root: (root / "train/n04").mkdir(),
        r"wnids\.txt.*, got .*train/n04'$",
    ),
    "no train": (lambda root: shutil.rmtree(root / "train"), r"got no folder .*train'$"),
    "a class less": (lambda root: shutil.rmtree(root / "train/n01"), r"got no folder .*train/n01/images'$"),
    "a class without images": (
        lambda root: [file.unlink() for file in (root / "train/n01/images").iterdir()],
        r"got no images in .*train/n01/images'$",
    ),
    "images right in the class folder": (
        lambda root: (shutil.rmtree(root / "train/n01/images"), paint(root / "train/n01/a.JPEG", 1)),
        r"train/WNID/images.* got no folder .*train/n01/images'$",
    ),
    "no annotations": (
        lambda root: (root / "val/val_annotations.txt").unlink(),
        r"got no text file .*val_annotations\.txt'$",
    ),
    "no validation images": (lambda root: shutil.rmtree(root / "val/images"), r"got no folder .*val/images'$"),
    "an unknown class": (
        lambda root: annotate(root, (VALIDATION | {"val_1.JPEG": "n9"}).items()),
        r"wnids\.txt, got 'n9' in line 2 of .*val_annotations\.txt'$",
    ),
    "a line of one column": (
        lambda root: (root / "val/val_annotations.txt").write_text("val_0.JPEG n03\n"),
        r"wnids\.txt, got '' in line 1 of .*val_annotations\.txt'$",
    ),
    "an image without annotation": (
        lambda root: paint(root / "val/images/val_3.JPEG", 1),
        r"got none of .*val_3\.JPEG'$",
    ),
    "an annotation without image": (
        lambda root: (root / "val/images/val_2.JPEG").unlink(),
        r"val_annotations\.txt .*, got no .*val_2\.JPEG'$",
    ),
    "a corrupt image": (
        lambda root: (root / "val/images/val_2.JPEG").write_bytes(b"no image"),
        r"got .*val_2\.JPEG', which can't be read$",
    ),
    "an odd image": (
        lambda root: paint(root / "train/n01/images/n01_0.JPEG", 1, (64, 63)),
        r"64x64, got 64x63 in .*n01_0\.JPEG'$",
    ),
    "all of another size": (
        lambda root: [paint(root / "val/images" / file, 1, (32, 32)) for file in VALIDATION],
        r"64x64, got 32x32 in .*val_0\.JPEG'$",
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_one_line_says_what_is_wrong(root, change, message):
    change(root)
    with pytest.raises(DataError, match=f"^path must .*{message}") as caught:
        tiny_imagenet(str(root))
    assert str(root) in str(caught.value) and "\n" not in str(caught.value)
