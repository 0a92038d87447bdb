"""Image folders: labels, order, sizes, the cache, and one line for everything that can be wrong."""

import errno
import os
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from PIL import Image

from silo.data import decode
from silo.data.error import DataError
from silo.data.folder import folder

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (7, 7, 7)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "silo-oracle"


@pytest.fixture
def root(tmp_path):
    """Two classes, in colours; sizes and formats as each test asks."""
    return tmp_path / "data"


def paint(file, colour, size=(4, 4), time=None):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file)
    if time is not None:
        os.utime(file, ns=(time, time))


def two_classes(root, ending="png"):
    # written out of order: order is by name
    paint(root / f"train/cat/b.{ending}", GREEN)
    paint(root / f"train/ape/2.{ending}", BLUE)
    paint(root / f"train/ape/1.{ending}", RED)
    paint(root / f"train/cat/a.{ending}", GREY)
    paint(root / f"test/cat/z.{ending}", BLUE)


def colours(images):
    return [tuple(pixel) for pixel in images.pixels[:, :, 0, 0].tolist()]


@pytest.mark.parametrize("ending", ["png", "bmp", "PNG"])
def test_labels_and_order_by_name(root, ending):
    two_classes(root, ending)
    (root / "train/cat/notes.txt").write_text("no image")
    data = folder(str(root))
    assert data.classes == ("ape", "cat")
    assert colours(data.train) == [RED, BLUE, GREY, GREEN] and data.train.labels.tolist() == [0, 0, 1, 1]
    assert colours(data.test) == [BLUE] and data.test.labels.tolist() == [1]
    assert data.train.pixels.shape == (4, 3, 4, 4)


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "webp"])
def test_lossy_formats_are_read_to_within_their_loss(root, ending):
    two_classes(root, ending)
    data = folder(str(root))
    assert np.abs(np.array(colours(data.train)) - np.array([RED, BLUE, GREY, GREEN])).max() <= 20


def test_rows_and_columns_are_not_swapped(root):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    (root / "train/a").mkdir(parents=True)
    Image.fromarray(pixels).save(root / "train/a/1.png")
    assert (folder(str(root)).train.pixels[0].numpy() == pixels.transpose(2, 0, 1)).all()


def test_grey_images_become_rgb(root):
    (root / "train/a").mkdir(parents=True)
    Image.new("L", (4, 4), 9).save(root / "train/a/1.png")
    assert colours(folder(str(root)).train) == [(9, 9, 9)]


def test_of_16_bits_the_upper_8_are_kept(root):
    """Pillow's own conversion makes everything above 255 white."""
    wide = np.arange(16, dtype=np.uint16).reshape(4, 4) * 4369
    (root / "train/a").mkdir(parents=True)
    Image.fromarray(wide).save(root / "train/a/1.png")
    assert (folder(str(root)).train.pixels[0].numpy() == wide >> 8).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_numbers_of_no_known_range_are_refused(root, dtype):
    (root / "train/a").mkdir(parents=True)
    Image.fromarray(np.full((4, 4), 1, dtype)).save(root / "train/a/1.png", "TIFF")
    with pytest.raises(DataError, match=r"^path must hold images of 8 bits.*, got TIFF of mode .* in .*a/1\.png'$"):
        folder(str(root))


def test_hidden_files_are_no_images(root):
    two_classes(root)
    for file in ("._1.png", ".thumb.png", ".DS_Store"):
        (root / "train/ape" / file).write_bytes(b"another system's notes")
    paint(root / ".git/x/1.png", RED)
    data = folder(str(root))
    assert len(data.train) == 4 and data.left_out == ""


def test_what_is_not_read_is_counted(root):
    two_classes(root)
    for file in ("train/ape/1.tif", "train/ape/2.gif", "train/cat/more/1.png", "val/ape/1.png", "train/1.png"):
        paint(root / file, RED)
    (root / "README.md").touch()
    (root / "train/cat/back").symlink_to(root / "train")
    (root / "train/dog").symlink_to("gone")
    assert folder(str(root)).left_out == (
        "6 files are left out, such as 'train/1.png': 2 in 'train', 2 in 'train/ape', 1 in 'train/cat/more', others in 1 more; "
        "read are .jpg, .jpeg, .png, .bmp, .webp in train/CLASS and test/CLASS"
    )


def test_without_test_there_is_none(root):
    paint(root / "train/a/1.png", RED)
    assert folder(str(root)).test is None


