"""ImageNet's layout streamed: the numbers depend on no loader worker, order and labels are the engine's, errors one line."""

import shutil
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from kept import CutOff, Kept, same
from PIL import Image
from torch import nn
from torchvision import transforms

from silo.data.augment import Augment
from silo.data.error import DataError
from silo.data.imagenet import imagenet
from silo.data.normalize import Normalize
from silo.data.split import Carve, Pooled, limited, split
from silo.engine import train
from silo.evaluation import accuracy
from silo.mask import Mask, prunable_weights
from silo.randomness import Purpose, generator, seeded
from silo.recipe import Recipe
from silo.shape import Constant

SIZE = 14
GIVEN = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
AUGMENT = Augment(area=(0.08, 1.0), flip=True)
RECIPE = Recipe(epochs=2, batch_size=5, momentum=0.9, weight_decay=1e-4, shape=Constant(), augment=AUGMENT)
SIZES = [(30, 20), (20, 30), (16, 16), (41, 17)]  # width, height


def paint(file, random, size):
    file.parent.mkdir(parents=True, exist_ok=True)
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR).save(file, "JPEG", quality=95)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Twelve images of three classes to train, six to test; of many sizes, one grey."""
    root, random = tmp_path_factory.mktemp("ilsvrc"), np.random.default_rng(0)
    for part, count in (("train", 4), ("val", 2)):
        for name in ("n01", "n02", "n03"):
            for number in range(count):
                paint(root / part / name / f"{name}_{number}.JPEG", random, SIZES[number])
    Image.open(root / "train/n02/n02_1.JPEG").convert("L").save(root / "train/n02/n02_1.JPEG")
    return root


@pytest.fixture
def copy(root, tmp_path):
    return shutil.copytree(root, tmp_path / "ilsvrc")


@pytest.fixture
def data(root):
    """Read in this process."""
    return imagenet(str(root), SIZE, loaders=0)


def files(root, part):
    return sorted((root / part).glob("*/*.JPEG"))


def evaluated(file):
    """As the docstring says: the short side to size * 256 / 224 = 16, the centre of 14."""
    image = Image.open(file).convert("RGB")
    scale = 16 / min(image.size)
    image = image.resize([int(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = (round((side - SIZE) / 2) for side in image.size)
    return np.asarray(image.crop((left, top, left + SIZE, top + SIZE))).transpose(2, 0, 1)


def read(part, batch_size=5, order=None, random=None):
    batches = list(part.batches(batch_size, order, random))
    return torch.cat([pixels for pixels, _ in batches]), torch.cat([labels for _, labels in batches])


def test_evaluation_shows_every_image_once_scaled_and_centred(root, data):
    assert data.classes == ("n01", "n02", "n03") and (data.channels, data.size) == (3, SIZE)
    for part, name in ((data.train, "train"), (data.test, "val")):
        pixels, labels = read(part)
        assert pixels.dtype == torch.uint8 and len(part) == len(pixels) == len(files(root, name))
        for image, label, file in zip(pixels, labels, files(root, name), strict=True):
            assert (image.numpy() == evaluated(file)).all() and data.classes[label] == file.parent.name


def test_images_come_in_the_requested_order(root, data):
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    batches = list(data.train.batches(5, order))
    assert [len(labels) for _, labels in batches] == [5, 5, 2]
    assert torch.equal(torch.cat([labels for _, labels in batches]), order // 4)
    assert torch.equal(torch.cat([pixels for pixels, _ in batches]), read(data.train)[0][order])


def test_augmentation_is_torchvision_s_by_seeds_drawn_beforehand(root, data):
    """Each position of the order has a seed of its own: random resized crop (Szegedy et al. 2015), then a flip."""
    order = torch.arange(11, -1, -1)
    with data.train.augmented(AUGMENT) as augmented:
        pixels, labels = read(augmented, order=order, random=generator(0, Purpose.AUGMENTATION))
    seeds = torch.randint(2**63 - 1, (12,), generator=generator(0, Purpose.AUGMENTATION)).tolist()
    view = [transforms.RandomResizedCrop(SIZE, (0.08, 1.0), (3 / 4, 4 / 3)), transforms.RandomHorizontalFlip()]
    for image, position, seed in zip(pixels, order.tolist(), seeds, strict=True):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            expected = transforms.Compose(view)(Image.open(files(root, "train")[position]).convert("RGB"))
        assert (image.numpy() == np.asarray(expected).transpose(2, 0, 1)).all()
    assert torch.equal(labels, order // 4)


def test_without_an_area_there_is_the_centre_and_its_mirror(data):
    plain, _ = read(data.train)
    with data.train.augmented(Augment(flip=True)) as augmented:
        flipped, _ = read(augmented, random=generator(0, Purpose.AUGMENTATION))
        again, _ = read(augmented)
    kept, mirrored = ((flipped == other).flatten(1).all(1) for other in (plain, plain.flip(3)))
    assert (kept ^ mirrored).all() and 0 < int(kept.sum()) < 12
    assert torch.equal(again, plain)  # without a generator nothing is drawn


# ---- through the engine


def network():
    with seeded(0, Purpose.INITIALIZATION):
        return nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(8 * 36, 3))


CARVED = Carve(0.25)


def trained(data, recipe=RECIPE, rule=CARVED, model=None, seed=0, checkpoint=None):
    model = model or network()
    mask = Mask.dense(prunable_weights(model, norm=True, first=True, head=True))
    parts = split(data, rule, GIVEN, seed)
    return train(model, parts, recipe, 0.05, mask, seed=seed, cycle=1, checkpoint=checkpoint)


@pytest.mark.parametrize("rule", [CARVED, Pooled()], ids=["carve", "pooled"])
def test_numbers_depend_on_no_loader_worker(root, rule):
    recipe = replace(RECIPE, augment=replace(AUGMENT, evaluation=rule == Pooled()))
    results = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loaders in (0, 1, 2):
            data = imagenet(str(root), SIZE, loaders)
            data.train.loader.workers = loaders  # even where the tests have one core
            results.append(trained(data, recipe, rule))
    for other in results[1:]:
        assert other.outcome == results[0].outcome
        assert all(torch.equal(weights, other.final[name]) for name, weights in results[0].final.items())


def test_cut_off_between_epochs_it_goes_on_with_loader_workers_to_the_same_bits(root):
    recipe = replace(RECIPE, epochs=3, augment=replace(AUGMENT, evaluation=True))

    def life(loaders, checkpoint):
        data = imagenet(str(root), SIZE, loaders)
        data.train.loader.workers = loaders
        return trained(data, recipe, checkpoint=checkpoint)

    kept = Kept(until=1)
    with pytest.raises(CutOff):
        life(0, kept)
    assert same(life(1, kept), life(0, None))


class Recorder(nn.Module):
    """A network that keeps what it is shown."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3 * SIZE**2, 3)
        self.shown = {True: [], False: []}

    def forward(self, x):
        self.shown[self.training] += list(x)
        return self.head(x.flatten(1))


