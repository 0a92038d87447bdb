"""scikit-learn's handwritten digits: 1,797 real 8x8 grey images, embedded in the package."""

import torch

from silo.data.images import Dataset, Images


def digits() -> Dataset:
    """8x8 images of one channel, ten classes; the source's grey values 0..16 are kept as they are; no official test set."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = torch.from_numpy(bunch.images).to(torch.uint8).unsqueeze(1)
    return Dataset(Images(pixels, torch.from_numpy(bunch.target).long()), None, tuple("0123456789"))