def test_a_home_folder_is_understood(root, monkeypatch):
    paint(root / "train/a/1.png", RED)
    monkeypatch.setenv("HOME", str(root.parent))
    assert len(folder("~/data").train) == 1


def test_size_scales_and_crops_the_centre(root):
    """Of a wide image the left and right go."""
    wide = np.zeros((8, 16, 3), dtype=np.uint8)
    wide[:, 2:14] = 200  # the centre is 4 to 12; bilinear scaling looks a little beyond it
    (root / "train/a").mkdir(parents=True)
    Image.fromarray(wide).save(root / "train/a/wide.png")
    paint(root / "train/a/odd.png", GREY, (5, 3))
    odd, wide = folder(str(root), size=4).train.pixels
    assert odd.shape == wide.shape == (3, 4, 4)
    assert (wide == 200).all() and (odd == 7).all()


def test_images_are_decoded_once(root, cache, monkeypatch):
    paint(root / "train/a/1.bmp", RED)
    folder(str(root))
    monkeypatch.setattr(decode, "open_rgb", None)
    assert colours(folder(str(root)).train) == [RED]
    assert [file.suffix for file in cache.iterdir()] == [".npy"]


DAMAGES = {
    "empty": lambda whole: b"",
    "cut off": lambda whole: whole[:-60],
    "without its checksum": lambda whole: whole[:-4],
    "a pixel changed": lambda whole: whole[:-10] + b"x" + whole[-9:],
    "zeros": lambda whole: bytes(len(whole)),
    "a header of a page of zeros": lambda whole: whole[:8] + b"\xff\xff" + bytes(2**16),
    "more images than memory": lambda whole: whole.replace(b"(1, 3", b"(10**15, 3").replace(b"10**15", b"9" * 15),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_made_again(root, cache, damage):
    paint(root / "train/a/1.bmp", RED)
    folder(str(root))
    (cached,) = cache.iterdir()
    whole = cached.read_bytes()
    cached.write_bytes(damage(whole))
    assert colours(folder(str(root)).train) == [RED]
    assert [file.read_bytes() for file in cache.iterdir()] == [whole]


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["write_array", "mkdir", "replace", "home"])
def test_without_room_for_the_cache_images_are_read_and_nothing_is_left(root, cache, monkeypatch, call):
    paint(root / "train/a/1.bmp", RED)
    owner = {"write_array": np.lib.format, "mkdir": Path, "replace": os, "home": Path}[call]
    if call == "home":
        monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(owner, call, full_disk if call != "home" else lambda: (_ for _ in ()).throw(RuntimeError()))
    assert colours(folder(str(root)).train) == [RED]
    assert not cache.exists() or not list(cache.iterdir())