def test_the_engine_s_order_and_draws_are_what_is_shown(data):
    model = Recorder()
    trained(data, model=model, seed=2)
    parts = split(data, CARVED, GIVEN, 2)
    expected = []
    for epoch in range(2):
        order = torch.randperm(9, generator=generator(2, Purpose.ORDER, 1, epoch))
        with parts.train.augmented(AUGMENT) as augmented:
            expected.append(read(augmented, order=order, random=generator(2, Purpose.AUGMENTATION, 1, epoch))[0])
    shown = torch.stack(model.shown[True])
    assert torch.equal(shown, (torch.cat(expected).float() - parts.mean) / parts.std)
    assert not torch.equal(shown[:9], shown[9:])
    unaugmented = (read(parts.validation)[0].float() - parts.mean) / parts.std
    assert torch.equal(torch.stack(model.shown[False][:3]), unaugmented)


class Exact(nn.Module):
    """Knows each image by heart, but for the first."""

    def __init__(self, pixels, labels):
        super().__init__()
        self.known = {tuple(p.flatten().tolist()): int(label) for p, label in zip(pixels, labels, strict=True)}
        self.known[next(iter(self.known))] += 1

    def forward(self, x):
        labels = [self.known[tuple(image.flatten().tolist())] for image in x]
        return nn.functional.one_hot(torch.tensor(labels), 4).float()


def test_accuracy_counts_every_image_once(data):
    parts = split(data, CARVED, GIVEN, 0)
    pixels, labels = read(parts.test)
    model = Exact((pixels.float() - parts.mean) / parts.std, labels)
    assert accuracy(model, parts.test, parts) == pytest.approx(100 * 5 / 6)


def test_workers_live_over_the_epochs_and_end_with_the_training(root, monkeypatch):
    data, started = imagenet(str(root), SIZE, 1), []
    start = data.train.loader._start
    monkeypatch.setattr(data.train.loader, "_start", lambda: started.append(start()) or started[-1])
    with data.train.augmented(AUGMENT) as augmented:
        for _ in range(2):
            read(augmented, random=generator(0, Purpose.AUGMENTATION))
            read(data.test)
        (loader,) = started
        (worker,) = loader._iterator._workers
        assert worker.is_alive()
        del loader
        started.clear()
    worker.join(10)
    assert not worker.is_alive()
    assert len(read(data.test)[0]) == 6  # by a worker of its own
    data.train.loader.close()


