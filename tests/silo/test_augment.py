"""Crops and flips, held by brute force against numpy's padding and torchvision's semantics."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from silo.data.augment import Augment
from silo.data.error import DataError
from silo.data.images import Images

SIZE = 6


def pixels(n=8, channels=3):
    # no 0, as that is the padding's
    return torch.randint(
        1, 256, (n, channels, SIZE, SIZE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )


def numbered(images):
    return Images(images, torch.arange(len(images)))


def epoch(images, augment, seed=0, batch=None, order=None):
    """All images of an epoch, cut in batches; they come with their own labels."""
    random = torch.Generator().manual_seed(seed)
    with numbered(images).augmented(augment) as augmented:
        batches = list(augmented.batches(batch or len(images), order, random))
    assert torch.equal(
        torch.cat([labels for _, labels in batches]), torch.arange(len(images)) if order is None else order
    )
    return torch.cat([pixels for pixels, _ in batches])


def found(result, image, crop, flip):
    """Every (y, x, mirrored) by which torchvision's RandomCrop(size, crop) and flip give the result."""
    padded = np.pad(image, [(0, 0), (crop, crop), (crop, crop)])
    windows = {
        (y, x): padded[:, y : y + SIZE, x : x + SIZE] for y, x in itertools.product(range(2 * crop + 1), repeat=2)
    }
    mirrors = (False, True) if flip else (False,)
    return [
        (y, x, mirrored)
        for (y, x), window in windows.items()
        for mirrored in mirrors
        if np.array_equal(window[:, :, ::-1] if mirrored else window, result)
    ]


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("crop", [1, 2, 4])
def test_every_image_is_one_window_of_its_own_padded_self(crop, flip):
    images = pixels(2000, 1)
    draws = [
        found(result.numpy(), image.numpy(), crop, flip)
        for result, image in zip(epoch(images, Augment(crop, flip)), images, strict=True)
    ]
    assert all(len(places) == 1 for places in draws)
    places = [place for (place,) in draws]
    # every window is drawn, both ends included; rows and columns apart
    assert {(y, x) for y, x, _ in places} == set(itertools.product(range(2 * crop + 1), repeat=2))
    mirrored = sum(mirror for *_, mirror in places)
    assert mirrored == pytest.approx(1000, abs=112) if flip else mirrored == 0  # five standard deviations


def test_all_channels_move_together():
    images = pixels(50)
    for result, image in zip(epoch(images, Augment(2, True)), images, strict=True):
        assert len(found(result.numpy(), image.numpy(), 2, True)) == 1


def test_no_augmentation_changes_nothing():
    assert torch.equal(epoch(pixels(), Augment(0, False)), pixels())


def test_flips_mirror_left_and_right():
    images = pixels(200)
    results = epoch(images, Augment(0, True))
    kept = (results == images).flatten(1).all(1)
    mirrored = (results == images.flip(3)).flatten(1).all(1)
    assert (kept ^ mirrored).all() and 60 < int(kept.sum()) < 140


@given(st.integers(1, 8), st.integers(0, 5), st.sampled_from([0, 2]), st.booleans())
def test_the_batch_size_changes_no_draw(batch, seed, crop, flip):
    images, augment = pixels(), Augment(crop, flip)
    assert torch.equal(epoch(images, augment, seed, batch), epoch(images, augment, seed))


def test_draws_belong_to_positions_and_images_to_indices():
    """Another order gives other images the same crops: what (seed, epoch) draw doesn't hang on the data."""
    same = pixels(1).expand(8, -1, -1, -1)
    augment = Augment(2, True)
    assert torch.equal(epoch(same, augment), epoch(same, augment, order=torch.arange(8).flip(0)))


def test_images_come_in_the_requested_order_and_the_last_batch_short():
    images, order = pixels(), torch.tensor([3, 1, 4, 0, 5, 7, 2, 6])
    with numbered(images).augmented(Augment()) as augmented:
        batches = list(augmented.batches(3, order, torch.Generator()))
    assert [labels.tolist() for _, labels in batches] == [[3, 1, 4], [0, 5, 7], [2, 6]]
    assert torch.equal(torch.cat([part for part, _ in batches]), images[order])


def test_without_a_generator_images_come_as_they_are():
    images = numbered(pixels())
    with images.augmented(Augment(2, True)) as augmented:
        for source in (augmented, images):
            assert torch.equal(torch.cat([part for part, _ in source.batches(3)]), images.pixels)


def test_each_epoch_draws_anew_and_is_not_padded_again():
    """The second epoch's crops are of the images, not of the first epoch's crops."""
    images = pixels(1).expand(8, -1, -1, -1)
    with numbered(images).augmented(Augment(2)) as augmented:
        epochs = [
            torch.cat([part for part, _ in augmented.batches(8, random=torch.Generator().manual_seed(seed))])
            for seed in (0, 1, 0)
        ]
    assert torch.equal(epochs[0], epochs[2]) and not torch.equal(epochs[0], epochs[1])
    assert all(len(found(result.numpy(), images[0].numpy(), 2, False)) == 1 for result in epochs[1])


def test_the_generator_alone_decides():
    first = epoch(pixels(), Augment(2, True), seed=0)
    torch.manual_seed(9)
    assert torch.equal(first, epoch(pixels(), Augment(2, True), seed=0))
    assert not torch.equal(first, epoch(pixels(), Augment(2, True), seed=1))


def test_the_source_is_left_alone_and_the_type_kept():
    images = pixels()
    assert epoch(images, Augment(2, True)).dtype == torch.uint8
    assert torch.equal(images, pixels())


def test_a_crop_is_at_most_the_images_size():
    numbered(pixels()).check(Augment(crop=SIZE))
    with pytest.raises(DataError, match=rf"^augment\.crop must be at most {SIZE}, .*, got {SIZE + 1}: padded, .* GB$"):
        numbered(pixels()).check(Augment(crop=SIZE + 1))


def test_bad_crop():
    with pytest.raises(ValueError, match=r"^crop must .*, got -1$"):
        Augment(crop=-1)


@pytest.mark.parametrize(
    "area", [(), (0.5,), (0.1, 0.2, 0.3), (0, 1), (-0.1, 1), (0.5, 0.4), (0.5, 1.1), (math.nan, 1), (0.1, math.nan)]
)
def test_bad_area(area):
    with pytest.raises(ValueError, match=r"^area must .*, got \["):
        Augment(area=area)


def test_an_area_is_refused_where_images_lie_in_memory():
    augment = Augment(area=(0.08, 1.0))
    with pytest.raises(DataError, match=r"^augment\.area must .*, got \[0\.08, 1\.0\]$"):
        numbered(pixels()).check(augment)
    with pytest.raises(DataError, match=r"augment.area"), numbered(pixels()).augmented(augment):
        pass