CHANGES = {
    "pixels alone": lambda root: paint(root / "train/a/1.bmp", BLUE, time=10**18),
    "another file in its place": lambda root: (
        paint(root / "new.bmp", BLUE, time=10**18),
        os.replace(root / "new.bmp", root / "train/a/1.bmp"),
    ),
    "time": lambda root: paint(root / "train/a/1.bmp", BLUE, time=10**18 + 1),
    "size of the file": lambda root: paint(root / "train/a/1.bmp", BLUE, (5, 5), time=10**18),
    "name": lambda root: (
        (root / "train/a/1.bmp").unlink(),
        paint(root / "train/a/2.bmp", BLUE, time=10**18),
    ),
    "another file": lambda root: paint(root / "train/a/0.bmp", BLUE, time=10**18),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_file_is_decoded_anew(root, change):
    paint(root / "train/a/1.bmp", RED, time=10**18)
    folder(str(root))
    sleep(0.02)  # two ticks of a file system's clock
    change(root)
    assert colours(folder(str(root)).train)[0] == BLUE


def test_each_size_is_cached_apart(root):
    paint(root / "train/a/1.png", RED, (6, 6))
    assert [folder(str(root), size).train.pixels.shape[-1] for size in (None, 4, 5, 4, None)] == [6, 4, 5, 4, 6]


def test_train_and_test_of_equal_names_sizes_and_times_are_told_apart(root):
    """As an archive unpacks bitmaps with one fixed time: test must not be train's pixels again."""
    paint(root / "train/a/1.bmp", RED, time=10**18)
    paint(root / "test/a/1.bmp", BLUE, time=10**18)
    data = folder(str(root))
    assert (colours(data.train), colours(data.test)) == ([RED], [BLUE])


def test_two_folders_of_equal_names_sizes_and_times_are_told_apart(root):
    paint(root / "one/train/a/1.bmp", RED, time=10**18)
    paint(root / "two/train/a/1.bmp", BLUE, time=10**18)
    assert [colours(folder(str(root / name)).train) for name in ("one", "two")] == [[RED], [BLUE]]


def test_the_cache_lies_in_the_home_folder_by_default(root, tmp_path, monkeypatch):
    paint(root / "train/a/1.png", RED)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder(str(root))
    assert len(list((tmp_path / "home/.cache/silo-oracle").iterdir())) == 1


def with_file(content):
    def make(root):
        two_classes(root)
        (root / "train/cat/c.png").write_bytes(content)

    return make


def cut_short(root):
    two_classes(root)
    noise = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(noise).save(root / "train/cat/c.png")
    whole = (root / "train/cat/c.png").read_bytes()
    (root / "train/cat/c.png").write_bytes(whole[: len(whole) // 2])


def also(file, size=(4, 4)):
    def make(root):
        two_classes(root)
        paint(root / file, GREY, size)

    return make


DIFFER = r"got train/ of 4x4 and test/ of 5x5"
BAD = {  # what is made -> what the one line names
    "no such folder": (lambda root: None, "train/CLASS/"),
    "train is a file": (
        lambda root: (root.mkdir(), (root / "train").touch()),
        r"train/CLASS/\*\.jpg.* without train/$",
    ),
    "no classes": (
        lambda root: (root / "train").mkdir(parents=True),
        r"class .*train', got none",
    ),
    "images without a class": (
        lambda root: paint(root / "train/1.png", RED),
        r"class .*train', got none",
    ),
    "no images": (lambda root: (root / "train/a").mkdir(parents=True), r"images .*train', got none"),
    "no images in test": (
        lambda root: (two_classes(root), (root / "test/cat/z.png").unlink()),
        r"images .*test', got none",
    ),
    "a class of test's own": (also("test/dog/1.png"), r"got .*test/dog'$"),
    "a link that leads nowhere": (
        lambda root: (two_classes(root), (root / "train/cat/c.png").symlink_to("gone")),
        r"got .*train/cat/c\.png' \(No such file or directory\)$",
    ),
    "a folder of an image's name": (
        lambda root: (two_classes(root), (root / "train/cat/c.png").mkdir()),
        r"got .*train/cat/c\.png', which is no file$",
    ),
    "a pipe": (
        lambda root: (two_classes(root), os.mkfifo(root / "train/cat/c.png")),
        r"got .*train/cat/c\.png', which is no file$",
    ),
    "an empty file": (with_file(b""), r"got .*train/cat/c\.png', which can't be read$"),
    "a file of text": (with_file(b"no image"), r"got .*train/cat/c\.png', which can't be read$"),
    "a file cut short": (cut_short, r"got .*train/cat/c\.png', which can't be read$"),
    "an odd image": (also("train/cat/c.png", (5, 3)), r"got 5x3 in .*c\.png'$"),
    "an image of another size": (also("train/cat/c.png", (5, 5)), r"got 5x5 in .*c\.png'$"),
    "test of another size": (
        lambda root: (two_classes(root), paint(root / "test/cat/z.png", RED, (5, 5))),
        DIFFER,
    ),
    "no square": (lambda root: paint(root / "train/a/1.png", RED, (5, 3)), r"got 5x3 in .*1\.png'$"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_one_line_says_what_is_wrong(root, make, message):
    make(root)
    with pytest.raises(DataError, match=f"^path must .*{message}") as caught:
        folder(str(root))
    assert str(root) in str(caught.value) and "\n" not in str(caught.value)


def test_more_images_than_memory_holds_are_refused_with_the_size_of_both(root, monkeypatch):
    two_classes(root, "png")
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": 24}.get)
    with pytest.raises(DataError, match=r"^path must .* the memory of 2.4e-05 GB, got \d of 50x50, which take .* GB"):
        folder(str(root), size=50)


@pytest.mark.parametrize("size", [0, -4, 4097, 10**8])
def test_bad_sizes(root, size):
    two_classes(root)
    with pytest.raises(DataError, match=f"^size must .*, got {size}$"):
        folder(str(root), size)


def test_a_failure_leaves_nothing_in_the_cache(root, cache):
    cut_short(root)
    with pytest.raises(DataError):
        folder(str(root))
    assert not cache.exists() or not list(cache.iterdir())
    paint(root / "train/cat/c.png", RED)
    assert len(folder(str(root)).train) == 5