def test_a_second_reading_beside_the_first_is_refused(data):
    first = data.train.batches(5)
    next(first)
    with pytest.raises(RuntimeError, match=r"must .*, got a second"):
        next(data.test.batches(5))
    first.close()
    assert len(read(data.test)[0]) == 6


# ---- what a data set tells of itself


def test_pooled_and_limited(data):
    assert torch.equal(read(data.pooled)[0], torch.cat([read(part)[0] for part in (data.train, data.test)]))
    assert data.pooled.labels.tolist() == data.train.labels.tolist() + data.test.labels.tolist()
    assert data.chance == pytest.approx(100 / 3)
    few = limited(data, 5, 2)
    chosen = torch.randperm(12, generator=generator(0, Purpose.LIMIT_TRAIN))[:5]
    assert (len(few.train), len(few.test)) == (5, 2)
    assert torch.equal(read(few.train)[0], read(data.train)[0][chosen])
    assert torch.equal(read(data.train[2:4])[0], read(data.train)[0][2:4])


def test_the_digest_knows_names_and_file_sizes_and_the_size(data, copy):
    digest = partial(lambda *options: imagenet(str(copy), *options).digest(), SIZE)
    first = digest(0)
    assert first == data.digest() == digest(2)  # wherever it lies, however it is read
    others = [imagenet(str(copy), 16).digest(), limited(data, 11, None).digest()]
    (copy / "train/n01/n01_0.JPEG").write_bytes((copy / "train/n01/n01_0.JPEG").read_bytes() + b"x")
    others.append(digest(0))
    (copy / "train/n01/n01_0.JPEG").rename(copy / "train/n01/n01_9.JPEG")
    others.append(digest(0))
    (copy / "val/n01/n01_0.JPEG").rename(copy / "val/n02/n01_0.JPEG")
    others.append(digest(0))
    assert len({first, *others}) == 6


# ---- one line for what is wrong


def test_the_constants_to_normalize_by_must_be_given(data):
    with pytest.raises(DataError, match=r"^normalize must .* mean and std .*, got none$"):
        split(data, CARVED, Normalize(), 0)
    with pytest.raises(DataError, match=r"^normalize must .* mean and std .*3.*, got 1$"):
        split(data, CARVED, Normalize((0.5,), (0.5,)), 0)


def test_a_crop_is_refused(data):
    with pytest.raises(DataError, match=r"^augment\.crop must .*, got 4$"):
        data.train.check(Augment(crop=4))
    with pytest.raises(DataError, match=r"augment\.crop"):
        trained(data, replace(RECIPE, augment=Augment(crop=4)))


BAD = {
    "nothing there": (shutil.rmtree, r"train/WNID/"),
    "no val": (lambda root: shutil.rmtree(root / "val"), r"val/WNID/\*\.JPEG, got .* without val/$"),
    "val in one folder": (
        lambda root: (
            [file.rename(root / "val" / file.name) for file in files(root, "val")]
            + [folder.rmdir() for folder in (root / "val").glob("n0?")]
        ),
        r"class .*val', got none$",
    ),
    "a class of val's own": (lambda root: (root / "val/n04").mkdir(), r"got .*val/n04'$"),
    "a class without images": (
        lambda root: (root / "train/n00").mkdir(),
        r"got none in .*train/n00'$",
    ),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_one_line_says_what_is_wrong(copy, change, message):
    change(copy)
    with pytest.raises(DataError, match=f"^path must .*{message}") as caught:
        imagenet(str(copy), SIZE)
    assert str(copy) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("options", "field", "value"), [((0,), "size", 0), ((8, -1), "loaders", -1)])
def test_bad_options(root, options, field, value):
    with pytest.raises(DataError, match=f"^{field} must .*, got {value}$"):
        imagenet(str(root), *options)


@pytest.mark.parametrize("loaders", [0, 1])
def test_an_unreadable_image_is_one_line_from_a_worker_too(copy, loaders):
    (copy / "train/n02/n02_3.JPEG").write_bytes(b"no image")
    data = imagenet(str(copy), SIZE, loaders)
    with pytest.raises(DataError, match=r"^path must .*, got .*n02_3\.JPEG', which can't be read$") as caught:
        trained(data)
    assert "\n" not in str(caught.value)
    (copy / "train/n02/n02_3.JPEG").unlink()
    assert trained(imagenet(str(copy), SIZE, loaders)).outcome.steps == 4
